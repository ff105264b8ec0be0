"""What may stand in the way of opening a store, and how it is told."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.store.database import MIGRATIONS
from argosy.store.folder import FILE, LOCK, connected
from argosy.store.interface import DELETE, Record, StoreOpenError
from argosy.store.sqlite import SqliteStore
from tests.store.builders import largest_file, put


async def filled(folder: Path, number: int = 3) -> list[Record]:
    store = SqliteStore.open(folder)
    for i in range(number):
        await store.write(f"/{i % 20}", lambda _now, revision: b"%d" % revision * 50)
    records = store.list("")
    await store.close()
    return records


def refused(folder: Path) -> StoreOpenError:
    with pytest.raises(StoreOpenError) as caught:
        SqliteStore.open(folder)
    assert str(folder) in str(caught.value)
    return caught.value


async def test_a_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    error = refused(tmp_path)
    assert "another process (pid " in str(error)
    assert "stop that process" in error.hint
    await store.close()
    await SqliteStore.open(tmp_path).close()


def _parent_is_a_file(folder: Path) -> None:
    folder.write_text("")


def _file_is_a_folder(folder: Path) -> None:
    (folder / "data" / FILE).mkdir(parents=True)


def _lock_is_a_folder(folder: Path) -> None:
    (folder / "data" / LOCK).mkdir(parents=True)


@pytest.mark.parametrize("spoil", [_parent_is_a_file, _file_is_a_folder, _lock_is_a_folder])
def test_a_folder_without_access_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "parent")
    error = refused(tmp_path / "parent" / "data")
    assert "opening the store in" in str(error)
    assert "write" in error.hint


def test_a_refusal_by_the_system_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> int:
        raise PermissionError(13, "Permission denied")

    # Root may write everywhere, so the refusal is played.
    monkeypatch.setattr("argosy.store.folder.os.open", refuse)
    assert str(refused(tmp_path)).endswith("Permission denied")


async def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    records = await filled(tmp_path)
    newer = (*MIGRATIONS, ("ALTER TABLE change ADD COLUMN colour TEXT",))
    with connected(tmp_path / FILE, newer) as connection:  # also: the hook for migrations works
        found = connection.execute("SELECT colour FROM change").fetchall()
    assert found == [(None,)] * len(records)
    before = (tmp_path / FILE).read_bytes()

    error = refused(tmp_path)
    assert f"schema version {len(newer)}" in str(error)
    assert "newer" in error.hint
    assert (tmp_path / FILE).read_bytes() == before


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    records = await filled(tmp_path)
    bad = (*MIGRATIONS, ("DROP TABLE change", "no SQL"))
    with pytest.raises(sqlite3.OperationalError), connected(tmp_path / FILE, bad):
        pass
    store = SqliteStore.open(tmp_path)
    assert store.list("") == records
    await store.close()


def _free_pages_stay(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
        return bool(mode != 2)


async def test_the_file_can_give_free_pages_back(tmp_path: Path) -> None:
    await filled(tmp_path)
    assert not _free_pages_stay(tmp_path / FILE)


async def test_a_file_that_can_not_is_written_anew(tmp_path: Path) -> None:
    records = await an_old_file(tmp_path)
    store = SqliteStore.open(tmp_path)
    assert store.list("") == records
    await store.close()
    assert not _free_pages_stay(tmp_path / FILE)


async def test_a_file_that_can_not_is_used_as_it_is_where_the_disk_is_full(tmp_path: Path) -> None:
    records = await an_old_file(tmp_path)
    with largest_file(2**17):
        store = SqliteStore.open(tmp_path)
    assert store.list("") == records
    await store.write("/new", lambda _now, _revision: b"x")
    await store.tidy()
    await store.close()
    assert _free_pages_stay(tmp_path / FILE)


async def an_old_file(folder: Path) -> list[Record]:
    """The store as an early Argosy has made it."""
    store = SqliteStore.open(folder)
    await asyncio.gather(*(store.write(f"/{i}", put(b"x" * 2**14)) for i in range(20)))
    records = store.list("")
    await store.close()
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA auto_vacuum = NONE", "VACUUM"):
            connection.execute(statement)
    assert _free_pages_stay(folder / FILE)
    return records


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change SET value = x'00' WHERE revision = 3",
        "UPDATE change SET key = '/other' WHERE revision = 3",
        "UPDATE change SET value = NULL WHERE revision = 3",
        "UPDATE change SET value = 5 WHERE revision = 3",
        "UPDATE change SET revision = 9 WHERE revision = 4",
        "DELETE FROM change WHERE revision = 3",
        "DELETE FROM history",
        "DROP TABLE history",
        "DROP TABLE change",
    ],
)
async def test_a_tampered_file_is_refused(tmp_path: Path, statement: str) -> None:
    await filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute(statement)
    error = refused(tmp_path)
    assert "is damaged" in str(error)
    assert "backup" in error.hint


async def test_a_delete_of_a_record_that_vanished_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path)
    store = SqliteStore.open(tmp_path)
    store.compact(store.revision)
    await store.write("/1", lambda _now, _revision: DELETE)
    await store.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("DELETE FROM change WHERE revision = 3")
    assert "changes before revision 5 are missing" in str(refused(tmp_path))


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    content = b"this is no database, but it is long enough" * 50
    (tmp_path / FILE).write_bytes(content)
    assert "is damaged" in str(refused(tmp_path))
    assert (tmp_path / FILE).read_bytes() == content


async def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path, 100)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    assert "is damaged" in str(refused(tmp_path))


@pytest.fixture(scope="module")
def healthy() -> tuple[bytes, list[Record]]:
    """A file with records and history, and its records."""
    with tempfile.TemporaryDirectory() as name:
        records = asyncio.run(filled(Path(name), 60))
        return (Path(name) / FILE).read_bytes(), records


@settings(max_examples=40, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_does_no_harm(
    healthy: tuple[bytes, list[Record]], where: float, bit: int
) -> None:
    content = bytearray(healthy[0])
    content[int(where * len(content))] ^= 1 << bit
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / FILE).write_bytes(content)
        try:
            store = SqliteStore.open(Path(name))
        except StoreOpenError:
            return
        found = store.list("")
        asyncio.run(store.close())
    assert found == healthy[1]


def test_a_commit_means_an_fsync(tmp_path: Path) -> None:
    with connected(tmp_path / FILE) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    store = SqliteStore.open(folder)
    await store.write("/secret", lambda _now, _revision: b"x")
    assert {path.name: path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {
        "here": 0,
        LOCK: 0,
        FILE: 0,
        f"{FILE}-wal": 0,
        f"{FILE}-shm": 0,
    }
    await store.close()
