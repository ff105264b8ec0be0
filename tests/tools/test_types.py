"""Tests that the project's settings of mypy refuse what isn't typed."""

import shutil
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]

CASES = [
    ("def half(count: int) -> float:\n    return count / 2\n", ""),
    ("def half(count):\n    return count / 2\n", "no-untyped-def"),
    ("def half(count: int) -> float:\n    return str(count)\n", "return-value"),
    ("def first(items: list) -> object:\n    return items[0]\n", "type-arg"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all cases: builtins are read once."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize(("code", "problem"), CASES)
def test_untyped_code_is_refused(tmp_path: Path, cache: Path, code: str, problem: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "planted.py"
    module.write_text(code)
    config = str(tmp_path / "pyproject.toml")
    out, err, status = api.run(["--config-file", config, "--cache-dir", str(cache), str(module)])
    assert (status != 0) == bool(problem), out + err
    assert problem in out
