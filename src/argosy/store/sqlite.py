"""The durable store: everything in memory, every change in SQLite before it is told to anyone.

Writes go to the head at once and queue up. One batch at a time is inserted, here in the event
loop, and committed in a worker thread; what arrives meanwhile is the next batch, so groups form by
themselves and the fsync is shared. After a commit the batch becomes visible, its writers hear of
it, and the next one starts. If the disk refuses, all that is pending has failed, the head falls
back to the durable state, and the next write tries the disk again.

Between two batches the file may be tidied, in bites that take less time than a batch (`tidy`).

Nothing below depends on the task of a caller: one that is cancelled only stops listening.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Protocol, Self

from argosy.base.errors import internal_error
from argosy.store.database import Database
from argosy.store.folder import FILE, connected, explained, locked
from argosy.store.interface import Change, Mutation, Page, Record, StoreUnavailableError
from argosy.store.log import Limits, Reader
from argosy.store.sealing import SealError, Sealing
from argosy.store.state import DEFAULT_LIMITS, State

TRIM_FROM = 64
"""History is trimmed on disk when it is so many revisions behind: rarely, but in small bites."""
TRIM_MOST = 256
LONGEST_START = 0.002
"""Seconds for which the event loop waits until a commit that is hastened has begun."""
NEWEST = 0.1
"""The weight of the newest commit in what one takes lately."""


class Disk(Protocol):
    """What is needed of a database: transactions whose end may run in a thread.

    `begin` rolls back what is left of a transaction that failed.
    """

    def begin(self, changes: Sequence[Change]) -> None: ...

    def trim(self, dropped: Sequence[int], floor: int) -> None: ...

    def end(self) -> None: ...

    def tidy(self, dropped: Sequence[int], floor: int | None) -> bool: ...

    def reseal_bite(self, after: int) -> int: ...

    def opens_by(self, wanted: Sealing, after: int) -> int: ...


class SqliteStore:
    """The store in a folder of its own; `open` makes one."""

    def __init__(
        self,
        disk: Disk,
        state: State,
        dropped: list[int],
        files: ExitStack,
        *,
        sealing: Sealing | None = None,
    ) -> None:
        self._disk = disk
        self._sealing = sealing
        self._state = state
        self._dropped = dropped
        self._files = files
        self._stored_floor = state.log.floor
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argosy-store")
        self._queue: list[Change] = []
        self._busy = False
        self._trim_from = TRIM_FROM
        self._commit_seconds = 0.0
        self._hasty: Callable[[], bool] = bool
        self._chores: deque[Callable[[], None]] = deque()
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}
        self._closing = False

    @classmethod
    def open(
        cls, folder: Path, *, limits: Limits = DEFAULT_LIMITS, sealing: Sealing | None = None
    ) -> Self:
        """Open the store in `folder`, made where there is none. Blocks. Raises StoreOpenError.

        Values are sealed on the disk as `sealing` says; those that are sealed otherwise, or not
        yet, are sealed anew first.
        """
        with ExitStack() as files, explained(f"the store in {folder}"):
            files.enter_context(locked(folder))
            if sealing is not None:
                sealing.prime()
            connection = files.enter_context(connected(folder / FILE))
            sealing = sealing or Sealing()
            database = Database(connection, sealing)
            state, dropped = database.load(limits)
            database.reseal()
            return cls(database, state, dropped, files.pop_all(), sealing=sealing)

    @property
    def revision(self) -> int:
        return self._state.revision

    @property
    def commit_seconds(self) -> float:
        return self._commit_seconds

    def hasten(self, wanted: Callable[[], bool]) -> None:
        self._hasty = wanted

    def get(self, key: str) -> Record | None:
        return self._state.get(key)

    def list(self, prefix: str) -> list[Record]:
        return self._state.under(prefix)

    def page(
        self, prefix: str, *, start_after: str = "", limit: int = 0, revision: int | None = None
    ) -> Page:
        return self._state.page(prefix, start_after, limit, revision)

    def watch(self, prefix: str, after: int) -> Reader:
        return self._state.watch(prefix, after)

    def compact(self, keep_after: int) -> None:
        self._dropped += self._state.log.forget(keep_after)

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        if self._closing:
            raise StoreUnavailableError("the store is closed")
        if self._sealing is not None and self._sealing.remotes:
            mutate = _guarded(self._sealing, key, mutate)
        staged = self._state.stage(key, mutate)
        if staged.change is not None:
            self._enqueue(staged.change)
        await self._durable(staged.revision)
        return staged.told()

    async def tidy(self) -> bool:
        """Make the file smaller by a bite: trim it, and give free pages back to the system.

        Returns whether there is more to do; waits for its turn between two batches. Raises
        StoreUnavailableError, with no harm to writes.
        """
        return not self._closing and await self._bite()

    async def reseal(self) -> None:
        """Seal anew, in bites between two batches, what is sealed by a key that is not the newest.

        Stops where the store is closed. What is written meanwhile is not looked at: writers may
        never rest. Raises StoreUnavailableError, with no harm to writes: what is left is stale, and
        the next call or start finds it.
        """
        after, newest = 0, self._state.head
        while after < newest and not self._closing:
            done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._add_chore(partial(self._begin_reseal, done, after))
            after = await done or newest

    async def adopt(self, sealing: Sealing, after: int = 0) -> None:
        """Seal as `sealing` does from now on, if all rows after a revision open by it.

        Raises SealError, StoreUnavailableError, and nothing has changed then.
        """
        if self._closing:
            raise StoreUnavailableError("the store is closed")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add_chore(partial(self._begin_adopting, done, sealing, after))
        await done

    async def close(self) -> None:
        self._closing = True
        with suppress(StoreUnavailableError):  # its writers hear of it
            await self._durable(self._state.head)
        while self._busy:
            with suppress(StoreUnavailableError):
                await self._bite()
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

    async def _bite(self) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._add_chore(partial(self._begin_tidying, done))
        return await done

    def _add_chore(self, begin: Callable[[], None]) -> None:
        self._chores.append(begin)
        self._wake()

    def _enqueue(self, change: Change) -> None:
        self._queue.append(change)
        self._wake()

    def _wake(self) -> None:
        if not self._busy:
            self._busy = True
            # Not at once: whoever else is ready to write joins the first batch.
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._busy = bool(self._chores or self._queue)
        if self._chores:
            self._chores.popleft()()
        elif self._queue:
            self._begin_batch()

    def _begin_tidying(self, done: asyncio.Future[bool]) -> None:
        floor, bite = self._state.log.floor, self._dropped[:TRIM_MOST]
        trim = floor if bite or floor != self._stored_floor else None
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._disk.tidy, bite, trim)
        work.add_done_callback(partial(self._tidied, done, len(bite), floor))

    def _tidied(
        self, done: asyncio.Future[bool], trimmed: int, floor: int, work: asyncio.Future[bool]
    ) -> None:
        error = work.exception()
        if error is None:
            self._note_trim(trimmed, floor)
        if not done.done():
            if error is None:
                done.set_result(work.result() or bool(self._dropped))
            else:
                done.set_exception(_unavailable("tidying the store", error))
        self._begin()

    def _begin_reseal(self, done: asyncio.Future[int], after: int) -> None:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._disk.reseal_bite, after)
        work.add_done_callback(partial(self._resealed, done))

    def _resealed(self, done: asyncio.Future[int], work: asyncio.Future[int]) -> None:
        error = work.exception()
        if not done.done():
            if error is None:
                done.set_result(work.result())
            else:
                done.set_exception(_unavailable("sealing the store anew", error))
        self._begin()

    def _begin_adopting(self, done: asyncio.Future[None], sealing: Sealing, after: int) -> None:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._disk.opens_by, sealing, after)
        work.add_done_callback(partial(self._adopted, done, sealing))

    def _adopted(
        self, done: asyncio.Future[None], sealing: Sealing, work: asyncio.Future[int]
    ) -> None:
        error = work.exception()
        if done.done():  # whoever asked has gone
            pass
        elif error is not None:
            sealed = isinstance(error, SealError)
            done.set_exception(error if sealed else _unavailable("reading the store", error))
        else:
            assert self._sealing is not None
            self._sealing.become(sealing)  # all rows open, and no batch is under way
            done.set_result(None)
        self._begin()

    def _begin_batch(self) -> None:
        batch, self._queue = self._queue, []
        try:
            self._disk.begin(batch)
            trimmed = self._trim_some()
            loop, begun = asyncio.get_running_loop(), Event() if self._hasty() else None
            commit = loop.run_in_executor(self._thread, self._commit, loop.time, begun)
            if begun is not None:
                begun.wait(LONGEST_START)
        except Exception as error:  # whatever it is, nobody may be left waiting
            self._busy = False
            self._refuse(error)
            return
        commit.add_done_callback(partial(self._ended, batch, *trimmed))

    def _commit(self, now: Callable[[], float], begun: Event | None) -> None:
        """Bring the batch to the disk; runs in the thread."""
        began = now()
        if begun is not None:
            begun.set()
        self._disk.end()
        self._commit_seconds += NEWEST * (now() - began - self._commit_seconds)

    def _ended(
        self, batch: Sequence[Change], trimmed: int, floor: int, commit: asyncio.Future[None]
    ) -> None:
        error = commit.exception()
        if error is not None:
            self._refuse(error)
        else:
            self._note_trim(trimmed, floor)
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
        self._trim_from *= 2  # perhaps it was the trim that found no room: next time without
        self._state.rollback()
        waiting, self._waiting = self._waiting, {}
        for heard in (heard for group in waiting.values() for heard in group):
            if not heard.done():
                heard.set_exception(_unavailable("writing to the store", error))

    def _trim_some(self) -> tuple[int, int]:
        """Trim a bite, where it is time. Returns how many of `_dropped`, and the floor stored."""
        floor = self._state.log.floor
        if max(len(self._dropped), floor - self._stored_floor) < self._trim_from:
            return 0, self._stored_floor
        bite = self._dropped[:TRIM_MOST]
        self._disk.trim(bite, floor)
        return len(bite), floor

    def _note_trim(self, trimmed: int, floor: int) -> None:
        if trimmed or floor != self._stored_floor:
            self._trim_from = TRIM_FROM
        self._stored_floor = floor
        del self._dropped[:trimmed]

    def _trim_all(self) -> None:
        if self._dropped or self._state.log.floor != self._stored_floor:
            self._disk.begin([])
            self._disk.trim(self._dropped, self._state.log.floor)
            self._disk.end()


def _guarded(sealing: Sealing, key: str, mutate: Mutation) -> Mutation:
    """`mutate`, but what can't be sealed now is refused, and whatever shares its batch is not."""

    def run(current: Record | None, revision: int) -> bytes | object | None:
        value = mutate(current, revision)
        if isinstance(value, bytes) and (refusal := sealing.refusal(key)):
            raise internal_error(refusal)
        return value

    return run


def _unavailable(doing: str, error: BaseException) -> StoreUnavailableError:
    refusal = StoreUnavailableError(f"{doing}: {error}")
    refusal.__cause__ = error
    return refusal
