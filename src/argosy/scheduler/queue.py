"""What waits for a decision, and for how long.

An entry is ready (highest priority first, then first come), resting after a failure (1 s, doubled
each time up to 10 s, unless told otherwise), or parked until something changes that may help it. It
is given out to one worker at a time; `finish`, `park` or `retry` gives it back. An event wakes
parked entries, but not before their rest is over, so events can't make the scheduler spin.
"""

import asyncio
import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from argosy.base.clock import Clock, wait

K = TypeVar("K", bound=Hashable)

FIRST_REST = 1.0
LONGEST_REST = 10.0
LONGEST_PARKED = 300.0
"""An event that nobody thought of must not strand a pod for ever."""
QUIET = 5.0
"""What is put off has its turn after so long without news of it."""
_MANY = 30
"""After so many failures every rest is the longest."""
_FRONT = 2**62
"""Taken from the order of those that come before the others."""


class _Place(Enum):
    READY = auto()
    RESTING = auto()
    PARKED = auto()
    BUSY = auto()


@dataclass(slots=True)
class _Entry:
    place: _Place
    priority: int
    order: int
    due: float = 0.0
    failures: int = 0
    again: bool = False
    later: bool = False
    wakes_seen: int = 0
    stirs_seen: int = 0


class SchedulingQueue(Generic[K]):
    """Keys with priorities. Everything but `get` happens at once."""

    def __init__(
        self, clock: Clock, *, first_rest: float = FIRST_REST, longest_rest: float = LONGEST_REST
    ) -> None:
        self._clock = clock
        self._first_rest = first_rest
        self._longest_rest = longest_rest
        self._entries: dict[K, _Entry] = {}
        self._ready: list[tuple[int, int, K]] = []
        self._timed: list[tuple[float, int, K]] = []
        self._parked: set[K] = set()
        self._heeding: set[K] = set()
        self._counter = 0
        self._wakes = 0
        self._stirs = 0
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: K, priority: int = 0) -> None:
        """`key` is new or was changed: it has its turn at once."""
        self._counter += 1
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(_Place.RESTING, priority, self._counter)
        changed = entry.priority != priority
        entry.priority = priority
        if entry.place is _Place.BUSY:
            entry.again = True
        elif entry.place is not _Place.READY or changed:
            self._make_ready(key, entry)

    def put_off(self, key: K, priority: int = 0) -> None:
        """As `add`, but more is to come: `key` has its turn when nothing came for a while."""
        entry = self._entries.get(key)
        if entry is None:
            self._counter += 1
            entry = self._entries[key] = _Entry(_Place.RESTING, priority, self._counter)
        elif entry.place is _Place.READY:
            self.add(key, priority)
            return
        entry.priority = priority
        if entry.place is _Place.BUSY:
            entry.later = True
        else:
            self._put_off(key, entry)

    def hurry(self, key: K) -> None:
        """Room was made for `key`: it has its turn at once, before others of its priority."""
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.order > 0:
            entry.order -= _FRONT
        if entry.place is _Place.BUSY:
            entry.again = True
        else:
            self._make_ready(key, entry)

    def drop(self, key: K) -> None:
        """`key` is gone. Where a worker has it, giving it back will tell."""
        entry = self._entries.get(key)
        if entry is not None and entry.place is not _Place.BUSY:
            del self._entries[key]
            self._parked.discard(key)
            self._heeding.discard(key)

    def wake(self) -> None:
        """Something changed that may help any parked entry, or one that is just being decided."""
        self._wakes += 1
        for key in self._parked:
            self._rest(key, self._entries[key])
        self._parked.clear()
        self._heeding.clear()

    def stir(self) -> None:
        """The same for those alone that heed other pods' places."""
        self._stirs += 1
        for key in self._heeding:
            self._rest(key, self._entries[key])
        self._parked -= self._heeding
        self._heeding.clear()

    def finish(self, key: K) -> None:
        """All is done, unless `key` was changed meanwhile."""
        entry = self._entries.get(key)
        if entry is None or entry.place is not _Place.BUSY:
            return
        if entry.again:
            entry.failures = 0
            self._make_ready(key, entry)
        elif entry.later:
            self._put_off(key, entry)
        else:
            del self._entries[key]

    def park(self, key: K, *, heeding: bool = False, within: float = LONGEST_PARKED) -> None:
        """`key` can't be placed: it waits for a change, `heeding` ones for any pod's that lands.

        After `within` seconds it comes in any case.
        """
        entry = self._failed(key)
        if entry is None:
            return
        stirred = heeding and entry.stirs_seen != self._stirs
        if stirred or entry.wakes_seen != self._wakes:
            self._rest(key, entry)
        else:
            entry.place = _Place.PARKED
            self._parked.add(key)
            if heeding:
                self._heeding.add(key)
            due = self._clock.monotonic() + min(within, LONGEST_PARKED)
            self._push(key, max(due, entry.due))

    def retry(self, key: K, *, last: bool = False) -> None:
        """Placing `key` failed halfway: it comes again after its rest, the longest one if `last`.

        Who holds up everybody would else always come just before those that it held up.
        """
        if last and key in self._entries:
            self._entries[key].failures = _MANY
        entry = self._failed(key)
        if entry is not None:
            self._rest(key, entry)

    async def get(self) -> K:
        """The next key; it is busy until it is given back."""
        while True:
            pause = self._release()
            key = self._pop()
            if key is not None:
                return key
            self._changed.clear()
            await wait(self._changed, self._clock, pause)

    def _failed(self, key: K) -> _Entry | None:
        """Count a failure: `due` is when the rest is over. None: no rest is needed."""
        entry = self._entries.get(key)
        if entry is None or entry.place is not _Place.BUSY:
            return None
        if entry.again:
            self._make_ready(key, entry)
            return None
        if entry.later:
            self._put_off(key, entry)
            return None
        rest = min(self._first_rest * 2 ** min(entry.failures, _MANY), self._longest_rest)
        entry.failures += 1
        entry.due = self._clock.monotonic() + rest
        return entry

    def _make_ready(self, key: K, entry: _Entry) -> None:
        entry.place = _Place.READY
        entry.again = entry.later = False
        self._parked.discard(key)
        self._heeding.discard(key)
        heapq.heappush(self._ready, (-entry.priority, entry.order, key))
        self._changed.set()

    def _put_off(self, key: K, entry: _Entry) -> None:
        entry.later = False
        entry.due = self._clock.monotonic() + QUIET
        self._parked.discard(key)
        self._heeding.discard(key)
        self._rest(key, entry)

    def _rest(self, key: K, entry: _Entry) -> None:
        entry.place = _Place.RESTING
        self._push(key, entry.due)

    def _push(self, key: K, due: float) -> None:
        self._counter += 1
        heapq.heappush(self._timed, (due, self._counter, key))
        self._changed.set()

    def _release(self) -> float | None:
        """Make ready whose time has come; seconds until the next, None where nothing waits."""
        while self._timed:
            due, _, key = self._timed[0]
            remaining = due - self._clock.monotonic()
            if remaining > 0:
                return remaining
            heapq.heappop(self._timed)
            entry = self._entries.get(key)
            if entry and entry.place in (_Place.RESTING, _Place.PARKED) and entry.due <= due:
                self._make_ready(key, entry)
        return None

    def _pop(self) -> K | None:
        while self._ready:
            priority, order, key = heapq.heappop(self._ready)
            entry = self._entries.get(key)
            current = entry and (-entry.priority, entry.order) == (priority, order)
            if entry and current and entry.place is _Place.READY:
                entry.place = _Place.BUSY
                entry.wakes_seen = self._wakes
                entry.stirs_seen = self._stirs
                return key
        return None
