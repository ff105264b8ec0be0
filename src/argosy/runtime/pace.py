"""How often one key is worked at, at most.

Two controllers that want different things of one object undo each other's writes as fast as the
server takes them: two instances without election of which one's cache lags, say. Neither can know
of the other; so nobody looks at one key more often than any amount of honest news asks for.
"""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST: Final = 50
"""Looks at one key in a window: what changes faster is seen together."""
WINDOW_SECONDS: Final = 1.0


class Pace(Generic[K]):
    """Counts looks by key. It holds the keys of one window only."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = 0.0
        self._looks: dict[K, int] = {}

    def wait(self, key: K) -> float:
        """Seconds after which to come again; 0: look now, which is counted."""
        now = self._now()
        if now >= self._until:
            self._looks.clear()
            self._until = now + WINDOW_SECONDS
        looks = self._looks.get(key, 0)
        if looks >= MOST:
            return self._until - now
        self._looks[key] = looks + 1
        return 0.0
