"""Processes of this machine, named so that a recycled pid is never taken for them.

A process is its pid together with its start time and the machine's boot id. The host runtime
records the first process of each sandbox this way, so that after a crash of the whole program its
leftovers, and nothing else, are killed.
"""

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_BOOT_ID = PROC / "sys/kernel/random/boot_id"
_PARENT, _STARTED = 1, 19  # fields of /proc/PID/stat, counted after the command's name


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process, for as long as this machine is up."""

    pid: int
    started: int  # clock ticks after boot
    boot: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The process that has `pid` now."""
        fields = _stat(pid)
        if fields is None:
            return None
        return cls(pid, int(fields[_STARTED]), _BOOT_ID.read_text().strip())

    @classmethod
    def parse(cls, text: str) -> "ProcessId | None":
        """Read what `str` wrote; None for anything else (a record that was cut short)."""
        parts = text.split()
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
            return None
        return cls(int(parts[0]), int(parts[1]), parts[2])

    def __str__(self) -> str:
        return f"{self.pid} {self.started} {self.boot}"

    def kill(self, *, timeout: float = 5.0) -> bool:
        """SIGKILL it, if it is still there, and wait for its end; whether it is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if ProcessId.of(self.pid) != self:  # checked after opening: now it can't be recycled
                return True
            send(handle, signal.SIGKILL)
            return bool(select.select([handle], [], [], timeout)[0])
        finally:
            os.close(handle)


def send(handle: int, number: signal.Signals) -> None:
    """Signal the process behind a pidfd; one that has ended already is fine."""
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return


def parent(pid: int) -> int | None:
    """The parent's pid; None where there is no such process."""
    fields = _stat(pid)
    return None if fields is None else int(fields[_PARENT])


def child_named(first: int, inner: int) -> int | None:
    """The child of `first`, the first process of a pid namespace, that is `inner` in there."""
    for pid in _pids():
        if parent(pid) == first and _namespaced(pid)[-1:] == [str(inner)]:
            return pid
    return None


def _pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir(PROC) if entry.isdigit())


def _namespaced(pid: int) -> list[str]:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()  # the command's name may hold anything
