"""How fast the store is: `python -m bench.store [FOLDER]` prints a table for both kinds.

FOLDER is where the SQLite files go for the time of the run, by default the temporary folder; what
counts is the disk it is on.
"""

import asyncio
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from timeit import repeat

import uvloop
from rich.console import Console
from rich.table import Table

from argosy.store.interface import Record, Store
from argosy.store.memory import MemoryStore
from argosy.store.sqlite import SqliteStore

WRITERS = (1, 16, 64)
SECONDS = 1.5
RECORDS = 40_000
VALUE = b"x" * 630  # a small Pod


def _mutate(_now: Record | None, revision: int) -> bytes:
    return VALUE + str(revision).encode()


async def _writer(store: Store, name: str, until: float, taken: list[float]) -> None:
    i = 0
    while (start := time.perf_counter()) < until:
        await store.write(f"/pods/{name}/{i % 1000}", _mutate)
        taken.append(time.perf_counter() - start)
        await asyncio.sleep(0)  # a memory store never waits
        i += 1


async def _writes(store: Store, writers: int) -> tuple[str, str]:
    taken: list[float] = []
    start = time.perf_counter()
    tasks = (_writer(store, f"w{i}", start + SECONDS, taken) for i in range(writers))
    await asyncio.gather(*tasks)
    rate = len(taken) / (time.perf_counter() - start)
    p99 = quantiles(taken, n=100)[98]
    return f"{rate:,.0f}/s", f"{median(taken) * 1e3:.2f} / {p99 * 1e3:.2f} ms"


async def _fill(store: Store) -> str:
    """Adds the records; returns the memory that one takes beyond its value."""
    store.compact(store.revision)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for i in range(0, RECORDS, 500):
        keys = (f"/filled/ns{i // 500}/{j:03d}" for j in range(500))
        await asyncio.gather(*(store.write(key, _mutate) for key in keys))
    store.compact(store.revision)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return f"{(after - before) / RECORDS - len(VALUE):.0f} bytes"


def _listing(store: Store) -> str:
    assert len(store.list("/filled/ns40/")) == 500
    best = min(repeat(lambda: store.list("/filled/ns40/"), number=50, repeat=5)) / 50
    return f"{best * 1e6:.0f} µs"


async def _measure(opened: Callable[[], Store]) -> list[tuple[str, str]]:
    store, rows = opened(), []
    for writers in WRITERS:
        rate, latency = await _writes(store, writers)
        rows += [(f"writes, {writers} writers", rate), ("  p50 / p99", latency)]
    rows.append((f"memory of a record beside its {len(VALUE)} bytes", await _fill(store)))
    rows.append((f"list 500 of {RECORDS:,}", _listing(store)))
    await store.close()
    start = time.perf_counter()
    await opened().close()
    return [*rows, ("open again", f"{(time.perf_counter() - start) * 1e3:.0f} ms")]


def main() -> None:
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        memory = uvloop.run(_measure(MemoryStore))
        sqlite = uvloop.run(_measure(lambda: SqliteStore.open(Path(folder))))
    table = Table("", "memory", "sqlite")
    for (name, left), (_, right) in zip(memory, sqlite, strict=True):
        table.add_row(name, left, right)
    Console().print(table)


if __name__ == "__main__":
    main()
