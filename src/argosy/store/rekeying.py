"""Lets a store seal as another configuration says while it is open, and looks after its keys.

In three steps: what is stored must all open by the new configuration, history too, and to the same
bytes; then, between two batches of writes, the new one counts; then what is sealed otherwise is
sealed anew, in bites. Before the second step nothing has changed, and after it every value opens by
the new one, so the process may be killed anywhere. The rows are looked at by a connection of their
own first, so that no write waits for that, or for a plugin; what was written meanwhile is looked at
in the second step.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path

from argosy.base.clock import Clock
from argosy.store.database import DamageError, Database
from argosy.store.folder import FILE, reading
from argosy.store.interface import StoreUnavailableError
from argosy.store.kms.keeper import Keeper
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore

BITE_ROWS = 256
RETRY_SECONDS = 20.0

log = logging.getLogger(__name__)


class Rekeying:
    """The keys of the store in `folder`, which is sealed as `sealing` says."""

    def __init__(self, store: SqliteStore, folder: Path, sealing: Sealing, clock: Clock) -> None:
        self.sealing = sealing
        self._store = store
        self._file = folder / FILE
        self._clock = clock
        self._changed = asyncio.Event()
        self._stale = False
        self._turn = asyncio.Lock()
        """Held by whoever seals anew, or looks whether all opens."""

    async def run(self) -> None:
        """Look after the keys until cancelled."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as group:
                keeper = Keeper(self._store, self.sealing, self._clock, self._turn)
                tasks = [group.create_task(keeper.run()), group.create_task(self._reseal())]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    async def adopt(self, wanted: Sealing) -> None:
        """Seal as `wanted` says from now on, and what there is soon.

        Raises SealError, StoreUnavailableError, and nothing has changed then.
        """
        before = self.sealing.remotes
        try:
            async with self._turn:
                await asyncio.to_thread(wanted.prime)
                await self._store.adopt(wanted, await self._all_open(wanted))
        except Exception:
            wanted.close()
            raise
        self._stale = True
        self._changed.set()
        for remote in before:
            remote.close()

    async def _all_open(self, wanted: Sealing) -> int:
        """Up to which revision all rows open by it. Raises SealError, StoreUnavailableError.

        What is written meanwhile is left: writers may never rest.
        """
        after, newest = 0, self._store.revision
        try:
            while after < newest:
                last = await asyncio.to_thread(self._bite, wanted, after)
                after = last or newest
        except (DamageError, sqlite3.Error) as error:
            raise StoreUnavailableError(f"reading the store, {error}") from error
        return after

    def _bite(self, wanted: Sealing, after: int) -> int:
        with reading(self._file) as connection:  # anew each time: a held snapshot swells the log
            return Database(connection, self.sealing).opens_by(wanted, after, BITE_ROWS)

    async def _reseal(self) -> None:
        """Seal anew what a change of the configuration has left; try until that is done."""
        while self._stale:
            try:
                async with self._turn:
                    await self._store.reseal()
                    self._stale = False
                log.info("all values are sealed as configured")
            except StoreUnavailableError as error:
                log.error("values could not be sealed anew yet", extra={"error": str(error)})
                await self._clock.sleep(RETRY_SECONDS)
