"""A store that seals by other keys from one moment to the next, and never loses a value."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from argosy.store.ciphers import Cbc, Gcm
from argosy.store.folder import FILE
from argosy.store.interface import StoreUnavailableError
from argosy.store.kms.keeper import WELL_SECONDS
from argosy.store.rekeying import RETRY_SECONDS, Rekeying
from argosy.store.sealing import MARK, PLAIN, Lock, SealError, Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock
from tests.store.builders import put
from tests.store.kms.plugin import FakePlugin, served
from tests.store.kms.test_keeper import Kit
from tests.store.test_sealing import (
    HISTORY,
    NEW,
    OLD,
    POD,
    SECRET,
    WORD,
    Deadly,
    filled,
    held,
    lock,
    raw,
    sealing,
    value,
)


@asynccontextmanager
async def kept(
    folder: Path, how: Sealing, clock: FakeClock | None = None
) -> AsyncIterator[tuple[SqliteStore, Rekeying]]:
    """A store, and who looks after its keys."""
    store = SqliteStore.open(folder, sealing=how)
    rekeying = Rekeying(store, folder, how, clock or FakeClock())
    task = asyncio.create_task(rekeying.run())
    try:
        async with asyncio.timeout(10):
            yield store, rekeying
    finally:
        task.cancel()
        await store.close()


async def until_gone(folder: Path, prefix: bytes) -> None:
    """Wait until no row is sealed so."""
    import sqlite3
    from contextlib import closing

    while True:
        with closing(sqlite3.connect(folder / FILE)) as connection:
            rows = connection.execute("SELECT value FROM change WHERE value IS NOT NULL")
            if not any(found.startswith(prefix) for (found,) in rows):
                return
        await asyncio.sleep(0.005)


async def test_the_first_key_of_the_new_one_seals_and_all_is_sealed_anew(tmp_path: Path) -> None:
    await filled(tmp_path, sealing(OLD))
    async with kept(tmp_path, sealing(OLD)) as (store, rekeying):
        await rekeying.adopt(sealing(NEW, OLD))
        await store.write("//secrets/default/c", put(value(9)))
        await until_gone(tmp_path, OLD.prefix)
        await rekeying.adopt(sealing(NEW))
    assert (await held(tmp_path, sealing(NEW)))[:5] == HISTORY
    assert WORD not in raw(tmp_path)


async def test_what_was_plain_is_sealed_and_what_was_sealed_plain(tmp_path: Path) -> None:
    await filled(tmp_path, None)
    async with kept(tmp_path, Sealing()) as (_, rekeying):
        await rekeying.adopt(sealing(NEW, *PLAIN))
        await until_gone(tmp_path, b'{"data"')
        await rekeying.adopt(sealing(*PLAIN, NEW))
        await until_gone(tmp_path, MARK)
    assert await held(tmp_path, None) == HISTORY


async def test_a_start_leaves_no_trace_of_what_was_plain(tmp_path: Path) -> None:
    await filled(tmp_path, None)
    async with kept(tmp_path, Sealing()) as (_, rekeying):
        await rekeying.adopt(sealing(NEW, *PLAIN))
        await until_gone(tmp_path, b'{"data"')
    assert await held(tmp_path, sealing(NEW)) == HISTORY
    assert WORD not in raw(tmp_path)


@pytest.mark.parametrize(
    ("locks", "words"),
    [
        ((NEW,), "sealed by aesgcm key 'old', which the configuration of encryption does not have"),
        ((*PLAIN, NEW), "sealed by aesgcm key 'old'"),
        ((NEW, lock("old", b"x" * 32)), "does not open: the key was another one"),
        ((), "which the configuration of encryption does not have"),
    ],
)
async def test_without_a_key_that_is_needed_nothing_changes(
    tmp_path: Path, locks: tuple[Lock, ...], words: str
) -> None:
    await filled(tmp_path, sealing(OLD))
    async with kept(tmp_path, sealing(OLD)) as (store, rekeying):
        with pytest.raises(SealError, match=words):
            await rekeying.adopt(sealing(*locks) if locks else Sealing())
        await store.write("//secrets/default/c", put(value(9)))
    assert NEW.prefix not in raw(tmp_path)
    assert (await held(tmp_path, sealing(OLD)))[:5] == HISTORY


async def test_a_value_of_history_needs_its_key_too(tmp_path: Path) -> None:
    await filled(tmp_path, sealing(OLD))
    async with kept(tmp_path, sealing(NEW, OLD)) as (store, rekeying):
        await store.write(POD, put(b"{}"))
        wanted = Sealing({"pods.": (NEW,)})
        with pytest.raises(SealError, match="the value of //secrets/default/a is sealed"):
            await rekeying.adopt(wanted)


async def test_a_cipher_that_can_not_tell_is_found_out(tmp_path: Path) -> None:
    class Garbling(Cbc):
        def open(self, sealed: bytes, place: bytes) -> bytes:
            return b"!" + super().open(sealed, place)

    name = MARK + b"aescbc:v1:old:"
    await filled(tmp_path, sealing(Lock(name, Cbc(b"k" * 32))))
    async with kept(tmp_path, sealing(Lock(name, Cbc(b"k" * 32)))) as (_, rekeying):
        with pytest.raises(SealError, match="opens to something else than what it is"):
            await rekeying.adopt(sealing(NEW, Lock(name, Garbling(b"k" * 32))))


async def test_writes_that_come_while_it_looks_count_too(tmp_path: Path) -> None:
    """What is written by the old key after the first look is looked at in the second."""
    await filled(tmp_path, Sealing())
    async with kept(tmp_path, sealing(OLD, *PLAIN)) as (store, rekeying):
        await store.write(POD, put(b"{}"))
        await until_gone(tmp_path, b'{"data"')
        after = store.revision
        await store.write("//secrets/default/c", put(value(9)))
        with pytest.raises(SealError, match="//secrets/default/c"):
            await store.adopt(sealing(NEW), after)
        await store.adopt(sealing(NEW, OLD), after)
        assert rekeying.sealing.sealed(SECRET, b"{}").startswith(NEW.prefix)


async def test_a_closed_store_changes_nothing_any_more(tmp_path: Path) -> None:
    how = sealing(OLD)
    store = SqliteStore.open(tmp_path, sealing=how)
    await store.close()
    with pytest.raises(StoreUnavailableError):
        await store.adopt(sealing(NEW, OLD))
    assert how.sealed(SECRET, b"{}").startswith(OLD.prefix)


async def test_a_reseal_that_fails_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path, sealing(OLD))
    clock, tries = FakeClock(), count()
    async with kept(tmp_path, sealing(OLD), clock) as (store, rekeying):
        real = store.reseal

        async def reseal() -> None:
            if not next(tries):
                raise StoreUnavailableError("full")
            await real()

        monkeypatch.setattr(store, "reseal", reseal)
        await rekeying.adopt(sealing(NEW, OLD))
        await clock.advance(0)
        assert OLD.prefix in raw(tmp_path)
        await clock.advance(RETRY_SECONDS)
        await until_gone(tmp_path, OLD.prefix)


async def test_to_a_plugin_and_to_its_next_key(tmp_path: Path) -> None:
    kit, plugin = Kit(tmp_path), FakePlugin()
    kit.plugin = plugin
    await filled(kit.folder, sealing(OLD))
    prefix = MARK + b"kms:v2:vault:"
    with served(plugin, kit.socket):
        async with kept(kit.folder, sealing(OLD), kit.clock) as (store, rekeying):
            kit.configure(kit.kms())
            with pytest.raises(SealError):  # without the old key
                await rekeying.adopt(kit.sealing())
            wanted = kit.sealing()
            both = Sealing({"secrets.": (*wanted._of(SECRET), OLD)})
            await rekeying.adopt(both)
            await until_gone(kit.folder, OLD.prefix)
            assert rekeying.sealing.remotes == wanted.remotes
            plugin.rotate("key-2")
            await kit.clock.advance(WELL_SECONDS)
            while rekeying.sealing.remotes[0].key_id != "key-2":
                await asyncio.sleep(0.005)
            await store.write("//secrets/default/c", put(value(9)))
            await rekeying.adopt(Sealing({"secrets.": (OLD, *wanted._of(SECRET))}))
            await until_gone(kit.folder, prefix)
    assert (await held(kit.folder, sealing(OLD)))[:5] == HISTORY


async def test_a_plugin_that_is_down_changes_nothing(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    await filled(kit.folder, sealing(OLD))
    async with kept(kit.folder, sealing(OLD)) as (store, rekeying):
        with pytest.raises(SealError, match="vault"):
            await rekeying.adopt(kit.sealing())
        await store.write("//secrets/default/c", put(value(9)))
    assert (await held(kit.folder, sealing(OLD)))[:5] == HISTORY


class Looking(Deadly):
    """Kills its process when it is asked to open the value of that number."""

    def open(self, sealed: bytes, place: bytes) -> bytes:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._cipher.open(sealed, place)


def change_and_die(folder: str, number: int, *, looking: bool) -> None:
    """Take other keys over, and do not survive it."""

    async def run() -> None:
        old = Lock(OLD.prefix, Looking(Gcm(b"o" * 32), number)) if looking else OLD
        new = NEW if looking else Lock(NEW.prefix, Deadly(Gcm(b"n" * 32), number))
        async with kept(Path(folder), sealing(OLD)) as (_, rekeying):
            await rekeying.adopt(sealing(new, old))
            await asyncio.sleep(9)

    asyncio.run(run())


def killed(code: str) -> list[str]:
    """What a child printed before it was killed."""
    head = f"from {__name__} import *; "
    done = subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, check=False, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("number", "looking"), [(1, True), (3, True), (1, False), (3, False)])
async def test_a_kill_loses_nothing(tmp_path: Path, number: int, looking: bool) -> None:
    """While it looks, and while it seals anew."""
    await filled(tmp_path, sealing(OLD))
    killed(f"{change_and_die.__name__}({str(tmp_path)!r}, {number}, looking={looking})")
    assert await held(tmp_path, sealing(OLD, NEW)) == HISTORY
    assert await held(tmp_path, sealing(NEW, OLD)) == HISTORY


def write_and_die(folder: str, seed: int) -> None:
    """Write on while keys are rotated again and again, print what is acknowledged, and die."""
    chance = random.Random(seed)

    async def write(store: SqliteStore, writer: int) -> None:
        for number in count():
            key = f"//secrets/{writer}/{number % 5}"
            record = await store.write(key, put(value(number)))
            assert record is not None
            os.write(1, f"{key} {number}\n".encode())

    async def rotate(rekeying: Rekeying) -> None:
        for number in range(chance.randrange(2, 12)):
            first, second = (NEW, OLD) if number % 2 == 0 else (OLD, NEW)
            with suppress(SealError):
                await rekeying.adopt(sealing(first))  # lacks what the others are sealed by
            await rekeying.adopt(sealing(first, second))
            await asyncio.sleep(chance.random() / 50)
        os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        async with kept(Path(folder), sealing(OLD)) as (store, rekeying):
            await asyncio.gather(rotate(rekeying), *(write(store, one) for one in range(6)))

    asyncio.run(run())


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_acknowledged_write_is_lost_by_a_kill_among_rotations(
    tmp_path: Path, seed: int
) -> None:
    lines = killed(f"{write_and_die.__name__}({str(tmp_path)!r}, {seed})")
    assert len(lines) > 20
    newest = dict(line.split() for line in lines)
    store = SqliteStore.open(tmp_path, sealing=sealing(NEW, OLD))
    for key, number in newest.items():
        record = store.get(key)
        assert record is not None
        assert int(record.value.rpartition(b":")[2][:-1]) >= int(number)
    await store.close()
