"""Tests of the dead-code check, with the project's own settings."""

import shutil
from pathlib import Path

import pytest

from tools import check_dead

ROOT = Path(__file__).parents[2]

DEAD = [
    ("def lonely() -> None: ...", "unused function 'lonely'"),
    ("class Lonely: ...", "unused class 'Lonely'"),
    ("LIMIT = 3", "unused variable 'LIMIT'"),
    ("@dataclass\nclass Used:\n    lonely: int = 0\n\nUsed()", "unused variable 'lonely'"),
    ("def used() -> None:\n    return\n    print()\n\nused()", "unreachable code after 'return'"),
]

ALIVE = [
    "def used() -> None: ...\n\nused()",
    "class Pod(View):\n    host_ip: str = ''\n\nPod()",
    "@app.command()\ndef up() -> None: ...",
    "def pytest_configure() -> None: ...",
]


@pytest.fixture
def module(project: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", project)
    return project / "room.py"


@pytest.mark.parametrize(("code", "found"), DEAD)
def test_dead_code_is_found(
    module: Path, capsys: pytest.CaptureFixture[str], code: str, found: str
) -> None:
    module.write_text(code)
    assert check_dead.main(module.parent) == 1
    assert found in capsys.readouterr().out


@pytest.mark.parametrize("code", ALIVE)
def test_live_code_passes(module: Path, code: str) -> None:
    module.write_text(code)
    assert check_dead.main(module.parent) == 0
