"""What a tenant's flood does to another tenant.

    python -m bench.fairness [--seconds S] [--rounds N]

Two service accounts, each the administrator of a namespace. The quiet one gets, lists and creates,
one request after the other with pauses; the other sends all that wrk can over many connections. The
quiet one's p99 is taken alone and with each flood, in rounds, with fairness and without, over TLS,
durable. wrk runs at a low priority: it stands for other machines, which take no processor from the
server.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from argosy.api.core import ConfigMap, Namespace
from argosy.api.resources.access import ROLE_BINDING
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import Access
from bench.load import script, wrk
from bench.server import Running, argosy

CONNECTIONS = 64
OBJECTS = 200
PAUSE = 0.01
NICE = 15
TENANTS = ("loud", "quiet")
FLOODS = {"lists": "GET", "creates": "POST"}
BODY = {"metadata": {"name": "NAME"}, "data": {"a": "b"}}
UNFAIR = "--no-enable-priority-and-fairness"


@dataclass(slots=True)
class Quiet:
    """The quiet tenant; `taken` has the milliseconds of each request, by what it was."""

    client: Client
    taken: dict[str, list[float]]
    made: int = 0

    async def run(self, seconds: float) -> dict[str, float]:
        """Ask for so long. Returns the p99 of each kind of request."""
        self.taken = {"get": [], "list": [], "create": []}
        until = perf_counter() + seconds
        where = f"/api/v1/namespaces/{TENANTS[1]}/configmaps"
        while perf_counter() < until:
            self.made += 1
            body: dict[str, object] = {"metadata": {"name": f"made-{self.made}"}}
            await self._timed("get", "GET", f"{where}/item-0")
            await self._timed("list", "GET", where, {"limit": "50"})
            await self._timed("create", "POST", where, None, body)
        return {what: _p99(times) for what, times in self.taken.items()}

    async def _timed(
        self,
        what: str,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, object] | None = None,
    ) -> None:
        await asyncio.sleep(PAUSE)
        began = perf_counter()
        await self.client.call(method, path, query, body)
        self.taken[what].append((perf_counter() - began) * 1000)


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)] if times else 0.0


async def tenants(server: Running) -> dict[str, str]:
    """Two namespaces with objects, and a token of the administrator of each."""
    client = server.client
    tokens = {}
    for name in TENANTS:
        await client.create(Namespace.resource, {"metadata": {"name": name}})
        meta = {"name": "tenant", "namespace": name}
        await client.create(SERVICE_ACCOUNT, {"metadata": meta})
        subject = {"kind": "ServiceAccount", **meta}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
        binding = {"metadata": meta, "subjects": [subject], "roleRef": role}
        await client.create(ROLE_BINDING, binding)
        path = SERVICE_ACCOUNT.path("tenant", name, "token")
        answer = await client.call("POST", path, None, {"spec": {"expirationSeconds": 3600}})
        tokens[name] = str(msgspec.json.decode(answer)["status"]["token"])
        for number in range(OBJECTS):
            meta = {"name": f"item-{number}", "namespace": name}
            body = {"metadata": meta, "data": {"text": "x" * 1000}}
            await client.create(ConfigMap.resource, body)
    await client.transport.close()
    return tokens


async def measured(
    folder: Path, seconds: float, rounds: int, *flags: str
) -> list[dict[str, dict[str, float]]]:
    """Of each round the quiet tenant's p99 by kind of request, alone and under each flood."""
    found = []
    async with argosy(folder, *flags) as server:
        tokens = await tenants(server)
        access = Access(server=server.access.server, ca=server.access.ca, token=tokens[TENANTS[1]])
        quiet = Quiet(Client(transport(access), "bench"), {})
        await quiet.run(1.0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            json.dump(BODY, body)
            body.flush()
            for _ in range(rounds):
                told = {"alone": await quiet.run(seconds)}
                for flood, method in FLOODS.items():
                    where = f"/api/v1/namespaces/{TENANTS[0]}/configmaps?limit={OBJECTS}"
                    sent = Path(body.name) if method == "POST" else None
                    lua = script(tokens[TENANTS[0]], method, where, sent, f"made-{uuid4().hex[:8]}")
                    told[flood] = await _flooded(quiet, server.access.server, lua, seconds)
                found.append(told)
        await quiet.client.transport.close()
    return found


async def _flooded(quiet: Quiet, at: str, lua: str, seconds: float) -> dict[str, float]:
    load = wrk(at, lua, connections=CONNECTIONS, seconds=seconds + 1, nice=NICE)
    flooding = asyncio.create_task(load)
    await asyncio.sleep(0.7)
    found = await quiet.run(seconds - 0.5)
    done = await flooding
    return {**found, "rate": done.rate, "errors": done.errors}


def _row(title: str, what: str, flood: str, rounds: list[dict[str, dict[str, float]]]) -> list[str]:
    """Medians over the rounds; of the ratio also the least and the most."""
    ratios = [told[flood][what] / told["alone"][what] for told in rounds]
    rate = median(told[flood]["rate"] for told in rounds)
    errors = sum(told[flood]["errors"] for told in rounds)
    return [
        f"{what}, {title}",
        flood,
        f"{rate:,.0f}/s, {errors:,.0f} errors",
        f"{median(told['alone'][what] for told in rounds):.1f} ms",
        f"{median(told[flood][what] for told in rounds):.1f} ms",
        f"{median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
    ]


async def main(seconds: float, rounds: int) -> None:
    """Measure and print."""
    table = Table("quiet tenant's", "flood of", "flood", "alone p99", "flooded p99", "ratio")
    with tempfile.TemporaryDirectory() as name:
        for title, flags in (("fair", ()), ("unfair", (UNFAIR,))):
            found = await measured(Path(name) / title, seconds, rounds, *flags)
            for flood in FLOODS:
                for what in ("get", "list", "create"):
                    table.add_row(*_row(title, what, flood, found))
    Console(width=110).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    uvloop.run(main(asked.seconds, asked.rounds))
