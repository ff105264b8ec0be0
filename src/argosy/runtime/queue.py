"""The work queue: keys that wait for a worker.

A key waits at most once; while a worker has it, it is not given to another, and if it was added
meanwhile it comes again after `done`. Keys of a higher priority come first; among equals the groups
that keys belong to (namespaces) take turns, so that nobody waits for all of a big one; within a
group they come in order. Failures come back with exponential backoff, and all of them together no
faster than a rate.
"""

import asyncio
import heapq
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from argosy.base.clock import Clock, wait
from argosy.runtime.counts import QueueCounts

K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.05
LONGEST_DELAY = 60.0
LOW = -100
"""The priority of what need not be looked at soon, because nothing has changed."""
STALE: Final = 64
"""So many entries that do not hold any more are kept at least, before they are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How soon a key comes again that failed.

    Each after `first` seconds, which double up to `longest`; and all together no more than `rate`
    in a second, but for `burst` of them. client-go's figures are 5 ms, 1,000 s, 10 and 100: so
    little makes whoever recovers from an outage wait for minutes, and asks too early before that.
    """

    first: float = FIRST_DELAY
    longest: float = LONGEST_DELAY
    rate: float = 100.0
    burst: int = 1000


RETRIES = Retries()

Entry = tuple[K, int, float]
"""A key that is ready, its priority, and since when. It holds while it is the one in `_queued`."""


class _Level(Generic[K]):
    """The keys of one priority: a lane for each group that has any, and whose turn it is."""

    __slots__ = ("lanes", "turns")

    def __init__(self) -> None:
        self.lanes: dict[Hashable, deque[Entry[K]]] = {}
        self.turns: deque[Hashable] = deque()


class WorkQueue(Generic[K]):
    """Deduplicating, per-key ordered, with delays. One `run` task moves delayed keys.

    An operation takes O(log n) at most, of delays and priorities; O(1) of what is ready.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        group: Callable[[K], Hashable] = lambda key: None,
        retries: Retries = RETRIES,
        counts: QueueCounts | None = None,
    ) -> None:
        self._clock = clock
        self._now = clock.monotonic
        self._group = group
        self._retries = retries
        self._counts = counts or QueueCounts()
        self._levels: dict[int, _Level[K]] = {}
        self._order: list[int] = []  # a heap of the levels' priorities, negated
        self._queued: dict[K, Entry[K]] = {}
        self._overtaken = 0  # entries in lanes that do not hold any more
        self._busy: dict[K, tuple[float, int]] = {}  # since when, and the priority
        self._again: dict[K, int] = {}
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, tuple[float, int, int]] = {}  # when, priority, which entry it is
        self._failures: dict[K, int] = {}
        self._paid = float("-inf")
        self._counter = 0
        self._changed = asyncio.Event()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def add(self, key: K, priority: int = 0) -> None:
        """`key` has work now. Where it waits already, the higher priority counts."""
        if self._due:
            later = self._due.pop(key, None)
            if later is not None and later[1] > priority:
                priority = later[1]
        if key in self._busy:
            again = self._again.get(key)
            if again is None:
                self._counts.adds += 1
            if again is None or again < priority:
                self._again[key] = priority
            return
        known = self._queued.get(key)
        if known is None:
            self._counts.adds += 1
            self._put(key, priority, self._now())
        elif known[1] < priority:
            self._put(key, priority, known[2])
            self._overtaken += 1
            if self._overtaken > STALE + len(self._queued):
                self._tidy()

    def add_after(self, key: K, seconds: float, priority: int | None = None) -> None:
        """`key` has work in `seconds`, unless it is added sooner; the earliest time wins.

        Without a `priority` it has the one with which a worker has it now.
        """
        if priority is None:
            priority = self._busy[key][1] if key in self._busy else 0
        self._counts.retries += 1
        due = self._now() + seconds
        known = self._due.get(key)
        if known is not None:
            priority = max(priority, known[1])
            if known[0] <= due:
                self._due[key] = (known[0], priority, known[2])
                return
        self._counter += 1
        self._due[key] = (due, priority, self._counter)
        if len(self._delayed) > STALE + 2 * len(self._due):
            self._delayed = [item for item in self._delayed if self._holds(item)]
            heapq.heapify(self._delayed)
        entry = (due, self._counter, key)
        heapq.heappush(self._delayed, entry)
        if self._delayed[0] is entry:
            self._changed.set()

    def retry(self, key: K) -> float:
        """`key` failed: it comes again after a growing delay, which is returned (seconds)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        known = self._retries
        delay = max(min(known.first * 2.0 ** min(failures, 64), known.longest), self._turn())
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """`key` succeeded: its next failure starts with the first delay."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; the caller must call `done` with it. There is none once it is closed."""
        while self._closed or not self._queued:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # it was called for a key, which is another's now
                raise
        return self._take()

    def done(self, key: K) -> float:
        """The worker has finished with `key`; how many seconds it took."""
        since, _ = self._busy.pop(key)
        seconds = self._now() - since
        self._counts.worked.add(seconds)
        if self._again:
            again = self._again.pop(key, None)
            if again is not None:
                self._due.pop(key, None)
                self._put(key, again, self._now())
        return seconds

    def close(self) -> None:
        """Hand out no more keys."""
        self._closed = True

    async def run(self) -> None:
        """Move delayed keys to the ready ones when their time has come."""
        while True:
            self._changed.clear()
            await wait(self._changed, self._clock, self._release())

    def depth(self) -> Counter[int]:
        """How many keys are ready, by priority."""
        return Counter(priority for _, priority, _ in self._queued.values())

    def unfinished(self) -> list[float]:
        """For how many seconds each of the keys is worked on that are."""
        now = self._now()
        return [now - since for since, _ in self._busy.values()]

    def _put(self, key: K, priority: int, since: float) -> None:
        level = self._levels.get(priority)
        if level is None:
            level = self._levels[priority] = _Level()
            heapq.heappush(self._order, -priority)
        entry = self._queued[key] = (key, priority, since)
        group = self._group(key)
        lane = level.lanes.get(group)
        if lane is None:
            level.lanes[group] = deque((entry,))
            level.turns.append(group)
        else:
            lane.append(entry)
        if self._waiters:
            self._wake()

    def _take(self) -> K:
        """The key whose turn it is; there is one."""
        queued = self._queued
        while True:
            level = self._levels[-self._order[0]]
            turns = level.turns
            if not turns:
                del self._levels[-heapq.heappop(self._order)]
                continue
            group = turns.popleft()
            lane = level.lanes[group]
            entry = lane.popleft()
            if lane:
                turns.append(group)
            else:
                del level.lanes[group]
            key, priority, since = entry
            held = queued.pop(key, None)
            if held is entry:
                break
            if held is not None:
                queued[key] = held
            self._overtaken -= 1
        now = self._now()
        self._busy[key] = (now, priority)
        self._counts.waited.add(now - since)
        return key

    def _tidy(self) -> None:
        """Make all lanes anew, without what does not hold any more."""
        entries = [entry for level in self._levels.values() for entry in _in_turn(level)]
        queued, self._queued = self._queued, {}
        self._levels, self._order, self._overtaken = {}, [], 0
        for entry in entries:
            if queued.get(entry[0]) is entry:
                self._put(*entry)

    def _wake(self) -> None:
        """Call one of those who wait."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _turn(self) -> float:
        """Seconds until one more retry keeps to the rate; it is paid for then."""
        now, rate = self._now(), self._retries.rate
        self._paid = max(self._paid, now - self._retries.burst / rate) + 1 / rate
        return max(0.0, self._paid - now)

    def _holds(self, entry: tuple[float, int, K]) -> bool:
        known = self._due.get(entry[2])
        return known is not None and known[2] == entry[1]

    def _release(self) -> float | None:
        """Add what is due; return the seconds until the next, None where nothing waits."""
        while self._delayed:
            due, _, key = self._delayed[0]
            if not self._holds(self._delayed[0]):
                heapq.heappop(self._delayed)
                continue
            remaining = due - self._now()
            if remaining > 0:
                return remaining
            heapq.heappop(self._delayed)
            self.add(key, self._due[key][1])
        return None


def _in_turn(level: _Level[K]) -> Iterator[Entry[K]]:
    """All entries of a level, group by group."""
    for group in level.turns:
        yield from level.lanes[group]
