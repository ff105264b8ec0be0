"""What only the SQLite store has to promise: group commits, failing disks, restarts."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import uvloop

from argosy.store.database import SPARE_PAGES, Database
from argosy.store.folder import FILE, WAL_BYTES, connected, locked
from argosy.store.interface import (
    Change,
    CompactedError,
    Mutation,
    Record,
    StoreUnavailableError,
)
from argosy.store.log import Limits
from argosy.store.sqlite import TRIM_FROM, TRIM_MOST, SqliteStore
from tests.store.builders import delete, largest_file, put


class Disk:
    """A real database that holds its commits at a gate, and fails where told to."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.holding = False
        self.gate = threading.Semaphore(0)
        self.committing = threading.Event()
        self.failing: set[str] = set()
        self.batches: list[int] = []
        self.trims = 0
        self.tidied: list[int] = []
        self.order: list[str] = []

    def release(self) -> None:
        """Let the commit at the gate go, and all that come after it."""
        self.holding = False
        self.gate.release()

    def _step(self, name: str) -> None:
        if name in self.failing:
            raise sqlite3.OperationalError("database or disk is full")

    def begin(self, changes: Sequence[Change]) -> None:
        self.database.begin(changes)
        self.batches.append(len(changes))
        self.order.append("batch")
        self._step("begin")

    def trim(self, dropped: Sequence[int], floor: int) -> None:
        self.trims += 1
        self.database.trim(dropped, floor)
        self._step("trim")

    def end(self) -> None:
        self.committing.set()
        assert not self.holding or self.gate.acquire(timeout=5)
        self._step("end")
        self.database.end()

    def tidy(self, dropped: Sequence[int], floor: int | None) -> bool:
        self.committing.set()
        assert not self.holding or self.gate.acquire(timeout=5)
        self._step("tidy")
        self.tidied.append(len(dropped))
        self.order.append("tidy")
        return self.database.tidy(dropped, floor)


def open_on_disk(folder: Path, limits: Limits | None = None) -> tuple[SqliteStore, Disk]:
    with ExitStack() as files:
        files.enter_context(locked(folder))
        disk = Disk(Database(files.enter_context(connected(folder / FILE))))
        state, dropped = disk.database.load(limits or Limits())
        return SqliteStore(disk, state, dropped, files.pop_all()), disk


async def held(store: SqliteStore, disk: Disk, key: str) -> asyncio.Task[Record | None]:
    """A write whose commit has begun and waits at the gate."""
    disk.holding = True
    task = asyncio.create_task(store.write(key, put(b"held")))
    assert await asyncio.to_thread(disk.committing.wait, 5)
    return task


async def test_while_a_commit_is_under_way_mutations_see_it_and_readers_do_not(
    tmp_path: Path,
) -> None:
    store, disk = open_on_disk(tmp_path)
    first = await held(store, disk, "/a")
    seen: list[tuple[Record | None, int]] = []

    def mutate(now: Record | None, revision: int) -> bytes:
        seen.append((now, revision))
        return b"second"

    second = asyncio.create_task(store.write("/a", mutate))
    reader = asyncio.create_task(anext(store.watch("/", 1)))
    await asyncio.sleep(0)
    assert seen == [(Record("/a", b"held", 2), 3)]
    assert (store.revision, store.get("/a"), store.list("/")) == (1, None, [])
    assert not first.done() and not second.done() and not reader.done()

    disk.release()
    assert await first == Record("/a", b"held", 2)
    assert await second == Record("/a", b"second", 3)
    assert await reader == Change("/a", 2, b"held", None)
    await store.close()


async def test_a_pending_write_stays_on_top_when_an_older_one_is_durable(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    first = await held(store, disk, "/a")
    second = asyncio.create_task(store.write("/a", put(b"second")))
    await asyncio.sleep(0)
    disk.gate.release()  # for the first only
    await first
    third = asyncio.create_task(store.write("/a", lambda now, _: now and now.value + b", third"))
    await asyncio.sleep(0)
    assert store.get("/a") == Record("/a", b"held", 2)

    disk.release()
    assert await second == Record("/a", b"second", 3)
    assert await third == Record("/a", b"second, third", 4)
    await store.close()


async def test_what_a_caller_learns_of_a_pending_write_waits_for_it(tmp_path: Path) -> None:
    def refuse(now: Record | None, _revision: int) -> bytes:
        raise FileExistsError(now)

    store, disk = open_on_disk(tmp_path)
    first = await held(store, disk, "/a")
    reader = asyncio.create_task(store.write("/a", lambda _now, _revision: None))
    refused = asyncio.create_task(store.write("/a", refuse))
    await asyncio.sleep(0)
    assert not reader.done() and not refused.done()
    assert await store.write("/b", lambda _now, _revision: None) is None

    disk.release()
    assert await reader == await first == store.get("/a")
    with pytest.raises(FileExistsError):
        await refused
    await store.close()


async def test_writes_that_come_during_a_commit_share_the_next(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    first = await held(store, disk, "/first")
    others = [asyncio.create_task(store.write(f"/{i}", put(b"x"))) for i in range(30)]
    await asyncio.sleep(0)
    disk.release()
    await asyncio.gather(first, *others)
    assert disk.batches == [1, 30]
    await store.close()


@pytest.mark.parametrize("step", ["begin", "end"])
async def test_a_refused_commit_takes_all_that_rests_on_it_and_nothing_else(
    tmp_path: Path, step: str
) -> None:
    store, disk = open_on_disk(tmp_path)
    await store.write("/kept", put(b"kept"))
    first = await held(store, disk, "/a")
    outcomes: tuple[Mutation, ...] = (put(b"b"), delete, lambda _now, _revision: None)
    others = [asyncio.create_task(store.write("/a", outcome)) for outcome in outcomes]
    others.append(asyncio.create_task(store.write("/kept", put(b"changed"))))
    await asyncio.sleep(0)
    disk.failing = {step}  # with "begin" it is the second batch that fails
    disk.release()
    results = await asyncio.gather(first, *others, return_exceptions=True)

    refused = [isinstance(result, StoreUnavailableError) for result in results]
    if step == "begin":
        assert refused == [False, True, True, True, True]
        expected = {"/a": b"held", "/kept": b"kept"}
    else:
        assert refused == [True] * 5
        expected = {"/kept": b"kept"}
    assert {record.key: record.value for record in store.list("/")} == expected
    assert "disk is full" in str(results[-1])
    await _works_again(store, disk, expected, tmp_path)


async def _works_again(
    store: SqliteStore, disk: Disk, expected: dict[str, bytes], folder: Path
) -> None:
    before, watch = store.revision, store.watch("/", store.revision)
    with pytest.raises(StoreUnavailableError):
        await store.write("/again", put(b"again"))
    disk.failing = set()
    assert await store.write("/a", lambda _now, _revision: None) == store.get("/a")
    assert await store.write("/again", put(b"again")) == Record("/again", b"again", before + 1)
    assert (await anext(watch)).revision == before + 1
    await store.close()

    reopened = SqliteStore.open(folder)
    found = {record.key: record.value for record in reopened.list("/")}
    assert found == {**expected, "/again": b"again"}
    assert reopened.revision == before + 1
    await reopened.close()


async def test_a_refused_trim_is_tried_again_but_not_with_every_write(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path, Limits(changes=1))
    disk.failing = {"trim"}
    for _ in range(32):  # 512 writes
        await asyncio.gather(
            *(store.write("/a", put(b"x")) for _ in range(16)), return_exceptions=True
        )
    assert disk.trims == 3  # at twice the distance each time
    disk.failing = set()
    while disk.trims == 3:
        await asyncio.gather(*(store.write("/a", put(b"x")) for _ in range(16)))
    assert _floor(tmp_path) > 1
    store.compact(store.revision)
    await store.close()
    assert _revisions(tmp_path) == [store.revision]


# Tidying


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
    assert _revisions(tmp_path) == [record.revision for record in _by_revision(store)]
    assert _floor(tmp_path) == store.revision
    assert not await store.tidy()
    assert disk.tidied[2:] == [0]
    await store.close()


def _by_revision(store: SqliteStore) -> list[Record]:
    return sorted(store.list(""), key=lambda record: record.revision)


def _floor(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        floor: int = connection.execute("SELECT floor FROM history").fetchone()[0]
        return floor


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


async def test_a_cancelled_close_can_be_called_again(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    first = await held(store, disk, "/a")
    closing_task = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    closing_task.cancel()
    disk.release()
    assert await first == Record("/a", b"held", 2)
    await store.close()
    await SqliteStore.open(tmp_path).close()


async def test_a_full_disk_refuses_the_write_and_later_ones_work(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    small, big = b"s" * 100, b"b" * 2**20
    await store.write("/small", put(small))
    with largest_file(2**18):
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await store.write("/big", put(big))
        await store.write("/small", put(small * 2))
    await store.write("/big", put(big))
    await store.close()

    reopened = SqliteStore.open(tmp_path)
    assert reopened.list("") == [Record("/big", big, 4), Record("/small", small * 2, 3)]
    await reopened.close()


# Restarts


def _revisions(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        query = "SELECT revision FROM change ORDER BY revision"
        return [revision for (revision,) in connection.execute(query)]


async def test_history_survives_a_restart(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    await store.write("/a", put(b"1"))
    await store.write("/a", put(b"2"))
    await store.write("/a", delete)
    await store.close()

    reopened = SqliteStore.open(tmp_path)
    watch = reopened.watch("/", 1)
    await reopened.close()
    assert [change async for change in watch] == [
        Change("/a", 2, b"1", None),
        Change("/a", 3, b"2", b"1"),
        Change("/a", 4, None, b"2"),
    ]


async def test_compaction_survives_a_restart_and_so_does_the_revision(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    for key in ("/a", "/b", "/a"):
        await store.write(key, put(b"x"))
    await store.write("/b", delete)
    store.compact(5)
    await store.close()
    assert _revisions(tmp_path) == [4]

    for _ in range(2):
        reopened = SqliteStore.open(tmp_path)
        assert reopened.revision == 5
        with pytest.raises(CompactedError):
            await anext(reopened.watch("/", 4))
        await reopened.close()


async def test_the_revision_survives_when_nothing_else_is_left(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    await store.write("/a", put(b"x"))
    await store.write("/a", delete)
    store.compact(store.revision)
    await store.close()
    assert _revisions(tmp_path) == []

    reopened = SqliteStore.open(tmp_path)
    assert await reopened.write("/a", put(b"x")) == Record("/a", b"x", 4)
    await reopened.close()


@pytest.mark.parametrize("last", [put(b"x"), delete], ids=["put", "delete"])
async def test_the_file_does_not_keep_what_history_forgot(tmp_path: Path, last: Mutation) -> None:
    limit = 10
    store, disk = open_on_disk(tmp_path, Limits(changes=limit))
    for i in range(TRIM_FROM):
        key = f"/{i % 3}"
        await asyncio.gather(*(store.write(key, mutate) for mutate in (put(b"x"), put(b"y"), last)))
    # Unlike the memory, the file is trimmed in bites.
    assert 1 <= disk.trims <= 6
    assert len(_revisions(tmp_path)) <= 3 + limit + TRIM_FROM + 3
    await store.close()
    assert len(_revisions(tmp_path)) <= 3 + limit


async def test_what_a_crash_left_untrimmed_is_found(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path / "live")
    keys = [f"/{i}" for i in range(TRIM_MOST)]
    for mutate in (put(b"x"), delete):
        await asyncio.gather(*(store.write(key, mutate) for key in keys))
    store.compact(store.revision)
    last = await store.write("/last", put(b"x"))
    assert last and disk.trims == 1
    # Between two commits, a copy of the files is what a crash would leave.
    shutil.copytree(tmp_path / "live", tmp_path / "crashed")
    await store.close()

    reopened = SqliteStore.open(tmp_path / "crashed")
    assert reopened.list("") == [last]
    await reopened.close()
    assert _revisions(tmp_path / "crashed") == [last.revision]


async def test_smaller_limits_hold_after_a_restart(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    for _ in range(30):
        await store.write("/a", put(b"x" * 100))
    await store.close()

    reopened = SqliteStore.open(tmp_path, limits=Limits(bytes=1000))
    with pytest.raises(CompactedError) as caught:
        await anext(reopened.watch("/", 1))
    assert caught.value.oldest == 31 - 4 + 1  # four entries of 202 bytes
    await reopened.close()
    assert _revisions(tmp_path) == list(range(27, 32))  # and what the oldest replaced


Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_it_runs_on_either_event_loop(tmp_path: Path, loop: Loop) -> None:
    async def main() -> int:
        store = SqliteStore.open(tmp_path)
        watch = store.watch("/", 1)
        await asyncio.gather(*(store.write(f"/{i}", put(b"x")) for i in range(20)))
        await store.close()
        return len([change async for change in watch])

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(main()) == 20
