"""The guide to operators shows what the example is: its code is copied, and must stay equal."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/operators.md").read_text()
FILES = (
    "examples/database/kinds.py",
    "examples/database/plan.py",
    "tests/examples/test_database.py",
)
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
MOST = 225
PLACES = re.findall(r"^\| (`.+`) \| `(argosy\..+)` \|$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_code_is_that_of_a_file(block: str) -> None:
    assert [name for name in FILES if f"\n{block}" in (ROOT / name).read_text()] != []


def test_each_file_is_shown_and_named() -> None:
    assert len(BLOCKS) >= len(FILES)
    for name in FILES:
        assert f"`{name}`" in GUIDE
        assert any(block in (ROOT / name).read_text() for block in BLOCKS)


@pytest.mark.parametrize(("names", "module"), PLACES)
def test_names_are_where_it_says(names: str, module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in re.findall(r"`(\w+)`", names) if not hasattr(found, name)] == []


def test_all_that_is_shown_and_comes_from_argosy_has_its_place() -> None:
    """What the kinds and the plan of the example import, but for kinds of which it tells others."""
    known = {name for names, _ in PLACES for name in re.findall(r"`(\w+)`", names)}
    imported = {
        alias.name
        for path in FILES[:2]
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("argosy.")
        for alias in node.names
    }
    assert imported - known == {"CronJob", "StatefulSet", "PersistentVolumeClaim"}


def test_it_is_short() -> None:
    assert len(GUIDE.splitlines()) <= MOST
