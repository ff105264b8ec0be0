"""Tests of the limit on a file's length."""

from pathlib import Path

import pytest

from tools import check_size


@pytest.mark.parametrize(("lines", "code"), [(150, 0), (800, 0), (801, 1)])
def test_a_file_may_have_800_lines(project: Path, lines: int, code: int) -> None:
    (project / "room.py").write_text("x = 1\n" * lines)
    assert check_size.main(project) == code


def test_the_file_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "deep" / "er").mkdir(parents=True)
    (project / "deep" / "er" / "room.py").write_text("x = 1\n" * 801)
    check_size.main(project)
    assert "deep/er/room.py: 801 lines\nhint: " in capsys.readouterr().out


def test_over_400_is_a_note(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "room.py").write_text("x = 1\n" * 401)
    assert check_size.main(project) == 0
    assert capsys.readouterr().out.startswith("note: room.py has 401 lines")


def test_ignored_files_are_nobodys(project: Path) -> None:
    (project / ".gitignore").write_text("made/\n")
    (project / "made").mkdir()
    (project / "made" / "room.py").write_text("x = 1\n" * 801)
    assert check_size.main(project) == 0
