"""Pods scheduled a second, the whole way, and what the decision alone costs.

    python bench/scheduler.py [--case NAME …|all|decision] [--nodes N] [-o json]

The cases have the shapes of Kubernetes' scheduler_perf. Each has a fresh `argosy up` as shipped,
over TLS, durable. Its own node is cordoned; the others are objects that nobody runs, but for their
leases, which are renewed. The measured pods are made by another process with 16 connections; the
time is from the first request until the last pod is bound, as a watcher in a third process sees it.
The events of all of them must be there a little later. `gangs` tells besides how long others waited
meanwhile (`probes`). `--nodes` makes every case smaller, in proportion: for trying out.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from argosy.api.core import Event, Namespace, Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaimTemplate, ResourceSlice
from argosy.api.meta import PartialObject
from argosy.api.resource import Resource
from argosy.api.resources.scheduling import PRIORITY_CLASS
from argosy.api.scheduling import PodGroup
from argosy.client.client import Client
from bench import deciding
from bench.load import many
from bench.nodes import CLIENTS, beating, cordon, together, untainted
from bench.probes import Waits, probed
from bench.schedulercases import CASES, SPACES, UNIQUE, Batch, Case, devices, node
from bench.server import Running, argosy

PATIENCE = 600.0
QUIET = 5
"""So many looks, two seconds apart, without another event: no more come."""
KINDS: dict[str, Resource] = {
    "DeviceClass": DeviceClass.resource,
    "PodGroup": PodGroup.resource,
    "PriorityClass": PRIORITY_CLASS,
    "ResourceClaimTemplate": ResourceClaimTemplate.resource,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Pods a second of a case; seconds until all were bound, and of processor time of the server;
    pods that had no event in time; resident memory in MB at the end."""

    case: str
    rate: float
    target: float
    kubernetes: str
    seconds: float
    processor: float
    untold: int
    resident: float
    waits: Waits | None


async def measure(case: Case) -> Figure:
    """One case on a cluster of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with argosy(Path(folder)) as running:
            client = running.client
            try:
                return await _measured(running, client, case)
            finally:
                await client.transport.close()


async def _measured(running: Running, client: Client, case: Case) -> Figure:
    await _prepare(client, case)
    async with beating(client, [case.node(i)["metadata"]["name"] for i in range(case.nodes)]):
        await untainted(client)
        for batch in case.before:
            await _placed(running, client, batch)
        return await _timed(running, client, case)


async def _timed(running: Running, client: Client, case: Case) -> Figure:
    began, spent = time.monotonic(), running.processor()
    async with _churned(client, case.churn), probed(client, SPACES[1], case.probed) as waits:
        seconds = await _placed(running, client, case.measured) - began
    spent = running.processor() - spent
    untold = await _untold(client, case.measured)
    return Figure(
        case=case.name,
        rate=case.measured.count / seconds,
        target=case.target,
        kubernetes=case.kubernetes,
        seconds=seconds,
        processor=spent,
        untold=untold,
        resident=running.resident(),
        waits=waits if case.probed else None,
    )


async def _prepare(client: Client, case: Case) -> None:
    for space in SPACES:
        await client.create(Namespace.resource, {"metadata": {"name": space}})
    await cordon(client)
    for kind, body in case.also:
        await client.create(KINDS[kind], body)
    await together(client.create(Node.resource, case.node(i)) for i in range(case.nodes))
    if case.slices:
        await together(
            client.create(ResourceSlice.resource, devices(i, case.slices))
            for i in range(case.nodes)
        )


async def _placed(running: Running, client: Client, batch: Batch) -> float:
    """Make the pods and wait until all are bound; when that was. Those that don't fit: made."""
    since = (await _pods(client, batch)).metadata.resource_version
    waiting = asyncio.create_task(_bound(client, batch, since)) if batch.fits else None
    access = running.access
    path = Pod.resource.path("", batch.space)
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", **batch.template})
    made = asyncio.create_task(
        many(
            access.server,
            path,
            access.token,
            text,
            count=batch.count,
            connections=CLIENTS,
            unique=UNIQUE,
            numbers=batch.numbers,
        )
    )
    async with asyncio.timeout(PATIENCE):
        if waiting is not None:
            await waiting
        finished = time.monotonic()
        await made
    return finished


def _pods(client: Client, batch: Batch) -> Any:
    return client.list(PartialObject, batch.space, resource=Pod.resource)


async def _bound(client: Client, batch: Batch, since: str) -> None:
    left = batch.count
    watched = client.watch(
        PartialObject,
        batch.space,
        since=since,
        fields="spec.nodeName!=",
        resource=Pod.resource,
    )
    async with aclosing(watched) as changes:
        async for event in changes:
            left -= event.type == "ADDED"
            if not left:
                return


async def _untold(client: Client, batch: Batch) -> int:
    """How many pods have no `Scheduled` event, once none came for a while."""
    before, unchanged = -1, 0
    while True:
        chosen = "reason=Scheduled,involvedObject.kind=Pod"
        listed = await client.list(
            PartialObject, batch.space, fields=chosen, resource=Event.resource
        )
        told = len(listed.items)
        unchanged = unchanged + 1 if told == before else 0
        if told >= batch.count or unchanged >= QUIET:
            return max(batch.count - told, 0)
        before = told
        await asyncio.sleep(2)


@contextlib.asynccontextmanager
async def _churned(client: Client, churn: bool) -> AsyncGenerator[None, None]:
    """Beside what is measured, a node and a large pod come and go once a second."""
    if not churn:
        yield
        return
    task = asyncio.create_task(_churn(client))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _churn(client: Client) -> None:
    large = {"requests": {"cpu": "9"}}
    containers = [{"name": "c", "image": "registry.example/pause", "resources": large}]
    for i in range(100_000):
        await client.create(Node.resource, node(90_000 + i))
        meta = {"name": f"churn-{i}", "namespace": SPACES[1]}
        body = {"metadata": meta, "spec": {"containers": containers}}
        await client.create(Pod.resource, body)
        await asyncio.sleep(1)
        await client.delete(Node.resource, node(90_000 + i)["metadata"]["name"])
        await client.delete(Pod.resource, f"churn-{i}", SPACES[1])


def smaller(case: Case, nodes: int) -> Case:
    """The case with at most so many nodes, and pods in proportion."""
    share = min(1.0, nodes / case.nodes)

    def less(batch: Batch) -> Batch:
        return replace(batch, count=max(1, round(batch.count * share)))

    if case.sized is not None:
        return replace(case.sized(less(case.measured).count), nodes=round(case.nodes * share))
    return replace(
        case,
        nodes=round(case.nodes * share),
        before=tuple(less(batch) for batch in case.before),
        measured=less(case.measured),
    )


def _decisions() -> list[tuple[str, str, str, str, str]]:
    rows = []
    kinds: tuple[tuple[str, Callable[..., Any]], ...] = (
        ("basic", deciding.plain_pod),
        ("half a device", deciding.claiming_pod),
    )
    for nodes in (1_000, 5_000, 50_000):
        for name, make in kinds if nodes < 50_000 else kinds[:1]:
            found = deciding.measure(nodes, make)
            first, each = found.first * 1e6, found.following * 1e6
            rows.append(
                (name, f"{nodes:,}", f"{first:,.0f} µs", f"{each:,.0f} µs", f"{found.rate:,.0f}")
            )
    return rows


def main(given: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python bench/scheduler.py", description=__doc__)
    names = [case.name for case in CASES]
    parser.add_argument("--case", action="append", choices=[*names, "all", "decision"])
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    args = parser.parse_args(given)
    chosen = set(args.case or ["all"])
    everything = "all" in chosen
    rows = _decisions() if everything or "decision" in chosen else []
    size = deciding.memory(5_000) if rows else 0.0
    figures = []
    for case in CASES:
        if everything or case.name in chosen:
            figures.append(asyncio.run(measure(smaller(case, args.nodes))))
            if args.output == "text":
                _told(figures[-1:])
    if args.output == "json":
        alone = {"rows": rows, "bytes_a_node": round(size)}
        told = {"cases": [asdict(figure) for figure in figures], "decision_alone": alone}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    if rows:
        table = Table("decision alone", "nodes", "first of a shape", "each next", "pods/s")
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        sys.stdout.write(f"{size:,.0f} bytes a node\n")


def _told(figures: Sequence[Figure]) -> None:
    for it in figures:
        peer = f", Kubernetes {it.kubernetes}" if it.kubernetes else ""
        target = f" (target {it.target:,.0f}{peer})" if it.target else ""
        untold = f", {it.untold} without an event" if it.untold else ""
        waits = f"; {it.waits}" if it.waits else ""
        sys.stdout.write(
            f"{it.case:18} {it.rate:7,.0f} pods/s{target}, {it.seconds:.1f} s,"
            f" processor {it.processor:.1f} s, {it.resident:,.0f} MB{untold}{waits}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
