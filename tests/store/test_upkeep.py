"""What happens to a store from time to time, by a clock that moves when told to."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from argosy.store.database import DamageError
from argosy.store.folder import FILE
from argosy.store.interface import CompactedError, StoreUnavailableError
from argosy.store.log import Limits
from argosy.store.memory import MemoryStore
from argosy.store.sqlite import SqliteStore
from argosy.store.upkeep import BITE_ROWS, CHECK_SECONDS, TICK_SECONDS, Aging, Upkeep, check
from argosy.testing.clock import FakeClock
from tests.store.builders import Jumping, delete, lose_a_row, put


def floor(store: MemoryStore) -> int:
    """The oldest revision that can be looked at."""
    try:
        store.page("", revision=1)
    except CompactedError as error:
        return error.oldest - 1
    return 1


async def test_history_is_kept_as_long_as_it_shall_and_hardly_longer() -> None:
    store, clock = MemoryStore(), FakeClock()
    aging = Aging(store, clock, 300)
    for _ in range(100):
        await store.write("/a", put(b"x"))
        aging.tick()
        await clock.advance(10)
    # One change every ten seconds, the newest ten seconds ago.
    assert store.revision == 101
    aging.tick()
    assert floor(store) == 101 - 29
    await clock.advance(1000)
    aging.tick()
    assert floor(store) == 101


async def test_what_is_there_at_the_first_tick_is_as_old_as_that_tick() -> None:
    store, clock = MemoryStore(), FakeClock()
    await store.write("/a", put(b"x"))
    await clock.advance(1000)
    aging = Aging(store, clock, 300)
    aging.tick()
    await clock.advance(299)
    aging.tick()
    assert floor(store) == 1
    await clock.advance(1)
    aging.tick()
    assert floor(store) == 2


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(days=365)])
async def test_a_jump_of_the_clock_changes_nothing(jump: timedelta) -> None:
    store, clock = MemoryStore(), Jumping()
    aging = Aging(store, clock, 300)
    for i in range(60):
        if i == 30:
            clock.offset = jump
        await store.write("/a", put(b"x"))
        aging.tick()
        await clock.advance(10)
    assert floor(store) == 61 - 30


@asynccontextmanager
async def kept_up(folder: Path, clock: FakeClock, seconds: float) -> AsyncIterator[SqliteStore]:
    store = SqliteStore.open(folder)
    upkeep = Upkeep(store, folder, clock, limits=Limits(seconds=seconds))
    running = asyncio.create_task(upkeep.run())
    try:
        yield store
    finally:
        running.cancel()
        await asyncio.wait([running])
        await store.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let threads and tasks run until it holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


def rows(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM change").fetchone()
        return int(number)


async def test_old_history_leaves_the_file_of_a_quiet_store(tmp_path: Path) -> None:
    clock = FakeClock()
    async with kept_up(tmp_path, clock, seconds=15) as store:
        await asyncio.gather(*(store.write("/a", put(b"x")) for _ in range(20)))
        assert rows(tmp_path) == 20
        began = clock.monotonic()
        async with asyncio.timeout(5):
            while rows(tmp_path) > 1:
                await clock.advance(TICK_SECONDS)
        assert clock.monotonic() - began >= 15


def spoil(folder: Path, revision: int) -> None:
    """Let a bit of the value of a row rot."""
    path = folder / FILE
    content = bytearray(path.read_bytes())
    content[content.index(b"value %d;" % revision)] ^= 1
    path.write_bytes(content)


async def stored(folder: Path, number: int) -> None:
    """A store whose rows are all in its one file."""
    store = SqliteStore.open(folder)
    keys = (f"/{i}" for i in range(number))
    await asyncio.gather(
        *(store.write(key, lambda _now, revision: b"value %d;" % revision) for key in keys)
    )
    await store.close()


class Counting(FakeClock):
    """A clock whose time flies."""

    pauses = 0

    async def sleep(self, seconds: float) -> None:
        self.pauses += 1
        await asyncio.sleep(0)


@pytest.mark.parametrize("revision", [2, BITE_ROWS + 1, BITE_ROWS * 3])
async def test_a_check_finds_a_rotten_bit(tmp_path: Path, revision: int) -> None:
    await stored(tmp_path, BITE_ROWS * 3)
    clock = Counting()
    await check(tmp_path / FILE, clock)
    assert clock.pauses == 3
    spoil(tmp_path, revision)
    with pytest.raises(DamageError, match=f"checksum of revision {revision} is wrong"):
        await check(tmp_path / FILE, clock)


async def test_a_check_finds_what_is_wrong_with_the_structure(tmp_path: Path) -> None:
    await stored(tmp_path, 500)
    await check(tmp_path / FILE, Counting())
    lose_a_row(tmp_path / FILE)
    with pytest.raises(DamageError):
        await check(tmp_path / FILE, Counting())


async def test_a_check_in_use_sees_what_comes_and_goes(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    checking = asyncio.create_task(check(tmp_path / FILE, Counting()))
    while not checking.done():
        await store.write("/a", put(b"x"))
        await store.write("/a", delete)
        store.compact(store.revision)
        await store.tidy()
    await checking
    await store.close()


async def test_damage_is_reported_and_never_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(tmp_path, 3)
    clock = FakeClock()
    async with kept_up(tmp_path, clock, seconds=300) as store:
        spoil(tmp_path, 3)
        with caplog.at_level(logging.ERROR):
            await clock.advance(CHECK_SECONDS)
            await until(lambda: bool(caplog.records))
        (record,) = caplog.records
        assert "is damaged" in record.getMessage()
        assert "revision 3" in record.__dict__["error"]
        assert [found.value for found in store.list("")] == [b"value 2;", b"value 3;", b"value 4;"]
        await store.write("/b", put(b"x"))
        caplog.clear()


async def test_a_full_disk_is_reported_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    tries = 0

    async def refuse() -> bool:
        nonlocal tries
        tries += 1
        raise StoreUnavailableError("tidying the store: disk full")

    async with kept_up(tmp_path, clock, seconds=300) as store:
        monkeypatch.setattr(store, "tidy", refuse)
        for _ in range(3):
            await clock.advance(TICK_SECONDS)
    assert tries == 4
    assert {record.levelname for record in caplog.records} == {"WARNING"}
