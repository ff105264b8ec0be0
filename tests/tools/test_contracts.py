"""Tests that the import contracts of `pyproject.toml` are kept, and that each can be broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

DOWNWARDS = "Imports point downwards, and siblings know nothing of each other"
ROOT_ONLY = "Only the composition root sees the server"
SERVER = "The server imports none of its clients"
HTTP = "HTTP knows nothing of Kubernetes"
PURE = "Base, api and security are pure: no I/O"
NO_LOOP = "What a kind is needs no event loop"

# One file each, the import that is planted there, and the contract that it breaks.
PLANTS = [
    ("training/planted.py", "argosy.store", ROOT_ONLY),
    ("runtime/planted.py", "argosy.apiserver", ROOT_ONLY),
    ("cli/planted.py", "argosy.apiserver", ROOT_ONLY),
    ("training/planted.py", "argosy.serving", DOWNWARDS),
    ("node/planted.py", "argosy.cluster", DOWNWARDS),
    ("api/planted.py", "argosy.client", DOWNWARDS),
    ("teleport/__init__.py", "argosy.base", DOWNWARDS),  # a room without a place in the house
    ("apiserver/planted.py", "argosy.client", SERVER),
    ("store/planted.py", "argosy.runtime", SERVER),
    ("http/planted.py", "argosy.api", HTTP),
    ("api/planted.py", "sqlite3", PURE),
    ("security/planted.py", "socket", PURE),
    ("api/planted.py", "asyncio", NO_LOOP),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    skipped = shutil.ignore_patterns("__pycache__", "definitions")
    shutil.copytree(ROOT / "src", tree / "src", ignore=skipped)
    return tree


def broken(tree: Path) -> set[str]:
    """The names of the contracts that `tree` breaks."""
    done = subprocess.run(
        (LINT_IMPORTS, "--no-cache"),
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    verdicts = [line for line in done.stdout.splitlines() if line.endswith(("BROKEN", "KEPT"))]
    assert len(verdicts) == 6, done.stdout + done.stderr
    found = {line.removesuffix(" BROKEN") for line in verdicts if line.endswith("BROKEN")}
    assert done.returncode == bool(found)
    return found


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    assert broken(tree) == set()


@pytest.mark.parametrize(("file", "imported", "contract"), PLANTS)
def test_a_planted_import_breaks_its_contract(
    tree: Path, file: str, imported: str, contract: str
) -> None:
    planted = tree / "src" / "argosy" / file
    opened = not planted.parent.exists()
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"import {imported}\n")
    try:
        assert contract in broken(tree)
    finally:
        planted.unlink()
        if opened:
            shutil.rmtree(planted.parent)
