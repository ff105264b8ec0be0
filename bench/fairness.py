"""What a tenant's flood does to another tenant.

    python -m bench.fairness [--seconds S] [--rounds N] [--only fair|unfair]

Two service accounts, each the administrator of a namespace. The quiet one gets, lists and creates,
one request after the other with pauses; the other sends all that wrk can over many connections. The
quiet one's p99 is taken alone and with each flood, in rounds, with fairness and without, over TLS,
durable: over the requests of all rounds, and by round (where it is the second worst of about a
hundred requests, so single rounds vary widely). wrk runs when nobody else wants the processor: it
stands for other machines.
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
TENANTS = ("loud", "quiet")
FLOODS = {"lists": "GET", "creates": "POST"}
BODY = {"metadata": {"name": "NAME"}, "data": {"a": "b"}}
KINDS = ("get", "list", "create")
HALVES = {"fair": (), "unfair": ("--no-enable-priority-and-fairness",)}


Times = dict[str, list[float]]
"""Milliseconds of each request, by what it was."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of a round: the quiet tenant's times, and what the flood achieved meanwhile."""

    times: Times
    rate: float = 0.0
    errors: float = 0.0


Round = dict[str, Told]
"""By flood, and `alone`."""


@dataclass(slots=True)
class Quiet:
    """The quiet tenant; `taken` has its latest times."""

    client: Client
    taken: Times
    made: int = 0

    async def run(self, seconds: float) -> Times:
        """Ask for so long. Returns what each request took."""
        self.taken = {what: [] for what in KINDS}
        until = perf_counter() + seconds
        where = f"/api/v1/namespaces/{TENANTS[1]}/configmaps"
        while perf_counter() < until:
            self.made += 1
            body: dict[str, object] = {"metadata": {"name": f"made-{self.made}"}}
            await self._timed("get", "GET", f"{where}/item-0")
            await self._timed("list", "GET", where, {"limit": "50"})
            await self._timed("create", "POST", where, None, body)
        return self.taken

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


async def measured(folder: Path, seconds: float, rounds: int, *flags: str) -> list[Round]:
    """The rounds: the quiet tenant alone and under each flood."""
    found: list[Round] = []
    async with argosy(folder, *flags) as server:
        tokens = await tenants(server)
        access = Access(server=server.access.server, ca=server.access.ca, token=tokens[TENANTS[1]])
        quiet = Quiet(Client(transport(access), "bench"), {})
        await quiet.run(1.0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            json.dump(BODY, body)
            body.flush()
            for _ in range(rounds):
                told = {"alone": Told(await quiet.run(seconds))}
                for flood, method in FLOODS.items():
                    where = f"/api/v1/namespaces/{TENANTS[0]}/configmaps?limit={OBJECTS}"
                    sent = Path(body.name) if method == "POST" else None
                    lua = script(tokens[TENANTS[0]], method, where, sent, f"made-{uuid4().hex[:8]}")
                    told[flood] = await _flooded(quiet, server.access.server, lua, seconds)
                found.append(told)
        await quiet.client.transport.close()
    return found


async def _flooded(quiet: Quiet, at: str, lua: str, seconds: float) -> Told:
    load = wrk(at, lua, connections=CONNECTIONS, seconds=seconds + 1, elsewhere=True)
    flooding = asyncio.create_task(load)
    await asyncio.sleep(0.7)
    times = await quiet.run(seconds - 0.5)
    done = await flooding
    return Told(times, done.rate, done.errors)


def _row(title: str, what: str, flood: str, rounds: list[Round]) -> list[str]:
    """Over all requests first; by round the median of the ratio, the least and the most."""
    alone, flooded = ([_p99(told[way].times[what]) for told in rounds] for way in ("alone", flood))
    before, after = (_p99(_all(rounds, way, what)) for way in ("alone", flood))
    ratios = [late / early for late, early in zip(flooded, alone, strict=True)]
    rate = median(told[flood].rate for told in rounds)
    errors = sum(told[flood].errors for told in rounds)
    return [
        f"{what}, {title}",
        flood,
        f"{rate:,.0f}/s, {errors:,.0f} errors",
        f"{before:.1f} ms",
        f"{after:.1f} ms",
        f"{after / before:.1f}",
        f"{median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
    ]


def _all(rounds: list[Round], way: str, what: str) -> list[float]:
    return [taken for told in rounds for taken in told[way].times[what]]


async def main(seconds: float, rounds: int, halves: Sequence[str]) -> None:
    """Measure and print."""
    heads = ("quiet tenant's", "flood of", "flood", "alone p99", "flooded p99", "ratio", "by round")
    table = Table(*heads)
    with tempfile.TemporaryDirectory() as name:
        for title in halves:
            found = await measured(Path(name) / title, seconds, rounds, *HALVES[title])
            for flood in FLOODS:
                for what in KINDS:
                    table.add_row(*_row(title, what, flood, found))
    Console(width=110).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=HALVES, help="with fairness, or without it")
    asked = parser.parse_args()
    uvloop.run(main(asked.seconds, asked.rounds, [asked.only] if asked.only else list(HALVES)))
