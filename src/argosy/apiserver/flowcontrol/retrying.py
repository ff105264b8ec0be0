"""When somebody who was turned away may come back: the worse it is, the later.

Source: apiserver's `util/flowcontrol/dropped_requests_tracker.go`.
"""

from collections import deque
from dataclasses import dataclass, field

LATEST = 32


@dataclass(slots=True)
class Retrying:
    """Counts those who were turned away, by the second."""

    seconds: int = 1  # after which to come back
    _history: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=2 * LATEST))
    _second: int = 0
    _count: int = 0
    _raised: int = 0

    def refused(self, moment: float) -> int:
        """One more. Returns the seconds after which to come back."""
        second = int(moment)
        if second == self._second:
            self._count += 1
            return self.seconds
        self._history.append((self._second, self._count))
        self._second, self._count = second, 1
        self._reconsider(second)
        return self.seconds

    def _reconsider(self, second: int) -> None:
        """Double it after three for each of its seconds, at most once in as many; else let go."""
        since = second - self.seconds
        lately = sum(count for at, count in self._history if since <= at < second)
        if second - self._raised >= self.seconds and lately >= 3 * self.seconds:
            self.seconds, self._raised = min(LATEST, 2 * self.seconds), second
        elif lately < self.seconds and self.seconds > 1:
            self.seconds -= 1
