"""How long a node's failed pod is left alone: a node that refuses pods shall not be asked for ever.

As client-go's Backoff: from a second on, twice as long each time; forgotten after half an hour.
"""

from dataclasses import dataclass

from argosy.base.clock import Clock

FIRST, LONGEST = 1.0, 900.0
FORGOTTEN = 2 * LONGEST

Place = tuple[str, int, str]
"""A set's uid, the generation that it is at, and a node."""


@dataclass(frozen=True, slots=True)
class _Entry:
    delay: float
    since: float


class Backoff:
    """Remembers for each place when a pod was last taken away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[Place, _Entry] = {}

    def left(self, place: Place) -> float:
        """Seconds for which a failed pod is to be left alone still."""
        entry = self._entries.get(place)
        if entry is None:
            return 0.0
        return max(entry.delay - (self._clock.monotonic() - entry.since), 0.0)

    def taken(self, place: Place) -> None:
        """A failed pod is taken away now."""
        now = self._clock.monotonic()
        before = self._entries.pop(place, None)
        fresh = before is None or now - before.since > FORGOTTEN
        delay = FIRST if fresh or before is None else min(before.delay * 2, LONGEST)
        self._entries[place] = _Entry(delay, now)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """The oldest are the first."""
        while self._entries:
            place = next(iter(self._entries))
            if now - self._entries[place].since <= FORGOTTEN:
                return
            del self._entries[place]
