"""The work queue: keys that wait for a worker.

A key waits at most once; while a worker has it, it is not given to another, and if it was added
meanwhile it comes again after `done`. Failures come back with exponential backoff.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from argosy.base.clock import Clock, wait

K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.05
LONGEST_DELAY = 60.0


class WorkQueue(Generic[K]):
    """Deduplicating, per-key ordered, with delays. One `run` task moves delayed keys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[K] = deque()
        self._queued: set[K] = set()
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._counter = 0
        self._changed = asyncio.Event()
        self._available = asyncio.Event()

    def add(self, key: K) -> None:
        """`key` has work now."""
        self._due.pop(key, None)
        if key in self._busy:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._available.set()

    def add_after(self, key: K, seconds: float) -> None:
        """`key` has work in `seconds`, unless it is added sooner; the earliest time wins."""
        due = self._clock.monotonic() + seconds
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        self._counter += 1
        heapq.heappush(self._delayed, (due, self._counter, key))
        self._changed.set()

    def retry(self, key: K) -> float:
        """`key` failed: it comes again after a growing delay, which is returned (seconds)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = float(min(FIRST_DELAY * 2 ** min(failures, 30), LONGEST_DELAY))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """`key` succeeded: its next failure starts with the first delay."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; the caller must call `done` with it."""
        while not self._ready:
            self._available.clear()
            await self._available.wait()
        key = self._ready.popleft()
        self._queued.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        """The worker has finished with `key`."""
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def run(self) -> None:
        """Move delayed keys to the ready ones when their time has come."""
        while True:
            self._changed.clear()
            await wait(self._changed, self._clock, self._release())

    def _release(self) -> float | None:
        """Add what is due; return the seconds until the next, None where nothing waits."""
        while self._delayed:
            due, _, key = self._delayed[0]
            if self._due.get(key) != due:
                heapq.heappop(self._delayed)
                continue
            remaining = due - self._clock.monotonic()
            if remaining > 0:
                return remaining
            heapq.heappop(self._delayed)
            self.add(key)
        return None
