"""What the operating system says of this process, under Prometheus' usual names."""

import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from argosy.base.exposition import Family

_PROC = Path("/proc")
_HELP: Mapping[str, str] = {
    "process_cpu_seconds_total": "User and system CPU time that was spent, in seconds.",
    "process_max_fds": "The most file descriptors that may be open.",
    "process_open_fds": "How many file descriptors are open.",
    "process_resident_memory_bytes": "Memory that is held in RAM.",
    "process_start_time_seconds": "When the process began, in seconds since the Unix epoch.",
    "process_virtual_memory_bytes": "Memory that is addressed.",
}


def families(proc: Path = _PROC) -> list[Family]:
    """One family for each figure; empty where the system does not tell it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, float] = {
        "process_cpu_seconds_total": used.ru_utime + used.ru_stime,
        "process_max_fds": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }
    with suppress(OSError, ValueError, IndexError):  # no Linux
        figures |= _of_linux(proc)
    return [
        Family(
            name,
            "counter" if name.endswith("_total") else "gauge",
            text,
            samples={(): figures[name]} if name in figures else {},
        )
        for name, text in _HELP.items()
    ]


def _of_linux(proc: Path) -> dict[str, float]:
    """Source: proc(5); the name of the program may hold anything, so it is passed over."""
    fields = (proc / "self/stat").read_text().rpartition(")")[2].split()
    lines = (proc / "stat").read_text().splitlines()
    booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    return {
        "process_virtual_memory_bytes": int(fields[20]),
        "process_resident_memory_bytes": int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
        "process_start_time_seconds": booted + int(fields[19]) / os.sysconf("SC_CLK_TCK"),
        "process_open_fds": len(os.listdir(proc / "self/fd")),
    }
