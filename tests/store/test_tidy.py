"""The file of a SQLite store holds what is needed, and hardly more."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from argosy.store.database import SPARE_PAGES, Database
from argosy.store.folder import FILE, WAL_BYTES, connected
from argosy.store.interface import Change, StoreUnavailableError
from argosy.store.sqlite import TRIM_MOST, SqliteStore
from tests.store.builders import delete, put
from tests.store.disk import floor, open_on_disk, revisions


async def tidied(store: SqliteStore) -> None:
    """Tidy until nothing is left to do."""
    while await store.tidy():
        pass


async def test_tidying_leaves_the_file_with_what_is_needed(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    for value in (b"old", b"new"):
        await asyncio.gather(*(store.write(f"/{i}", put(value)) for i in range(TRIM_MOST + 9)))
    store.compact(store.revision)
    await tidied(store)
    assert disk.tidied == [TRIM_MOST, 9]
    assert revisions(tmp_path) == sorted(record.revision for record in store.list(""))
    assert floor(tmp_path) == store.revision
    assert not await store.tidy()
    assert disk.tidied[2:] == [0]
    await store.close()


async def test_tidying_and_writes_take_turns(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    for value in (b"old", b"new"):
        await asyncio.gather(*(store.write(f"/{i}", put(value)) for i in range(TRIM_MOST * 4)))
    store.compact(store.revision)

    async def write_on(key: str) -> None:
        while not tidying.done():
            await store.write(key, put(b"x"))

    disk.order.clear()
    tidying = asyncio.create_task(tidied(store))
    writers = [asyncio.create_task(write_on(f"/{i}")) for i in range(3)]
    async with asyncio.timeout(5):
        await asyncio.gather(tidying, *writers)
    last = len(disk.order) - disk.order[::-1].index("tidy")
    assert disk.order[:last] == (["tidy", "batch"] * 10)[:last]
    assert last >= 3
    await store.close()


async def test_tidying_that_is_refused_takes_no_write_with_it(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    disk.failing = {"tidy"}
    tidying = asyncio.create_task(store.tidy())
    results = await asyncio.gather(*(store.write(f"/{i}", put(b"x")) for i in range(10)))
    assert len(results) == 10
    with pytest.raises(StoreUnavailableError, match="tidying the store: database or disk is full"):
        await tidying
    disk.failing = set()
    await store.tidy()
    await store.close()


@pytest.mark.parametrize("cancelled", [False, True])
async def test_close_waits_for_a_bite_under_way(tmp_path: Path, cancelled: bool) -> None:
    store, disk = open_on_disk(tmp_path)
    disk.holding = True
    tidying = asyncio.create_task(store.tidy())
    assert await asyncio.to_thread(disk.committing.wait, 5)
    if cancelled:
        tidying.cancel()
    ending = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    assert not ending.done()
    disk.release()
    await ending
    await asyncio.gather(tidying, return_exceptions=True)
    await SqliteStore.open(tmp_path).close()


async def test_a_commit_after_a_bite_means_an_fsync_again(tmp_path: Path) -> None:
    with connected(tmp_path / FILE) as connection:
        database = Database(connection)
        for floor in (5, None):
            database.tidy([], floor)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        database.begin([Change("/a", 9, b"x", None)])  # and failed, say
        assert not database.tidy([], None)
        assert connection.execute("SELECT * FROM change").fetchall() == []
        connection.execute("DROP TABLE history")
        with pytest.raises(sqlite3.OperationalError):
            database.tidy([], 6)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_the_file_shrinks_when_its_objects_go(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    keys = [f"/{i}" for i in range(3000)]
    await asyncio.gather(*(store.write(key, put(b"x" * 4000)) for key in keys))
    await asyncio.gather(*(store.write(key, delete) for key in keys))
    store.compact(store.revision)
    _checkpoint(tmp_path)
    before = (tmp_path / FILE).stat().st_size
    await tidied(store)
    _checkpoint(tmp_path)
    after = (tmp_path / FILE).stat().st_size
    spare = (SPARE_PAGES + 10) * 4096
    assert after < spare < before
    assert len(disk.tidied) > 3000 / TRIM_MOST  # and went on when all was trimmed
    await store.close()


def _checkpoint(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0


async def test_the_log_is_cut_back_when_a_long_reader_is_gone(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    log = tmp_path / f"{FILE}-wal"
    await store.write("/a", put(b"x"))
    with closing(sqlite3.connect(tmp_path / FILE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM history").fetchall()
        for i in range(10):
            await store.write(f"/{i}", put(b"x" * 2**21))
        assert log.stat().st_size > WAL_BYTES
    for _ in range(2):
        await store.write("/a", put(b"x" * 2**13))
    assert log.stat().st_size <= WAL_BYTES
    await store.close()
