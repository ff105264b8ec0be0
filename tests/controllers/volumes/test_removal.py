"""Folders as pods may leave them: deep, full, closed, and full of links."""

import os
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


def test_deeper_than_one_can_recurse(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    before = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
    assert removed(folder)


def test_more_than_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "AT_ONCE", 3)
    folder = tmp_path / "folder"
    for i in range(5):
        (folder / f"f{i}" / "in").mkdir(parents=True)
        for j in range(7):
            (folder / f"f{i}" / f"{j}").write_text("x")
            (folder / f"f{i}" / "in" / f"{j}").write_text("x")
    assert removed(folder)


def test_all_kinds_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "read-only").write_text("x")
    (folder / "read-only").chmod(0o000)
    os.link(folder / "read-only", folder / "again")
    assert removed(folder)
