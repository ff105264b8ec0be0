"""Tests of the runner of all checks."""

import sys

import pytest

from tools import check

GOOD = check.Check("good", (sys.executable, "-c", "print('fine')"))
BAD = check.Check("bad", (sys.executable, "-c", "import sys; print('oh'); sys.exit(3)"))


@pytest.mark.parametrize(
    ("checks", "code", "last"),
    [
        ((GOOD, GOOD), 0, "2 of 2 checks passed"),
        ((GOOD, BAD), 1, "1 of 2 checks passed"),
        ((BAD, BAD), 1, "0 of 2 checks passed"),
    ],
)
def test_any_failure_is_the_whole_run_s(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checks: tuple[check.Check, ...],
    code: int,
    last: str,
) -> None:
    monkeypatch.setattr(check, "CHECKS", checks)
    assert check.main() == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert ("oh" in lines) == (BAD in checks)
    assert "fine" not in lines  # only failures show what they print


def test_every_tool_is_run() -> None:
    commands = [" ".join(each.command) for each in check.CHECKS]
    for tool in ("mypy", "lint-imports", "ruff check", "ruff format --check"):
        assert any(tool in command for command in commands)
    for own in ("check_size", "check_dead", "check_documents"):
        assert any(own in command for command in commands)
