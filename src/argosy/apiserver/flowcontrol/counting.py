"""What is counted of flows, by schema and level; `exporting` makes metrics of it."""

from bisect import bisect_left
from dataclasses import dataclass, field

WAITS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
LENGTHS = (0.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
WIDTHS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0)
"""Upper bounds of the buckets, as kube-apiserver has them."""


class Buckets:
    """Counts by upper bounds, and the sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def _waits() -> Buckets:
    return Buckets(WAITS)


@dataclass(slots=True)
class Counted:
    """The requests of one schema in one level."""

    dispatched: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    waiting_seats: int = 0
    executing: int = 0
    seats: int = 0
    waited: Buckets = field(default_factory=_waits)
    waited_in_vain: Buckets = field(default_factory=_waits)
    ran: dict[str, Buckets] = field(default_factory=dict)
    lengths: Buckets = field(default_factory=lambda: Buckets(LENGTHS))
    widths: Buckets = field(default_factory=lambda: Buckets(WIDTHS))

    def refuse(self, reason: str) -> None:
        """Count one that was turned away."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def finish(self, kind: str, seconds: float) -> None:
        """Count one that has run."""
        if kind not in self.ran:
            self.ran[kind] = _waits()
        self.ran[kind].add(seconds)
