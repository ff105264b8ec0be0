"""Backups while the store is in use, and stores made of them."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.store.backup import GAP, Facts, back_up, restore
from argosy.store.database import MIGRATIONS
from argosy.store.folder import FILE, connected
from argosy.store.interface import Change, CompactedError, Record, StoreOpenError
from argosy.store.sqlite import SqliteStore
from tests.store.builders import delete, largest_file, lose_a_row, put

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MICROSECONDS = int(NOW.timestamp()) * 1_000_000


async def filled(folder: Path, number: int = 20) -> list[Record]:
    """The records of a store that had changes and deletes."""
    store = SqliteStore.open(folder)
    for value in (b"old", b"new"):
        await asyncio.gather(*(store.write(f"/{i}", put(value * 20)) for i in range(number)))
    await store.write("/0", delete)
    records = store.list("")
    await store.close()
    return records


async def test_what_is_restored_is_what_was_there(tmp_path: Path) -> None:
    records = await filled(tmp_path / "old")
    assert back_up(tmp_path / "old", tmp_path / "backup") == Facts(19, 42)
    done = restore(tmp_path / "backup", tmp_path / "new", NOW)
    assert done == Facts(19, MICROSECONDS)
    store = SqliteStore.open(tmp_path / "new")
    assert store.list("") == records
    assert store.revision == MICROSECONDS
    with closing(sqlite3.connect(tmp_path / "new" / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM change").fetchone() == (19,)  # no history
    written = await store.write("/x", put(b"x"))
    assert written and written.revision == MICROSECONDS + 1
    await store.close()


async def test_whoever_knows_an_earlier_revision_is_told_that_history_is_gone(
    tmp_path: Path,
) -> None:
    await filled(tmp_path / "old")
    back_up(tmp_path / "old", tmp_path / "backup")
    done = restore(tmp_path / "backup", tmp_path / "new", NOW)
    store = SqliteStore.open(tmp_path / "new")
    # Also revisions from after the backup, which this store never had.
    for known in (1, 42, 43, 10_000, done.revision - 1):
        with pytest.raises(CompactedError):
            await anext(store.watch("", known))
        with pytest.raises(CompactedError):
            store.page("", revision=known)
    watch = store.watch("", done.revision)
    await store.write("/x", put(b"x"))
    assert (await anext(watch)).key == "/x"
    await store.close()


@pytest.mark.parametrize("now", [NOW, datetime(1970, 1, 1, tzinfo=UTC)])
async def test_each_restore_is_above_all_revisions_before_it(tmp_path: Path, now: datetime) -> None:
    """By the clock, or by the store that is replaced where the clock went back."""
    await filled(tmp_path / "store")
    back_up(tmp_path / "store", tmp_path / "backup")
    first = restore(tmp_path / "backup", tmp_path / "store", now)
    store = SqliteStore.open(tmp_path / "store")
    await asyncio.gather(*(store.write("/a", put(b"x")) for _ in range(50)))
    newest = store.revision
    await store.close()
    second = restore(tmp_path / "backup", tmp_path / "store", now - timedelta(days=1))
    assert second.revision >= newest + GAP > first.revision
    third = restore(tmp_path / "backup", tmp_path / "elsewhere", now + timedelta(seconds=1))
    if now is NOW:
        assert third.revision > first.revision + 50


async def test_a_backup_of_a_store_in_use_is_one_of_its_revisions(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "store")
    await store.write("/kept", put(b"x"))
    backups = 4

    async def write_on(key: str) -> None:
        while not backing_up.done():
            await store.write(key, put(b"%d" % store.revision))

    async def save() -> None:
        for i in range(backups):
            before = store.revision
            facts = await asyncio.to_thread(back_up, tmp_path / "store", tmp_path / f"{i}")
            assert before <= facts.revision <= store.revision

    backing_up = asyncio.create_task(save())
    await asyncio.gather(backing_up, *(write_on(f"/{i}") for i in range(3)))
    history = await changes(store)
    await store.close()
    for i in range(backups):
        (tmp_path / f"store{i}").mkdir()
        shutil.copy(tmp_path / f"{i}", tmp_path / f"store{i}" / FILE)
        copy = SqliteStore.open(tmp_path / f"store{i}")
        assert await changes(copy) == history[: copy.revision - 1]
        await copy.close()


async def changes(store: SqliteStore) -> list[Change]:
    """All history."""
    watch, found = store.watch("", 1), []
    while watch.revision < store.revision:
        found.append(await anext(watch))
    return found


async def test_what_a_killed_server_left_in_the_log_is_in_the_backup(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "live")
    await store.write("/a", put(b"x"))
    # Between two commits, a copy of the files is what a crash would leave.
    shutil.copytree(tmp_path / "live", tmp_path / "crashed")
    await store.close()
    assert back_up(tmp_path / "crashed", tmp_path / "backup") == Facts(1, 2)


async def test_a_backup_is_for_its_owner_and_alone(tmp_path: Path) -> None:
    await filled(tmp_path / "store")
    there = tmp_path / "there"
    there.mkdir()
    (there / "backup").write_text("the one before")
    back_up(tmp_path / "store", there / "backup")
    assert [path.name for path in there.iterdir()] == ["backup"]
    assert (there / "backup").stat().st_mode & 0o077 == 0
    restore(there / "backup", tmp_path / "new", NOW)
    assert [path.name for path in there.iterdir()] == ["backup"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [FILE, "store.lock"]
    assert (tmp_path / "new" / FILE).stat().st_mode & 0o077 == 0


def refused(error: pytest.ExceptionInfo[StoreOpenError], text: str, hint: str) -> None:
    assert text in str(error.value)
    assert hint in error.value.hint


async def test_a_backup_without_room_leaves_nothing(tmp_path: Path) -> None:
    await filled(tmp_path / "store", 200)
    (tmp_path / "there").mkdir()
    with largest_file(2**13), pytest.raises(StoreOpenError) as caught:
        back_up(tmp_path / "store", tmp_path / "there" / "backup")
    refused(caught, "backing up the store in", "a disk with room")
    assert list((tmp_path / "there").iterdir()) == []


async def test_a_restore_without_room_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    await filled(tmp_path / "old", 200)
    back_up(tmp_path / "old", tmp_path / "backup")
    records = await filled(tmp_path / "store", 3)
    with largest_file(2**14), pytest.raises(StoreOpenError) as caught:
        restore(tmp_path / "backup", tmp_path / "store", NOW)
    refused(caught, "restoring the store in", "with room")
    store = SqliteStore.open(tmp_path / "store")
    assert (store.list(""), store.revision) == (records, 8)
    await store.close()


def test_where_there_is_no_store_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StoreOpenError) as caught:
        back_up(tmp_path, tmp_path / "backup")
    refused(caught, "there is no store in", "name the folder")
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_store_is_not_backed_up(tmp_path: Path) -> None:
    await filled(tmp_path / "store")
    with closing(sqlite3.connect(tmp_path / "store" / FILE)) as connection, connection:
        connection.execute("UPDATE change SET value = x'00' WHERE revision = 30")
    with pytest.raises(StoreOpenError) as caught:
        back_up(tmp_path / "store", tmp_path / "backup")
    refused(caught, "is damaged: the checksum of revision 30 is wrong", "kubectl get -o yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


async def test_a_store_that_lost_a_row_is_not_backed_up(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "store")
    await asyncio.gather(*(store.write(f"/{i}", put(b"x" * 50)) for i in range(500)))
    store.compact(store.revision)  # there is no history to miss it in
    await store.close()
    lose_a_row(tmp_path / "store" / FILE)
    with pytest.raises(StoreOpenError, match="is damaged"):
        back_up(tmp_path / "store", tmp_path / "backup")


async def test_a_store_in_use_is_not_replaced(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "store")
    back_up(tmp_path / "store", tmp_path / "backup")
    await store.write("/a", put(b"x"))
    with pytest.raises(StoreOpenError) as caught:
        restore(tmp_path / "backup", tmp_path / "store", NOW)
    refused(caught, "uses the store", "stop that process")
    assert await store.write("/b", put(b"x")) == Record("/b", b"x", 3)
    await store.close()
    back_up(tmp_path / "store", tmp_path / "backup")


def _garbage(folder: Path) -> None:
    for path in folder.glob(f"{FILE}*"):
        path.write_bytes(b"no database" * 1000)


def _only_the_log(folder: Path) -> None:
    (folder / FILE).unlink()


@pytest.mark.parametrize("spoil", [_garbage, _only_the_log])
async def test_a_damaged_store_can_be_replaced(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    records = await filled(tmp_path / "store")
    back_up(tmp_path / "store", tmp_path / "backup")
    store = SqliteStore.open(tmp_path / "store")
    await asyncio.gather(*(store.write(f"/{i}", put(b"later")) for i in range(100)))
    shutil.copytree(tmp_path / "store", tmp_path / "crashed")
    await store.close()
    spoil(tmp_path / "crashed")
    restore(tmp_path / "backup", tmp_path / "crashed", NOW)
    restored = SqliteStore.open(tmp_path / "crashed")
    assert restored.list("") == records
    await restored.close()


async def test_the_log_of_a_killed_server_is_not_mixed_into_a_restored_store(
    tmp_path: Path,
) -> None:
    records = await filled(tmp_path / "store")
    back_up(tmp_path / "store", tmp_path / "backup")
    store = SqliteStore.open(tmp_path / "store")
    await asyncio.gather(*(store.write(f"/{i}", put(b"later")) for i in range(100)))
    shutil.copytree(tmp_path / "store", tmp_path / "crashed")
    await store.close()
    restore(tmp_path / "backup", tmp_path / "crashed", NOW)
    restored = SqliteStore.open(tmp_path / "crashed")
    assert restored.list("") == records
    await restored.close()


async def test_a_newer_backup_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path / "store")
    newer = (*MIGRATIONS, ("ALTER TABLE change ADD COLUMN colour TEXT",))
    with connected(tmp_path / "store" / FILE, newer):
        pass
    with pytest.raises(StoreOpenError) as caught:
        restore(tmp_path / "store" / FILE, tmp_path / "new", NOW)
    refused(caught, f"has schema version {len(newer)}", "or a newer one")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_something_else_is_refused(tmp_path: Path, content: bytes | None) -> None:
    backup = tmp_path / "backup"
    if content is not None:
        backup.write_bytes(content)
    with pytest.raises(StoreOpenError, match=f"the backup {backup}") as caught:
        restore(backup, tmp_path / "new", NOW)
    assert "backup" in caught.value.hint
    assert not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def healthy() -> Iterator[tuple[bytes, list[Record]]]:
    """A backup, and the records in it."""
    with tempfile.TemporaryDirectory() as name:
        records = asyncio.run(filled(Path(name) / "store", 30))
        back_up(Path(name) / "store", Path(name) / "backup")
        yield (Path(name) / "backup").read_bytes(), records


@settings(max_examples=30)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_backup_is_refused_or_whole(
    healthy: tuple[bytes, list[Record]], where: float, bit: int, cut: bool
) -> None:
    content = bytearray(healthy[0])
    place = int(where * len(content))
    if cut:
        del content[place:]
    else:
        content[place] ^= 1 << bit
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "backup").write_bytes(content)
        try:
            restore(folder / "backup", folder / "store", NOW)
        except StoreOpenError:
            assert os.listdir(folder) == ["backup"]
            return
        store = SqliteStore.open(folder / "store")
        found = store.list("")
        asyncio.run(store.close())
    assert found == healthy[1]
