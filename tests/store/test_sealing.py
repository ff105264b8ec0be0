"""A store whose values are sealed on the disk, and nowhere else."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from zlib import crc32

import pytest

from argosy.store.backup import back_up, restore
from argosy.store.ciphers import Cbc, Gcm
from argosy.store.folder import FILE
from argosy.store.interface import StoreOpenError
from argosy.store.log import Limits
from argosy.store.sealing import MARK, PLAIN, Lock, Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock
from tests.store.builders import delete, put

WORD = b"hunter2-is-the-password"
SECRET = "//secrets/default/a"
OTHER = "//secrets/default/b"
POD = "//pods/default/a"


def value(number: int = 0) -> bytes:
    return b'{"data":"%s","number":%d}' % (WORD, number)


def lock(name: str, secret: bytes | None = None) -> Lock:
    key = secret or name.encode()[:1] * 32
    return Lock(MARK + f"aesgcm:v1:{name}:".encode(), Gcm(key))


def sealing(*locks: Lock, resource: str = "secrets.") -> Sealing:
    return Sealing({resource: locks})


OLD, NEW = lock("old"), lock("new")


def raw(folder: Path) -> bytes:
    """All that the store's files hold."""
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.name != "store.lock")


async def filled(folder: Path, how: Sealing | None) -> None:
    """A store with one secret of two versions, one that came and went, and one pod."""
    store = SqliteStore.open(folder, sealing=how)
    await store.write(SECRET, put(value(1)))
    await store.write(SECRET, put(value(2)))
    await store.write(OTHER, put(value(3)))
    await store.write(OTHER, delete)
    await store.write(POD, put(b'{"kind":"Pod"}'))
    await store.close()


async def held(folder: Path, how: Sealing | None) -> list[bytes | None]:
    """The values in the store's history, which is what it holds."""
    store = SqliteStore.open(folder, sealing=how)
    try:
        changes = [change.value for change in store.watch("/", 1).ready()]
        record = store.get(SECRET)
        assert record is not None and (record.value, record.revision) == (value(2), 3)
        return changes
    finally:
        await store.close()


HISTORY = [value(1), value(2), value(3), None, b'{"kind":"Pod"}']


async def test_no_file_ever_holds_a_sealed_value_in_plain(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, sealing=sealing(NEW), limits=Limits(changes=4))
    for number in range(20):
        await store.write(SECRET, put(value(number)))
        await store.write(OTHER, put(value(number)))
        if number % 5 == 0:
            await store.write(OTHER, delete)
        assert WORD not in raw(tmp_path)
    store.compact(store.revision)
    while await store.tidy():
        assert WORD not in raw(tmp_path)
    record = store.get(SECRET)
    assert record is not None and record.value == value(19)
    assert WORD not in raw(tmp_path)
    await store.close()
    assert WORD not in raw(tmp_path) and MARK in raw(tmp_path)


async def test_watches_and_mutations_see_plain_bytes(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, sealing=sealing(NEW))
    await store.write(SECRET, put(value(1)))
    watch = store.watch("/", 1)
    await store.write(SECRET, lambda now, _: None if now is None else now.value + b" ")
    assert [change.value for change in watch.ready()] == [value(1), value(1) + b" "]
    await store.close()


async def test_what_was_there_is_sealed_at_the_start_and_leaves_no_trace(tmp_path: Path) -> None:
    await filled(tmp_path, None)
    assert WORD in raw(tmp_path)
    assert await held(tmp_path, sealing(NEW, *PLAIN)) == HISTORY
    assert WORD not in raw(tmp_path) and b'"Pod"' in raw(tmp_path)
    assert await held(tmp_path, sealing(NEW)) == HISTORY


async def test_traces_that_a_reader_keeps_alive_go_at_the_next_start(tmp_path: Path) -> None:
    await filled(tmp_path, None)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM change").fetchone() == (5,)
        store = SqliteStore.open(tmp_path, sealing=sealing(NEW, *PLAIN))
        assert WORD in raw(tmp_path)
        await store.close()
    assert await held(tmp_path, sealing(NEW)) == HISTORY
    assert WORD not in raw(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0,)


async def test_keys_are_rotated_in_two_starts_and_encryption_is_left_in_one(tmp_path: Path) -> None:
    await filled(tmp_path, sealing(OLD))
    assert await held(tmp_path, sealing(OLD, NEW)) == HISTORY  # the old one seals still
    assert await held(tmp_path, sealing(NEW, OLD)) == HISTORY
    assert OLD.prefix not in raw(tmp_path)
    assert await held(tmp_path, sealing(NEW)) == HISTORY
    assert await held(tmp_path, sealing(*PLAIN, NEW)) == HISTORY
    assert await held(tmp_path, None) == HISTORY


async def test_a_key_of_the_same_name_is_rotated_too(tmp_path: Path) -> None:
    first, second = lock("key", b"1" * 32), lock("key", b"2" * 32)
    await filled(tmp_path, sealing(first))
    assert await held(tmp_path, sealing(second, first)) == HISTORY
    assert await held(tmp_path, sealing(second)) == HISTORY


async def test_cbc_values_are_read_and_sealed_anew(tmp_path: Path) -> None:
    cbc = Lock(MARK + b"aescbc:v1:old:", Cbc(b"o" * 32))
    await filled(tmp_path, sealing(cbc))
    assert WORD not in raw(tmp_path)
    assert await held(tmp_path, sealing(NEW, cbc)) == HISTORY


@pytest.mark.parametrize(
    ("how", "text", "hint"),
    [
        (None, "is sealed by aesgcm key 'old', which the configuration", "--encryption-provider"),
        (sealing(NEW), "key 'old', which the configuration of encryption does not have", "after"),
        (
            sealing(*PLAIN),
            "key 'old', which the configuration of encryption",
            "nothing was changed",
        ),
        (sealing(lock("old", b"x" * 32)), "does not open: the key was another", "secret that the"),
        (sealing(OLD, resource="configmaps."), "which the configuration", "nothing was changed"),
    ],
)
async def test_without_the_key_the_store_does_not_open_and_loses_nothing(
    tmp_path: Path, how: Sealing | None, text: str, hint: str
) -> None:
    await filled(tmp_path, sealing(OLD))
    with pytest.raises(StoreOpenError, match="opening the store in") as caught:
        SqliteStore.open(tmp_path, sealing=how)
    assert text in str(caught.value) and hint in caught.value.hint
    assert SECRET in str(caught.value) and WORD.decode() not in str(caught.value)
    assert await held(tmp_path, sealing(OLD)) == HISTORY


async def test_plain_values_need_the_provider_identity_as_upstream(tmp_path: Path) -> None:
    await filled(tmp_path, None)
    with pytest.raises(StoreOpenError, match="is plain text") as caught:
        SqliteStore.open(tmp_path, sealing=sealing(NEW))
    assert "identity" in caught.value.hint
    assert await held(tmp_path, None) == HISTORY


@contextmanager
def rows(folder: Path) -> Iterator[Callable[[int, bytes], None]]:
    """A writer of the file who knows its checksums, but no keys."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:

        def write(revision: int, value: bytes) -> None:
            query = "SELECT key FROM change WHERE revision = ?"
            (key,) = connection.execute(query, (revision,)).fetchone()
            checksum = crc32(value, crc32(f"{revision} False {key}".encode()))
            update = "UPDATE change SET value = ?, checksum = ? WHERE revision = ?"
            connection.execute(update, (value, checksum, revision))

        yield write


def stored(folder: Path, revision: int) -> bytes:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        query = "SELECT value FROM change WHERE revision = ?"
        (value,) = connection.execute(query, (revision,)).fetchone()
        return bytes(value)


async def test_a_value_that_was_changed_or_moved_on_the_disk_is_found(tmp_path: Path) -> None:
    original = tmp_path / "original"
    await filled(original, sealing(NEW))
    mine, other = stored(original, 3), stored(original, 4)
    changed = mine[:-1] + bytes([mine[-1] ^ 1])
    for name, value in (("changed", changed), ("moved", other), ("cut", mine[:30])):
        folder = tmp_path / name
        shutil.copytree(original, folder)
        with rows(folder) as write:
            write(3, value)
        with pytest.raises(StoreOpenError, match=f"the value of {SECRET} .* does not open"):
            SqliteStore.open(folder, sealing=sealing(NEW))
        with rows(folder) as write:
            write(3, mine)
        assert await held(folder, sealing(NEW)) == HISTORY


class Deadly:
    """Seals as `cipher` does, and kills its process at the value of that number."""

    def __init__(self, cipher: Gcm, number: int) -> None:
        self._cipher = cipher
        self._left = number

    def seal(self, plain: bytes, place: bytes) -> bytes:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._cipher.seal(plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        return self._cipher.open(sealed, place)


def die(folder: str, number: int) -> None:
    """Begin to seal the store anew, and do not survive it."""
    deadly = Lock(NEW.prefix, Deadly(Gcm(b"n" * 32), number))
    SqliteStore.open(Path(folder), sealing=sealing(deadly, OLD))


@pytest.mark.parametrize("number", [1, 3])
async def test_a_kill_in_the_midst_of_a_rotation_loses_nothing(tmp_path: Path, number: int) -> None:
    await filled(tmp_path, sealing(OLD))
    code = f"from tests.store.test_sealing import *; {die.__name__}({str(tmp_path)!r}, {number})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert await held(tmp_path, sealing(OLD, NEW)) == HISTORY
    assert await held(tmp_path, sealing(NEW, OLD)) == HISTORY
    assert OLD.prefix not in raw(tmp_path)


async def test_a_backup_holds_sealed_values_says_so_and_needs_no_keys(tmp_path: Path) -> None:
    folder, file, back = tmp_path / "store", tmp_path / "backup", tmp_path / "back"
    await filled(folder, sealing(NEW))
    facts = back_up(folder, file)
    assert (facts.objects, facts.sealed) == (2, 1)
    assert WORD not in file.read_bytes()
    assert restore(file, back, FakeClock().now()).objects == 2
    store = SqliteStore.open(back, sealing=sealing(NEW))
    record = store.get(SECRET)
    assert record is not None and record.value == value(2)
    await store.close()
