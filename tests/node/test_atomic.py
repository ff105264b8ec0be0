"""Volumes whose files change all at once."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.node.atomic import DATA, File, digest, publish, tidy


def file(text: str, mode: int = 0o644) -> File:
    return File(text.encode(), mode)


def shown(folder: Path) -> dict[str, str]:
    """What a reader of the volume finds."""
    found = {}
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = str((Path(place) / name).relative_to(folder))
            if not path.startswith(".."):
                found[path] = (Path(place) / name).read_text()
    return found


def test_files_are_there_under_links(tmp_path: Path) -> None:
    publish(tmp_path, {"a": file("1"), "b/c": file("2", 0o400)})
    assert shown(tmp_path) == {"a": "1", "b/c": "2"}
    assert os.readlink(tmp_path / "a") == f"{DATA}/a"
    assert os.readlink(tmp_path / "b") == f"{DATA}/b"
    assert os.readlink(tmp_path / DATA).startswith("..")
    assert (tmp_path / "b/c").stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_what_is_new_takes_the_place_of_all(tmp_path: Path) -> None:
    publish(tmp_path, {"a": file("1"), "b": file("2"), "c/d": file("3")})
    before = os.readlink(tmp_path / DATA)
    link = (tmp_path / "a").lstat().st_ino
    publish(tmp_path, {"a": file("4"), "c/e": file("5")})
    assert shown(tmp_path) == {"a": "4", "c/e": "5"}
    after = os.readlink(tmp_path / DATA)
    assert sorted(os.listdir(tmp_path)) == sorted([before, after, DATA, "a", "c"])
    tidy(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([after, DATA, "a", "c"])
    assert shown(tmp_path) == {"a": "4", "c/e": "5"}
    assert (tmp_path / "a").lstat().st_ino == link


def test_a_reader_in_between_sees_all_of_the_old(tmp_path: Path) -> None:
    publish(tmp_path, {"a": file("1"), "b": file("1")})
    held = os.open(tmp_path / DATA / "b", os.O_RDONLY)
    publish(tmp_path, {"a": file("2"), "b": file("2")})
    assert os.read(held, 9) == b"1"
    os.close(held)


@pytest.mark.parametrize(
    "path",
    ["", ".", "/a", "../a", "a/../b", "a/..", "..", "..data", "..data/a", "..x", "x" * 256]
    + ["a/" * 2048 + "a"],
)
def test_no_path_leads_elsewhere(tmp_path: Path, path: str) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    publish(volume, {"a": file("1")})
    with pytest.raises(ValueError):
        publish(volume, {"b": file("2"), path: file("3")})
    assert shown(volume) == {"a": "1"}
    assert len(os.listdir(volume)) == 3
    assert os.listdir(tmp_path) == ["volume"]


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_a_file_is_no_folder(tmp_path: Path, paths: tuple[str, str]) -> None:
    publish(tmp_path, {"kept": file("1")})
    with pytest.raises(OSError):
        publish(tmp_path, {path: file("2") for path in paths})
    assert shown(tmp_path) == {"kept": "1"}
    assert len(os.listdir(tmp_path)) == 3


def test_what_a_crash_has_left_goes(tmp_path: Path) -> None:
    (tmp_path / "..left").mkdir()
    (tmp_path / "..left" / "token").write_text("x")
    (tmp_path / "..data_tmp").symlink_to("..left")
    publish(tmp_path, {"a": file("1")})
    assert len(os.listdir(tmp_path)) == 3
    assert shown(tmp_path) == {"a": "1"}


def test_content_is_not_printed() -> None:
    assert "hidden" not in repr(file("hidden"))


names = st.text("ab/.", min_size=1, max_size=4)
contents = st.dictionaries(names, st.builds(File, st.binary(max_size=3), st.just(0o644)))


@given(contents, contents)
def test_digests_differ_where_files_do(one: dict[str, File], other: dict[str, File]) -> None:
    assert (digest(one) == digest(other)) is (one == other)
