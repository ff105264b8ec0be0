"""The machine's processes, to see what a cluster runs and what it leaves behind."""

import threading
from collections.abc import Iterable

from argosy.node.runtimes.processes import PROC, ProcessId, parent
from tests.e2e.kit import PAUSE


def below(root: int) -> set[ProcessId]:
    """All processes that `root` has started, and those that they have, at any depth."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        above = parent(int(entry.name)) if entry.name.isdigit() else None
        if above is not None:
            children.setdefault(above, []).append(int(entry.name))
    found, look = set(), [root]
    while look:
        mine = children.get(look.pop(), [])
        found |= {one for pid in mine if (one := ProcessId.of(pid)) is not None}
        look += mine
    return found


def alive(processes: Iterable[ProcessId]) -> dict[int, str]:
    """Those that still run, with their command lines."""
    found = {}
    for one in processes:
        if ProcessId.of(one.pid) == one and (command := _command(one.pid)):
            found[one.pid] = command
    return found


def _command(pid: int) -> str:
    """Empty for a zombie, which runs no more."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Watchman:
    """Notes every process below `root`, and its command line, for as long as the block lasts."""

    def __init__(self, root: int) -> None:
        self.seen: dict[ProcessId, str] = {}
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(PAUSE):
            self.seen |= {one: _command(one.pid) for one in below(self._root)}

    def __enter__(self) -> "Watchman":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
