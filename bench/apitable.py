"""The table of the API's speed: `python bench/api.py [-o json] [--runs N] [--seconds S]`.

Everything is measured on `argosy up` as shipped, over TLS, durable, with load from another process.
Beside each figure stands the bare answer of the same HTTP server in the same run, the target, and
what kube-apiserver with etcd does on such a machine (2 cores; figures of November 2026).
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from argosy.api.core import ConfigMap, Namespace, Pod
from argosy.api.resource import Resource
from bench import watch
from bench.load import Load, LoadError, script, wrk
from bench.server import Running, argosy, bare

BODIES = Path(__file__).parent / "bodies"
NAMESPACED = "/api/v1/namespaces/default"
MANY = 40_000
FULL = 100_000
FILLING = {"ConfigMap": "configmap.json", "Pod": "small-pod.json"}
SETTLED = 5.0
"""Seconds after its readiness at which an idle server is weighed: controllers begin later."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians of the runs with their spread."""

    what: str
    figure: str
    bare: str
    target: str
    kubernetes: str


def _spread(values: Sequence[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.0f}/s ({low:,.0f}–{high:,.0f})"


def _row(what: str, loads: list[Load], plain: list[Load], target: str, peer: str) -> Row:
    p50 = statistics.median(load.p50 for load in loads)
    p99 = statistics.median(load.p99 for load in loads)
    errors = sum(load.errors for load in loads)
    figure = f"{_spread([load.rate for load in loads])}, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    figure += f", {errors} errors" * bool(errors)
    return Row(what, figure, _spread([load.rate for load in plain]), target, peer)


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked for, again and again, over so many connections."""

    what: str
    connections: int
    target: str
    peer: str
    method: str
    path: str
    body: Path | None = None


CASES = (
    Case(
        "create ConfigMap, 16 connections",
        16,
        "≥ 4,000/s, p99 ≤ 12 ms",
        "1,500–2,000/s, p99 25–47 ms",
        "POST",
        f"{NAMESPACED}/configmaps",
        BODIES / "configmap.json",
    ),
    Case(
        "create Pod, 16",
        16,
        "≥ 2,500/s, p99 ≤ 20 ms",
        "1,000/s, p99 50 ms",
        "POST",
        f"{NAMESPACED}/pods",
        BODIES / "pod.json",
    ),
    Case("get, 16", 16, "≥ 15,000/s", "3,750/s", "GET", f"{NAMESPACED}/configmaps/one"),
    Case("list 500 Pods, 8", 8, "≥ 900/s", "90/s", "GET", "/api/v1/namespaces/many/pods?limit=500"),
)


class Bench:
    """One run of everything."""

    def __init__(self, runs: int, seconds: float) -> None:
        self._runs = runs
        self._seconds = seconds
        self.rows: list[Row] = []

    async def run(self, folder: Path, *, memory: bool) -> None:
        """Fill `rows`."""
        await self._starts(folder)
        async with bare() as plain, argosy(folder / "speed") as server:
            await asyncio.sleep(SETTLED)
            self._single("resident, idle", f"{server.resident():.0f} MB", "≤ 80 MB", "515 MB")
            await _prepare(server)
            for case in CASES:
                await self._measure(server, plain, case)
            await self._watches(server, folder / "speed")
        if memory:
            await self._memory(folder, Pod.resource, 1500, "≤ 350 MB", "")
            await self._memory(folder, ConfigMap.resource, 1000, "≤ 250 MB", "1.9 GB")
            await self._full_start(folder / ConfigMap.resource.plural)

    async def _measure(self, server: Running, plain: str, case: Case) -> None:
        loads, floor = [], []
        for run in range(self._runs):
            name = f"{case.path.split('/')[-1].partition('?')[0]}-{run}"
            lua = script(server.access.token, case.method, case.path, case.body, name)
            loads.append(
                await wrk(
                    server.access.server, lua, connections=case.connections, seconds=self._seconds
                )
            )
            lua = script("", "GET", "/", None, name)
            floor.append(
                await wrk(plain, lua, connections=case.connections, seconds=self._seconds / 2)
            )
        self.rows.append(_row(case.what, loads, floor, case.target, case.peer))

    async def _watches(self, server: Running, folder: Path) -> None:
        crowd, idle = await watch.measure(server, folder, self._seconds)
        for what, heard, target in (
            (f"watch: {watch.WATCHERS:,} watchers, {watch.RATE} writes/s", crowd, "≤ 200 ms, all"),
            ("watch: an idle watcher", idle, "p50 ≤ 3 ms"),
        ):
            figure = (
                f"p50 {heard.p50:.1f} ms, p99 {heard.p99:.1f} ms, longest {heard.longest:.1f} ms, "
                f"{heard.events:,} of {heard.expected:,} events"
            )
            self._single(what, figure, target, "")

    async def _starts(self, folder: Path) -> None:
        taken = []
        for run in range(self._runs + 1):
            async with argosy(folder / f"start-{run}") as server:
                taken.append(server.ready_after)
        low, middle, high = min(taken[1:]), statistics.median(taken[1:]), max(taken[1:])
        figure = f"{middle:.2f} s ({low:.2f}–{high:.2f})"
        self._single("start to ready, empty", figure, "≤ 0.6 s", "1.5–2.2 s")

    async def _memory(
        self, folder: Path, resource: Resource, size: int, target: str, peer: str
    ) -> None:
        async with argosy(folder / resource.plural) as server:
            await _fill(server, resource, MANY, size, "default")
            what = f"resident with {MANY:,} {resource.kind}s of {size / 1000:g} KB"
            self._single(what, f"{server.resident():.0f} MB", target, peer)

    async def _full_start(self, data: Path) -> None:
        async with argosy(data) as server:
            client = server.client
            await client.create(Namespace.resource, {"metadata": {"name": "more"}})
            await client.transport.close()
            await _fill(server, ConfigMap.resource, FULL - MANY, 1000, "more")
        async with argosy(data) as server:
            what = f"start to ready with {FULL:,} ConfigMaps of 1 KB"
            self._single(what, f"{server.ready_after:.2f} s", "≤ 3 s", "")

    def _single(self, what: str, figure: str, target: str, peer: str) -> None:
        self.rows.append(Row(what, figure, "", target, peer))


async def _prepare(server: Running) -> None:
    client = server.client
    await client.create(
        ConfigMap.resource,
        {"metadata": {"name": "one", "namespace": "default"}, "data": {"a": "b"}},
    )
    await client.create(Namespace.resource, {"metadata": {"name": "many"}})
    await client.transport.close()
    await _fill(server, Pod.resource, 500, 1500, "many")


async def _fill(server: Running, resource: Resource, count: int, size: int, namespace: str) -> None:
    """Create `count` objects of `size` bytes as stored, managed fields included."""
    body = json.loads((BODIES / FILLING[resource.kind]).read_text())
    client = server.client

    async def make(name: str, padding: int) -> int:
        meta = {**body["metadata"], "name": name, "namespace": namespace}
        meta["annotations"] = {"bench": "x" * padding}
        made = await client.create(resource, {**body, "metadata": meta})
        return len(msgspec.json.encode(made))

    padding = max(0, size - await make("filled-00000", 0))

    async def worker(start: int) -> None:
        for i in range(start, count, 32):
            await make(f"filled-{i:05}", padding)

    await asyncio.gather(*(worker(start) for start in range(1, 33)))
    await client.transport.close()


def _print(rows: Sequence[Row], form: str) -> None:
    if form == "json":
        sys.stdout.write(json.dumps([asdict(row) for row in rows], ensure_ascii=False) + "\n")
        return
    table = Table("", "argosy", "bare server", "target", "kube-apiserver + etcd")
    for row in rows:
        table.add_row(row.what, row.figure, row.bare, row.target, row.kubernetes)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python bench/api.py", description=__doc__)
    parser.add_argument("-o", choices=("table", "json"), default="table", dest="form")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--no-memory", action="store_true", help="leave the 40,000 objects out")
    given = parser.parse_args()
    bench = Bench(given.runs, given.seconds)
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(bench.run(Path(folder), memory=not given.no_memory))
    except LoadError as error:
        sys.stderr.write(f"error: {error}\nhint: this benchmark needs wrk\n")
        return 1
    finally:
        _print(bench.rows, given.form)
    return 0


if __name__ == "__main__":
    sys.exit(main())
