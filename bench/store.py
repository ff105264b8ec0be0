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
from functools import partial
from math import inf
from pathlib import Path
from statistics import median, quantiles
from timeit import repeat

import uvloop
from rich.console import Console
from rich.table import Table

from argosy.store.interface import DELETE, Record, Store
from argosy.store.memory import MemoryStore
from argosy.store.sqlite import SqliteStore
from argosy.store.upkeep import PAUSE_SECONDS

WRITERS = (1, 16, 64)
SECONDS = 1.5
RECORDS = 40_000
CHANGES = 10_000
VALUE = b"x" * 630  # a small Pod


def _mutate(_now: Record | None, revision: int) -> bytes:
    return VALUE + str(revision).encode()


def _delete(_now: Record | None, _revision: int) -> object:
    return DELETE


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
    return f"{rate:,.0f}/s", _latency(taken)


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


async def _paging(store: Store) -> str:
    """A page of the newest list, and one of an older list."""
    revision = store.revision
    for i in range(0, CHANGES, 500):
        await asyncio.gather(*(store.write(f"/filled/new/{i + j}", _mutate) for j in range(500)))
    start, texts = "/filled/ns40/", []
    for at in (None, revision):
        page = partial(store.page, "/filled/", start_after=start, limit=500, revision=at)
        assert len(page().records) == 500
        texts.append(f"{min(repeat(page, number=5, repeat=5)) / 5 * 1e6:,.0f}")
    return f"{' / '.join(texts)} µs"


async def _tidy(store: SqliteStore) -> None:
    while await store.tidy():
        await asyncio.sleep(PAUSE_SECONDS)


async def _shrinking(store: Store) -> str:
    """The latency of writes while the file loses all its records."""
    keys = [record.key for record in store.list("/filled/")]
    for i in range(0, len(keys), 500):
        await asyncio.gather(*(store.write(key, _delete) for key in keys[i : i + 500]))
    store.compact(store.revision)
    if not isinstance(store, SqliteStore):
        return "-"
    taken: list[float] = []
    tidying = asyncio.create_task(_tidy(store))
    writers = [asyncio.create_task(_writer(store, f"w{i}", inf, taken)) for i in range(16)]
    await tidying
    for writer in writers:
        writer.cancel()
    await asyncio.wait(writers)
    return _latency(taken)


def _latency(taken: list[float]) -> str:
    return f"{median(taken) * 1e3:.2f} / {quantiles(taken, n=100)[98] * 1e3:.2f} ms"


async def _measure(opened: Callable[[], Store]) -> list[tuple[str, str]]:
    store, rows = opened(), []
    for writers in WRITERS:
        rate, latency = await _writes(store, writers)
        rows += [(f"writes, {writers} writers", rate), ("  p50 / p99", latency)]
    rows.append((f"memory of a record beside its {len(VALUE)} bytes", await _fill(store)))
    rows.append((f"list 500 of {RECORDS:,}", _listing(store)))
    await store.close()
    start = time.perf_counter()
    store = opened()
    rows.append(("open again", f"{(time.perf_counter() - start) * 1e3:.0f} ms"))
    if not isinstance(store, SqliteStore):
        await _fill(store)
    rows.append((f"page of 500, newest / {CHANGES:,} changes ago", await _paging(store)))
    rows.append(("writes, 16 writers, file shrinking, p50 / p99", await _shrinking(store)))
    await store.close()
    return rows


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
