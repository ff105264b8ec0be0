"""A store on a disk that does what a test wants."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from argosy.store.database import Database
from argosy.store.folder import FILE, connected, locked
from argosy.store.interface import Change
from argosy.store.log import Limits
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore


class Disk:
    """A real database that holds its commits at a gate, and fails where told to."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.holding = False
        self.gate = threading.Semaphore(0)
        self.committing = threading.Event()
        self.failing: set[str] = set()
        self.batches: list[int] = []
        self.trims = 0
        self.tidied: list[int] = []
        self.order: list[str] = []

    def release(self) -> None:
        """Let the commit at the gate go, and all that come after it."""
        self.holding = False
        self.gate.release()

    def _step(self, name: str) -> None:
        if name in self.failing:
            raise sqlite3.OperationalError("database or disk is full")

    def begin(self, changes: Sequence[Change]) -> None:
        self.database.begin(changes)
        self.batches.append(len(changes))
        self.order.append("batch")
        self._step("begin")

    def trim(self, dropped: Sequence[int], floor: int) -> None:
        self.trims += 1
        self.database.trim(dropped, floor)
        self._step("trim")

    def end(self) -> None:
        self.committing.set()
        assert not self.holding or self.gate.acquire(timeout=5)
        self._step("end")
        self.database.end()

    def tidy(self, dropped: Sequence[int], floor: int | None) -> bool:
        self.committing.set()
        assert not self.holding or self.gate.acquire(timeout=5)
        self._step("tidy")
        self.tidied.append(len(dropped))
        self.order.append("tidy")
        return self.database.tidy(dropped, floor)

    def reseal_bite(self, after: int) -> int:
        return self.database.reseal_bite(after)

    def opens_by(self, wanted: Sealing, after: int) -> int:
        return self.database.opens_by(wanted, after)


def open_on_disk(folder: Path, limits: Limits | None = None) -> tuple[SqliteStore, Disk]:
    """The store in a folder, and its disk."""
    with ExitStack() as files:
        files.enter_context(locked(folder))
        disk = Disk(Database(files.enter_context(connected(folder / FILE))))
        state, dropped = disk.database.load(limits or Limits())
        return SqliteStore(disk, state, dropped, files.pop_all()), disk


def revisions(folder: Path) -> list[int]:
    """Of the rows in the file."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        query = "SELECT revision FROM change ORDER BY revision"
        return [revision for (revision,) in connection.execute(query)]


def floor(folder: Path) -> int:
    """As the file has it."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        floor: int = connection.execute("SELECT floor FROM history").fetchone()[0]
        return floor
