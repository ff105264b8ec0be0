"""How often something is worked out anew, where that takes the longer the more it consists of.

What has few members is done at once. What has many rests in between, for a time in proportion to
their number: however fast they change, the work takes the same small share of the time, and all the
work for n changes is in proportion to n, not to its square.
"""

from typing import Any

from argosy.api.meta import Key, Object
from argosy.base.clock import Clock
from argosy.runtime.informer import Informer

AT_ONCE = 50
"""Members up to which nothing rests."""


class Pace:
    """Remembers for objects when the next look may be; forgets those that are gone.

    `rest` is the seconds for each member.
    """

    def __init__(self, clock: Clock, objects: Informer[Any], rest: float) -> None:
        self._clock = clock
        self._rest = rest
        self._next: dict[Key, float] = {}
        objects.subscribe(self._changed)

    def left(self, key: Key) -> float:
        """Seconds that are to be waited still."""
        due = self._next.get(key)
        return 0.0 if due is None else max(due - self._clock.monotonic(), 0.0)

    def worked(self, key: Key, members: int) -> None:
        """There was a look, at so many members."""
        if members > AT_ONCE:
            self._next[key] = self._clock.monotonic() + members * self._rest
        else:
            self._next.pop(key, None)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is None:
            self._next.pop(old.key, None)
