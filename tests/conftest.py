"""The house rules that every test is held to.

- Sockets connect to this machine only, so no test depends on the network.
- A unit test takes two seconds at most: one that takes longer is named at the end, one that takes
  far longer fails. Tests that start whole processes are exempt.
- In continuous integration (`CI` is set) a skip fails unless `allowed_skips.txt` lists its reason,
  so that no test falls silent unnoticed.
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal import charmap

TESTS = Path(__file__).parent
WANTED = 2.0
LIMIT = 10.0  # machines are noisy: what takes so long is slow on any of them
MAY_BE_SLOW = frozenset({"e2e", "examples", "tools"})

WAITED = pytest.StashKey[float]()
SLOW = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """From here on, no test reaches another machine, and Hypothesis minds no clock of its own."""
    sys.addaudithook(refuse_network)
    settings.register_profile("house", settings(), deadline=None)
    settings.load_profile("house")


def pytest_collection_finish() -> None:
    """On a fresh clone the first look at all of Unicode takes longer than a test may."""
    charmap.charmap()


def refuse_network(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook that stops connections and datagrams to other machines.

    Unlike a patched `socket.connect` it also holds for sockets that C code makes through Python.
    """
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        used, address = args
        if used.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address):
            raise PermissionError(f"tests may connect to this machine only, not to {address!r}")


def is_local(address: object) -> bool:
    """Whether an address is of the loopback; none at all is that of an earlier connect."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Notes how long the test stood in line for a processor."""
    began = in_line()
    try:
        return (yield)
    finally:
        item.stash[WAITED] = in_line() - began


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns a slow test's report and an unlisted skip's into a failure."""
    report = yield
    spent = report.duration - item.stash.get(WAITED, 0.0)
    if report.when == "call" and report.passed and spent > LIMIT and is_unit(item.path):
        report.outcome = "failed"
        report.longrepr = f"took {spent:.1f} s; a unit test may take {LIMIT:g} s"
    if report.when == "call" and spent > WANTED and is_unit(item.path):
        item.config.stash.setdefault(SLOW, []).append(f"{spent:.1f} s  {item.nodeid}")
    if not hasattr(report, "wasxfail"):
        fail_unlisted_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the unit tests that took longer than wanted."""
    slow = terminalreporter.config.stash.get(SLOW, [])
    if slow:
        terminalreporter.section(f"unit tests over {WANTED:g} s")
        terminalreporter.write_line("\n".join(sorted(slow, reverse=True)))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module may skip itself as a whole: the same rule."""
    report = yield
    fail_unlisted_skip(report)
    return report


def fail_unlisted_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI, makes a failure of a skip whose reason `allowed_skips.txt` doesn't list."""
    if not (report.skipped and os.environ.get("CI") and isinstance(report.longrepr, tuple)):
        return
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if reason not in allowed_skips():
        report.outcome = "failed"
        report.longrepr = f"skipped for a reason that tests/allowed_skips.txt lacks: {reason}"


def allowed_skips() -> frozenset[str]:
    """The committed reasons."""
    lines = (TESTS / "allowed_skips.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_unit(path: Path) -> bool:
    """Whether a test file is held to the time limit."""
    return path.relative_to(TESTS).parts[0] not in MAY_BE_SLOW


def in_line() -> float:
    """Seconds that this thread was ready to run while others had the processors.

    Taken off a test's time, so that a busy machine fails nobody (proc(5), schedstat).
    """
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
