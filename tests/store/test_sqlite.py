"""What only the SQLite store has to promise: group commits, failing disks, restarts."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import uvloop

from argosy.store import sqlite
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
from tests.store.disk import Disk, floor, open_on_disk, revisions


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


class Begun(threading.Event):
    """Notes what those who waited for it got."""

    seen: ClassVar[list[bool]] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seen.append(super().wait(5.0))
        return self.seen[-1]


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_commit_that_is_hastened_has_begun_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    monkeypatch.setattr(sqlite, "Event", Begun)
    monkeypatch.setattr(Begun, "seen", [])
    store, _ = open_on_disk(tmp_path)
    store.hasten(lambda: wanted)
    await store.write("/a", put(b"1"))
    await store.write("/b", put(b"2"))
    assert Begun.seen == [True, True] * wanted
    await store.close()


async def test_it_tells_how_long_commits_take_lately(tmp_path: Path) -> None:
    store, disk = open_on_disk(tmp_path)
    assert store.commit_seconds == 0
    await store.write("/a", put(b"quick"))
    quick = store.commit_seconds
    task = await held(store, disk, "/b")
    await asyncio.sleep(0.02)  # the commit is in a thread: there is no other clock to hold it by
    disk.release()
    await task
    assert store.commit_seconds > quick + 0.001
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
    assert floor(tmp_path) > 1
    store.compact(store.revision)
    await store.close()
    assert revisions(tmp_path) == [store.revision]


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
    assert revisions(tmp_path) == [4]

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
    assert revisions(tmp_path) == []

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
    assert len(revisions(tmp_path)) <= 3 + limit + TRIM_FROM + 3
    await store.close()
    assert len(revisions(tmp_path)) <= 3 + limit


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
    assert revisions(tmp_path / "crashed") == [last.revision]


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
    assert revisions(tmp_path) == list(range(27, 32))  # and what the oldest replaced


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
