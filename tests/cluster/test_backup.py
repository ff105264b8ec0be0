"""Backups of a cluster's data folder: what they take, and what they leave alone."""

from pathlib import Path

import pytest

from argosy.cluster.backup import BackupError, back_up, restore
from argosy.store.interface import Record
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock


async def folder_of_a_cluster(folder: Path, value: bytes = b"x") -> Path:
    store = SqliteStore.open(folder / "store")
    await store.write("/a", lambda _now, _revision: value)
    await store.close()
    (folder / "kubeconfig").write_text("its own")
    return folder


async def objects(folder: Path) -> list[bytes]:
    store = SqliteStore.open(folder / "store")
    found: list[Record] = store.list("")
    await store.close()
    return [record.value for record in found]


async def test_the_objects_and_nothing_else_come_back(tmp_path: Path) -> None:
    saved = back_up(await folder_of_a_cluster(tmp_path / "old"), tmp_path / "backup", force=False)
    new = tmp_path / "new" / "data"
    restored = restore(tmp_path / "backup", new, FakeClock(), force=False)
    assert saved.objects == restored.objects == 1
    assert restored.revision > saved.revision == 2
    assert await objects(new) == [b"x"]
    assert [path.name for path in new.iterdir()] == ["store"]


@pytest.mark.parametrize("force", [False, True])
async def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path: Path, force: bool) -> None:
    cluster = await folder_of_a_cluster(tmp_path / "cluster")
    file = tmp_path / "backup"
    file.write_text("dear to somebody")
    if force:
        assert back_up(cluster, file, force=True).objects == 1
        return
    with pytest.raises(BackupError, match="backup exists") as caught:
        back_up(cluster, file, force=False)
    assert "--force" in caught.value.hint
    assert file.read_text() == "dear to somebody"


@pytest.mark.parametrize("force", [False, True])
async def test_objects_that_are_there_are_replaced_by_force_alone(
    tmp_path: Path, force: bool
) -> None:
    back_up(await folder_of_a_cluster(tmp_path / "old", b"old"), tmp_path / "backup", force=False)
    there = await folder_of_a_cluster(tmp_path / "there", b"there")
    if force:
        restore(tmp_path / "backup", there, FakeClock(), force=True)
    else:
        with pytest.raises(BackupError, match="is not empty") as caught:
            restore(tmp_path / "backup", there, FakeClock(), force=False)
        assert "--force" in caught.value.hint
    assert await objects(there) == [b"old" if force else b"there"]
    assert (there / "kubeconfig").read_text() == "its own"


async def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    back_up(await folder_of_a_cluster(tmp_path / "old"), tmp_path / "backup", force=False)
    (tmp_path / "new").mkdir()
    restore(tmp_path / "backup", tmp_path / "new", FakeClock(), force=False)
    assert await objects(tmp_path / "new") == [b"x"]


async def test_what_stands_in_the_way_is_told_with_a_hint(tmp_path: Path) -> None:
    cluster = await folder_of_a_cluster(tmp_path / "cluster")
    with pytest.raises(BackupError, match="there is no folder") as caught:
        back_up(cluster, tmp_path / "missing" / "backup", force=False)
    assert caught.value.hint == "make it, or choose another one"
    with pytest.raises(BackupError, match="there is no store"):
        back_up(tmp_path, tmp_path / "backup", force=False)
    with pytest.raises(BackupError, match="reading the backup"):
        restore(tmp_path / "backup", tmp_path / "new", FakeClock(), force=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match="using the data folder .*: Not a directory") as caught:
        restore(tmp_path / "backup", tmp_path / "file", FakeClock(), force=False)
    assert "--data-dir" in caught.value.hint
