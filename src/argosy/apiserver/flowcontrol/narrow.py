"""How many writes of one flow may be at work at once, where flows meet.

A write that has begun can't be overtaken: those that share its commit are told with it, one after
the other, and so who comes next to sixty writes waits for all of them, twice. Seats don't help;
they are made for requests that wait. So while more than one flow is seen, each has few writes at
work: as many as keep the processor and the disk busy, which are more where the disk is slow. A
flow that is alone is not held back, and shares its commits as widely as it likes.
"""

from collections.abc import Callable
from math import inf
from typing import Final

FEWEST: Final = 1
"""While it is on its way to the disk, others have the processor: with two, no more were written."""
WORK_SECONDS: Final = 0.003
"""What a write takes of the processor, all in all: so many more fit into the time of a commit."""
MEMORY_SECONDS: Final = 1.0
"""Two flows meet if not more than that is between their requests."""


class Narrow:
    """Knows whether flows meet. `commit` tells how many seconds a commit takes lately."""

    def __init__(self, now: Callable[[], float], commit: Callable[[], float]) -> None:
        self._now = now
        self._commit = commit
        self._last: tuple[str, str] | None = None
        self._until = -inf

    def came(self, level: str, flow: str) -> None:
        """A request of this flow has come."""
        if self._last != (level, flow):
            if self._last is not None:
                self._until = self._now() + MEMORY_SECONDS
            self._last = (level, flow)

    def meeting(self) -> bool:
        """Whether flows meet."""
        return self._now() < self._until

    def writers(self) -> float:
        """The most writes of a flow that may be at work."""
        if not self.meeting():
            return inf
        return FEWEST + int(self._commit() / WORK_SECONDS)
