"""What a store needs done from time to time, and no writer should wait for.

History that is old enough is forgotten, the file is trimmed to what is left, and once a day all of
it is read and checked: reads come from memory, so a bit that rots on the disk would be noticed only
at the next start. Ages are measured by the monotonic clock, and begin anew with the process.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from pathlib import Path

from argosy.base.clock import Clock
from argosy.store.database import DamageError, Database
from argosy.store.folder import FILE, reading
from argosy.store.interface import Store, StoreUnavailableError
from argosy.store.log import Limits
from argosy.store.sqlite import SqliteStore
from argosy.store.state import DEFAULT_LIMITS

log = logging.getLogger(__name__)

TICK_SECONDS = 10.0
CHECK_SECONDS = 24 * 3600.0
BITE_ROWS = 256
PAUSE_SECONDS = 0.1
"""Between two bites: of tidying, so that few writes meet one (a file loses 2.5 MB a second), and of
a check, which takes 1 % of a processor."""


class Aging:
    """Forgets what is older than `seconds`; `tick` is to be called again and again."""

    def __init__(self, store: Store, clock: Clock, seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._marks: deque[tuple[float, int]] = deque()

    def tick(self) -> None:
        """Note how far the store is now, and forget what was there `seconds` ago."""
        now = self._clock.monotonic()
        while self._marks and self._marks[0][0] <= now - self._seconds:
            self._store.compact(self._marks.popleft()[1])
        self._marks.append((now, self._store.revision))


class Upkeep:
    """Looks after the store in `folder` while it is open."""

    def __init__(
        self, store: SqliteStore, folder: Path, clock: Clock, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._store = store
        self._file = folder / FILE
        self._clock = clock
        self._aging = Aging(store, clock, limits.seconds)

    async def run(self) -> None:
        """Do what is due, until cancelled. What goes wrong is logged, and tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tidy())
            group.create_task(self._check())

    async def _tidy(self) -> None:
        while True:
            self._aging.tick()
            try:
                while await self._store.tidy():
                    await self._clock.sleep(PAUSE_SECONDS)
            except StoreUnavailableError as error:
                log.warning("the store's file could not be tidied", extra={"error": str(error)})
            await self._clock.sleep(TICK_SECONDS)

    async def _check(self) -> None:
        while True:
            await self._clock.sleep(CHECK_SECONDS)
            try:
                await check(self._file, self._clock)
            except (DamageError, sqlite3.Error, UnicodeError) as error:
                log.error(
                    "the store's file is damaged, and will be refused at the next start; what is "
                    "served comes from memory and is whole: save it now",
                    extra={"file": str(self._file), "error": str(error)},
                )


async def check(file: Path, clock: Clock) -> None:
    """Read and check all of a store's file in threads, in small bites, while it is in use.

    Raises DamageError, sqlite3.Error, UnicodeError.
    """
    await asyncio.to_thread(_check_structure, file)
    after = 0
    while last := await asyncio.to_thread(_check_rows, file, after):
        after = last
        await clock.sleep(PAUSE_SECONDS)


def _check_structure(file: Path) -> None:
    with reading(file) as connection:
        Database(connection).check_structure()


def _check_rows(file: Path, after: int) -> int:
    with reading(file) as connection:  # anew each time: a snapshot that is held swells the log
        return Database(connection).check_rows(after, BITE_ROWS)
