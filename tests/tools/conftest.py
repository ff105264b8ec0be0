"""A small project under git, for the checks to look at."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    subprocess.run(("git", "init", "--quiet", tmp_path), check=True)
    return tmp_path
