"""`make demo`'s own command, in a copy of the examples: it ends well and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import REPOSITORY, until
from tests.e2e.processes import Watchman, alive, below

SECONDS = 90.0
ROWS = (
    "gang start, from apply to both ranks running",
    "steps done",
    "steps lost to the kill and done again",
    "time to recover, from the kill to a new step",
    "accuracy on held-out pictures, over HTTP",
    "prediction p50",
    "prediction p99",
    "peak memory of the cluster's process",
)


class Stage:
    """A copy of the examples, and a home and a temporary folder that nothing else uses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._demo: subprocess.Popen[bytes] | None = None

    def launch(self, output: Path) -> subprocess.Popen[bytes]:
        """Start the demo."""
        environment = {
            **os.environ,
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with output.open("wb") as file:
            self._demo = subprocess.Popen(
                [sys.executable, "-m", "examples.digits.demo"],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return self._demo

    def end(self) -> None:
        """Kill what a failed test has left running."""
        if self._demo is not None and self._demo.poll() is None:
            for one in below(self._demo.pid):
                one.kill()
            self._demo.kill()
            self._demo.wait()

    def files(self) -> set[str]:
        """All files but those of the demo's own folder."""
        paths = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        # kubectl's cache in HOME is kubectl's.
        return {
            str(path) for path in paths if path.parts[0] != ".demo" and ".kube" not in path.parts
        }


@pytest.fixture
def stage(sandboxed: None, tmp_path: Path) -> Iterator[Stage]:
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "examples", root / "examples", ignore=ignored)
    for name in ("home", "tmp"):
        (root / name).mkdir()
    set_up = Stage(root)
    yield set_up
    set_up.end()


def test_the_demo_tells_the_main_job_and_leaves_nothing_behind(
    stage: Stage, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    before = stage.files()
    demo = stage.launch(output)
    with Watchman(demo.pid) as watchman:
        code = demo.wait(SECONDS)
    told = output.read_text()
    assert code == 0, told
    for row in ROWS:
        (line,) = [line for line in told.splitlines() if f"│ {row} " in line]
        assert any(letter.isdigit() for letter in line.split("│")[2]), line
    assert "argosy stopped with exit code 0" in told
    assert any("bwrap" in line for line in watchman.seen.values()), "no sandbox was ever seen"
    assert alive(watchman.seen) == {}
    assert stage.files() == before


def test_the_demo_ends_well_though_its_cluster_is_killed(stage: Stage, tmp_path: Path) -> None:
    output = tmp_path / "output"
    demo = stage.launch(output)
    with Watchman(demo.pid) as watchman:
        until(lambda: "killed rank 1" in output.read_text() or None, told=output.read_text)
        (pid,) = [pid for pid, line in alive(below(demo.pid)).items() if "-m argosy up" in line]
        os.kill(pid, signal.SIGKILL)
        code = demo.wait(SECONDS)
    told = output.read_text()
    assert code == 0, told
    assert "an undisturbed run with the same seed ends with the same weights" in told
    assert alive(watchman.seen) == {}
