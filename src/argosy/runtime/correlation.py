"""What becomes of a note before it is an event: told once, counted after that, and never too often.

As client-go's EventCorrelator: of notes on one object with one reason the tenth and later different
messages within ten minutes of each other share one event ("(combined from similar events): …");
an event that is known is counted; and a component tells an object 25 events of a type, then one in
five minutes. What is known is forgotten when it was not needed for long (4096 of each).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from argosy.base.clock import Clock, timestamp

MOST_KNOWN = 4096
SIMILAR = 10
"""So many different messages make the last of them, and what comes, one event."""
SIMILAR_SECONDS = 600.0
BURST = 25
REFILL_SECONDS = 300.0
COMBINED = "(combined from similar events): "
LONGEST_MESSAGE = 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Happening:
    """A note on an object, as far as it matters here. `place` is all that identifies the object."""

    place: str
    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """The event to write. `key` names it; a `count` above 1 says that it was told before."""

    happening: Happening
    key: str
    message: str
    count: int
    first: str


class Recent(Generic[T]):
    """The entries used last."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._entries: OrderedDict[Hashable, T] = OrderedDict()

    def __getitem__(self, key: Hashable) -> T:
        """The entry of `key`, made where it isn't there."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = self._make()
            if len(self._entries) > MOST_KNOWN:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return entry


@dataclass(slots=True)
class _Similar:
    """Which messages were told lately; the oldest first."""

    messages: dict[int, None] = field(default_factory=dict)
    last: float = 0.0


@dataclass(slots=True)
class _Bucket:
    """Tokens as of `since`."""

    tokens: float = BURST
    since: float = 0.0


@dataclass(slots=True)
class _Seen:
    """How often an event was told, and when first."""

    count: int = 0
    first: str = ""


class Correlator:
    """Knows what one component has told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._similar: Recent[_Similar] = Recent(_Similar)
        self._buckets: Recent[_Bucket] = Recent(_Bucket)
        self._seen: Recent[_Seen] = Recent(_Seen)

    def correlate(self, happening: Happening) -> Told | None:
        """What to write of it; None where enough was told of its object."""
        key, message = self._combined(happening)
        seen = self._seen[key]
        seen.count += 1  # also of what is not written: a later one tells how many there were
        seen.first = seen.first or timestamp(self._clock.now())
        if not self._spend(happening):
            return None
        return Told(happening, key, message[:LONGEST_MESSAGE], seen.count, seen.first)

    def known(self, told: Told, count: int) -> Told:
        """The same, where an earlier process has told it `count` times."""
        seen = self._seen[told.key]
        seen.count = count + told.count
        return replace(told, count=seen.count)

    def undo(self, told: Told) -> None:
        """It could not be written, and may be told again."""
        seen = self._seen[told.key]
        seen.count = max(seen.count - 1, 0)
        bucket = self._buckets[told.happening.place, told.happening.type]
        bucket.tokens = min(bucket.tokens + 1, BURST)

    def _combined(self, happening: Happening) -> tuple[str, str]:
        """The key and the message of the event that stands for it."""
        group = (happening.place, happening.type, happening.reason)
        similar = self._similar[group]
        now = self._clock.monotonic()
        if now - similar.last > SIMILAR_SECONDS:
            similar.messages.clear()
        similar.last = now
        similar.messages[hash(happening.message)] = None
        if len(similar.messages) < SIMILAR:
            return _key(*group, happening.message), happening.message
        del similar.messages[next(iter(similar.messages))]
        return _key(*group), COMBINED + happening.message

    def _spend(self, happening: Happening) -> bool:
        """Whether there is a token, which is taken then."""
        bucket, now = self._buckets[happening.place, happening.type], self._clock.monotonic()
        bucket.tokens = min(bucket.tokens + (now - bucket.since) / REFILL_SECONDS, BURST)
        bucket.since = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]
