"""Tests of the check that documents point at what exists."""

from pathlib import Path

import pytest

from tools import check_documents

CASES = [
    ("[limits](docs/limits.md)", ""),
    ("[limits](docs/limits.md#stores)", ""),
    ("[web](https://kubernetes.io/docs) [here](#here)", ""),
    ("`docs/limits.md` and `make test`", ""),
    ("they make sure of it", ""),
    ("[gone](docs/gone.md)", "the link docs/gone.md leads nowhere"),
    ("`docs/gone.md`", "docs/gone.md doesn't exist"),
    ("```\nmake tests\n```", "the Makefile has no target tests"),
]


@pytest.mark.parametrize(("text", "problem"), CASES)
def test_what_is_mentioned_exists(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    (project / "docs").mkdir()
    (project / "docs" / "limits.md").write_text("# Limits\n")
    (project / "Makefile").write_text("test: setup\n\ttrue\n")
    (project / "README.md").write_text(text)
    assert check_documents.main(project) == bool(problem)
    assert capsys.readouterr().out == (f"README.md: {problem}\n" if problem else "")
