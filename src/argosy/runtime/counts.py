"""What is counted of a controller and its queue: plain numbers, a few additions a reconcile.

Labels and text are made when somebody asks for them (`metrics`). Bounds of buckets are
controller-runtime's.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

# fmt: off
RECONCILE_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9,
    1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0,
    25.0, 30.0, 40.0, 50.0, 60.0,
)
# fmt: on
QUEUE_SECONDS = tuple(float(f"1e{power}") for power in range(-8, 4))


class Durations:
    """How many fell into each bucket, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Waiting(Protocol):
    """A queue, as it can be asked for its state."""

    def depth(self) -> Mapping[int, int]:
        """How many keys are ready, by priority."""
        ...

    def unfinished(self) -> list[float]:
        """For how many seconds each of the keys is worked on that are."""
        ...


@dataclass(slots=True)
class QueueCounts:
    """What happened in a queue."""

    adds: int = 0
    retries: int = 0  # keys that were added to come later
    waited: Durations = field(default_factory=lambda: Durations(QUEUE_SECONDS))
    worked: Durations = field(default_factory=lambda: Durations(QUEUE_SECONDS))


@dataclass(slots=True)
class Counts:
    """What happened in a controller; `waiting` is the queue that it has now."""

    name: str
    workers: int
    active: int = 0
    succeeded: int = 0
    later: int = 0  # succeeded, to be looked at again after a time
    failed: int = 0  # terminal failures, faults and timeouts among them
    terminal: int = 0
    faults: int = 0
    timeouts: int = 0
    took: Durations = field(default_factory=lambda: Durations(RECONCILE_SECONDS))
    queue: QueueCounts = field(default_factory=QueueCounts)
    waiting: Waiting | None = None
