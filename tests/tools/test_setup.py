"""Tests of `tools/setup.sh` on machines that lack something, made of fake programs."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "setup.sh"
OLD = "exit 1"
RECENT = 'case "$2" in *version_info\\ \\<*) ;; *print*) echo 3.12 ;; *) exit 1 ;; esac'


@dataclass(frozen=True)
class Machine:
    """A checkout at `root` with the programs in `root/bin` and no others."""

    root: Path

    def install(self, name: str, body: str) -> None:
        """A program, written in shell."""
        program = self.root / "bin" / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    def run(self, part: str, **env: str) -> tuple[int, str]:
        """The exit status and what was said on stderr; stdout stays empty."""
        command = ("/bin/sh", self.root / "tools" / "setup.sh", part)
        path = {"PATH": str(self.root / "bin")}
        done = subprocess.run(command, env={**path, **env}, capture_output=True, text=True)
        assert not done.stdout
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    (tmp_path / "bin" / "dirname").symlink_to(shutil.which("dirname") or "")
    made = Machine(tmp_path)
    made.install("id", "echo 1000")
    return made


def no_python(machine: Machine) -> None: ...


def old_python(machine: Machine) -> None:
    machine.install("python3", OLD)


def python_without_ensurepip(machine: Machine) -> None:
    machine.install("python3", OLD)
    machine.install("python3.12", RECENT)


PROBLEMS = [
    (no_python, {}, "Python 3.11 or later was not found", "apt install python3 python3-venv"),
    (old_python, {}, "Python 3.11 or later was not found", "make PYTHON=/path/to/it"),
    (old_python, {"PYTHON": "python3"}, "PYTHON=python3 is not", "leave PYTHON out"),
    (python_without_ensurepip, {}, "python3.12 can't make", "apt install python3.12-venv"),
]


@pytest.mark.parametrize(("prepare", "env", "error", "hint"), PROBLEMS)
def test_what_is_missing_is_said_with_a_hint(
    machine: Machine,
    prepare: Callable[[Machine], None],
    env: dict[str, str],
    error: str,
    hint: str,
) -> None:
    prepare(machine)
    status, said = machine.run("dev", **env)
    first, last = said.splitlines()
    assert (status, first.split(": ")[0], last.split(": ")[0]) == (1, "error", "hint")
    assert error in first and hint in last
    assert not (machine.root / ".venv").exists()


def test_the_demo_stops_without_a_sandbox(machine: Machine) -> None:
    machine.install("apt-get", f"echo > {machine.root}/called")
    status, said = machine.run("sandbox")
    assert status == 1 and "\nhint: " in said
    assert not (machine.root / "called").exists()  # not root


def test_root_gets_the_sandbox_installed(machine: Machine) -> None:
    machine.install("id", "echo 0")
    machine.install("apt-get", f'echo "$@" >> {machine.root}/called')
    assert machine.run("sandbox") == (0, "setup: installing the package bubblewrap\n")
    assert "install -y --no-install-recommends bubblewrap" in (machine.root / "called").read_text()


def test_a_failed_installation_is_no_success(machine: Machine) -> None:
    machine.install("id", "echo 0")
    machine.install("apt-get", "exit 100")
    status, said = machine.run("sandbox")
    assert status == 1 and "\nhint: " in said


def test_a_sandbox_that_is_there_is_enough(machine: Machine) -> None:
    machine.install("bwrap", "exit 1")
    assert machine.run("sandbox") == (0, "")
