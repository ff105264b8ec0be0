"""Folders as pods may leave them: deep, full, closed, and full of links."""

import inspect
import os
import sys
from pathlib import Path

import pytest

from argosy.controllers.volumes import removal
from argosy.controllers.volumes.removal import opened, remove


def removed(folder: Path) -> bool:
    with opened(folder.parent) as below:
        remove(folder.name, below)
    return not os.path.lexists(folder)


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "file").write_text("mine")
    outside.chmod(0o500)
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    for place in (folder, folder / "in"):
        (place / "up").symlink_to("..")
        (place / "out").symlink_to(outside)
        (place / "file").symlink_to(outside / "file")
        (place / "nowhere").symlink_to("/nowhere")
    assert removed(folder)
    assert (outside / "file").read_text() == "mine"
    assert outside.stat().st_mode & 0o777 == 0o500
    outside.chmod(0o700)


def test_a_link_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "folder"
    folder.symlink_to(tmp_path / "outside")
    with opened(tmp_path) as below, pytest.raises(NotADirectoryError):
        remove("folder", below)
    with pytest.raises(NotADirectoryError), opened(folder):
        pass


def test_folders_that_are_closed_are_opened(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "a" / "b" / "c").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("x")
    (folder / "a" / "b").chmod(0o000)
    (folder / "a").chmod(0o100)
    folder.chmod(0o000)
    assert removed(folder)


def test_deeper_than_one_can_recurse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for _ in range(250):
        os.mkdir("d")
        os.chdir("d")
    monkeypatch.chdir(tmp_path)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        assert removed(folder)
    finally:
        sys.setrecursionlimit(before)


def test_many_names(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for i in range(20):
        (folder / f"f{i}" / "in").mkdir(parents=True)
        for j in range(20):
            (folder / f"f{i}" / f"{j}").write_text("x")
            (folder / f"f{i}" / "in" / f"{j}").write_text("x")
    assert removed(folder)


def test_what_is_moved_meanwhile_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process moves the folder that is just being emptied to the top, as often as it likes."""
    (tmp_path / "neighbour").mkdir()
    folder = tmp_path / "folder"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("x")
    unlink = os.unlink

    def moving(name: str, *, dir_fd: int) -> None:
        unlink(name, dir_fd=dir_fd)
        (folder / "a" / "b").rename(folder / "z")

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", moving)
        with pytest.raises(OSError, match="was moved"):
            removed(folder)
    assert (tmp_path / "neighbour").exists() and folder.exists()
    assert removed(folder)


def test_what_is_mounted_there_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    mounted = folder / "a" / "mounted"
    mounted.mkdir(parents=True)
    (mounted / "file").write_text("mine")
    identity, inode = removal._identity, mounted.stat().st_ino

    def elsewhere(folder: int) -> removal.Identity:
        device, number = identity(folder)
        return (device + (number == inode), number)

    monkeypatch.setattr(removal, "_identity", elsewhere)
    with pytest.raises(OSError, match="the folder mounted is mounted from elsewhere"):
        removed(folder)
    assert (mounted / "file").read_text() == "mine"


def test_all_kinds_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "read-only").write_text("x")
    (folder / "read-only").chmod(0o000)
    os.link(folder / "read-only", folder / "again")
    assert removed(folder)
