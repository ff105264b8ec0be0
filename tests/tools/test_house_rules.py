"""Tests of the rules that `tests/conftest.py` holds every test to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

SUITE = """
import socket
import time

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("2001:db8::1", 9)])
@pytest.mark.parametrize("use", ["connect", "connect_ex", "sendto"])
def test_other_machine(address, use):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as used, pytest.raises(PermissionError):
        used.sendto(b"", address) if use == "sendto" else getattr(used, use)(address)


def test_this_machine(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


def test_slow():
    time.sleep(0.3)


def test_skipped():
    pytest.skip("too tired")


def test_skipped_for_a_listed_reason():
    pytest.skip("no moon")


@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    raise AssertionError
"""


def run(folder: Path, **env: str) -> list[str]:
    """The lines that pytest prints about the tests in `folder`."""
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--tb=line")
    done = subprocess.run(
        command, cwd=folder, env={**clean, "COLUMNS": "200", **env}, capture_output=True, text=True
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A project with the real rules, but for the time: a test may take 0.2 s."""
    room = tmp_path / "tests" / "room"
    room.mkdir(parents=True)
    shutil.copy(TESTS.parent / "pyproject.toml", tmp_path)
    rules = (TESTS / "conftest.py").read_text().replace("LIMIT = 10.0", "LIMIT = 0.2")
    (room.parent / "conftest.py").write_text(rules)
    (room.parent / "allowed_skips.txt").write_text("# Reasons.\nno moon\n")
    (room / "test_rules.py").write_text(SUITE)
    return tmp_path


def test_a_slow_unit_test_fails_and_skips_are_listed(suite: Path) -> None:
    lines = run(suite)
    assert any("test_slow" in line and "a unit test may take 0.2 s" in line for line in lines)
    assert any(line.startswith("SKIPPED") and line.endswith(": too tired") for line in lines)
    assert lines[-1].strip("= ").startswith("1 failed, 7 passed, 2 skipped, 1 xfailed")


def test_in_ci_an_unlisted_skip_fails(suite: Path) -> None:
    (suite / "tests" / "room").rename(suite / "tests" / "e2e")  # where tests may be slow
    lines = run(suite, CI="true")
    assert any("allowed_skips.txt lacks: too tired" in line for line in lines)
    assert any(line.startswith("SKIPPED") and line.endswith(": no moon") for line in lines)
    assert lines[-1].strip("= ").startswith("1 failed, 8 passed, 1 skipped, 1 xfailed")


def test_in_ci_a_whole_module_may_not_skip_itself_either(suite: Path) -> None:
    module = suite / "tests" / "room" / "test_whole.py"
    module.write_text("import pytest\npytest.importorskip('nil')")
    lines = run(suite, CI="true")
    assert any("allowed_skips.txt lacks: could not import 'nil'" in line for line in lines)
    assert "1 error" in lines[-1]
