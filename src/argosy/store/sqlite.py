"""The durable store: everything in memory, every change in SQLite before it is told to anyone.

Writes go to the head at once and queue up. One batch at a time is inserted, here in the event
loop, and committed in a worker thread; what arrives meanwhile is the next batch, so groups form by
themselves and the fsync is shared. After a commit the batch becomes visible, its writers hear of
it, and the next one starts. If the disk refuses, all that is pending has failed, the head falls
back to the durable state, and the next write tries the disk again.

Nothing below depends on the task of a caller: one that is cancelled only stops listening.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from argosy.store.database import Database
from argosy.store.folder import connected, explained, locked
from argosy.store.interface import Change, Mutation, Record, StoreUnavailableError
from argosy.store.log import Limits, Watch
from argosy.store.state import DEFAULT_LIMITS, State

TRIM_FROM = 64
"""History is trimmed on disk when it is so many revisions behind: rarely, but in small bites."""
TRIM_MOST = 256


class Disk(Protocol):
    """What is needed of a database: transactions whose end may run in a thread.

    `begin` rolls back what is left of a transaction that failed.
    """

    def begin(self, changes: Sequence[Change]) -> None: ...

    def trim(self, dropped: Sequence[int], floor: int) -> None: ...

    def end(self) -> None: ...


class SqliteStore:
    """The store in a folder of its own; `open` makes one."""

    def __init__(self, disk: Disk, state: State, dropped: list[int], files: ExitStack) -> None:
        self._disk = disk
        self._state = state
        self._dropped = dropped
        self._files = files
        self._stored_floor = state.log.floor
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argosy-store")
        self._queue: list[Change] = []
        self._busy = False
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}
        self._closing = False

    @classmethod
    def open(cls, folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """Open the store in `folder`, made where there is none. Blocks. Raises StoreOpenError."""
        with ExitStack() as files, explained(folder):
            files.enter_context(locked(folder))
            database = Database(files.enter_context(connected(folder)))
            state, dropped = database.load(limits)
            return cls(database, state, dropped, files.pop_all())

    @property
    def revision(self) -> int:
        return self._state.revision

    def get(self, key: str) -> Record | None:
        return self._state.get(key)

    def list(self, prefix: str) -> list[Record]:
        return self._state.under(prefix)

    def watch(self, prefix: str, after: int) -> Watch:
        return self._state.watch(prefix, after)

    def compact(self, keep_after: int) -> None:
        self._dropped += self._state.log.forget(keep_after)

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        if self._closing:
            raise StoreUnavailableError("the store is closed")
        staged = self._state.stage(key, mutate)
        if staged.change is not None:
            self._enqueue(staged.change)
        await self._durable(staged.revision)
        return staged.told()

    async def close(self) -> None:
        self._closing = True
        with suppress(StoreUnavailableError):  # its writers hear of it
            await self._durable(self._state.head)
        if self._state.log.closed:
            return
        self._state.log.close()
        with suppress(sqlite3.Error):  # what is not trimmed now is found when opening
            self._trim_all()
        self._thread.shutdown()
        self._files.close()

    async def _durable(self, revision: int) -> None:
        if revision > self._state.revision:
            heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(revision, []).append(heard)
            await heard

    def _enqueue(self, change: Change) -> None:
        self._queue.append(change)
        if not self._busy:
            self._busy = True
            # Not at once: whoever else is ready to write joins the first batch.
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        batch, self._queue = self._queue, []
        self._busy = bool(batch)
        if not batch:
            return
        try:
            self._disk.begin(batch)
            trimmed = self._trim_some()
            commit = asyncio.get_running_loop().run_in_executor(self._thread, self._disk.end)
        except Exception as error:  # whatever it is, nobody may be left waiting
            self._busy = False
            self._refuse(error)
            return
        commit.add_done_callback(partial(self._ended, batch, *trimmed))

    def _ended(
        self, batch: Sequence[Change], trimmed: int, floor: int, commit: asyncio.Future[None]
    ) -> None:
        error = commit.exception()
        if error is not None:
            self._refuse(error)
        else:
            self._stored_floor = floor
            del self._dropped[:trimmed]
            self._dropped += self._state.publish(batch)
            self._tell(batch)
        self._begin()

    def _tell(self, batch: Sequence[Change]) -> None:
        for change in batch:
            for heard in self._waiting.pop(change.revision, ()):
                if not heard.done():
                    heard.set_result(None)

    def _refuse(self, error: BaseException) -> None:
        self._queue.clear()
        self._state.rollback()
        waiting, self._waiting = self._waiting, {}
        for heard in (heard for group in waiting.values() for heard in group):
            if not heard.done():
                refusal = StoreUnavailableError(f"writing to the store: {error}")
                refusal.__cause__ = error
                heard.set_exception(refusal)

    def _trim_some(self) -> tuple[int, int]:
        """Trim a bite, where it is time. Returns how many of `_dropped`, and the floor stored."""
        floor = self._state.log.floor
        if max(len(self._dropped), floor - self._stored_floor) < TRIM_FROM:
            return 0, self._stored_floor
        bite = self._dropped[:TRIM_MOST]
        self._disk.trim(bite, floor)
        return len(bite), floor

    def _trim_all(self) -> None:
        if self._dropped or self._state.log.floor != self._stored_floor:
            self._disk.begin([])
            self._disk.trim(self._dropped, self._state.log.floor)
            self._disk.end()
