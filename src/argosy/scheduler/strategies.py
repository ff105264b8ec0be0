"""How a node is scored by how full it would be: kube-scheduler's three strategies.

Each gives a resource 0 to 100 by what would be used of it and what there is, and a node the mean of
its resources by their weights, all in whole numbers; for arrays of nodes, and the very same for one
node in plain numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
FULL = 100


class Weighed(NamedTuple):
    """A resource that counts, and how much."""

    name: str
    weight: int = 1


class Strategy(Protocol):
    """What a resource is worth; `room` is at least 1."""

    def worths(self, used: Numbers, room: Numbers) -> Numbers:
        """0 to 100 for each node."""
        ...

    def worth(self, used: int, room: int) -> int:
        """The same for one."""
        ...

    def means(self, parts: Sequence[tuple[int, Numbers, Numbers]]) -> Numbers:
        """Of weight, worth and room of each resource; there is at least one."""
        ...

    def mean(self, parts: Sequence[tuple[int, int]]) -> int:
        """Of weight and worth of each resource that the node has; 0 without any."""
        ...


class _Plain:
    """A mean over all resources that a node has."""

    def means(self, parts: Sequence[tuple[int, Numbers, Numbers]]) -> Numbers:
        total = np.zeros(len(parts[0][1]), dtype=np.int64)
        missing: Numbers | int = 0
        for weight, worth, room in parts:  # without room it is worth nothing
            total += worth if weight == 1 else weight * worth
            if not room.all():
                missing = missing + weight * (room == 0)
        weights = sum(weight for weight, _, _ in parts)
        if isinstance(missing, int):
            return total // weights
        found: Numbers = total // np.maximum(weights - missing, 1)
        return found

    def mean(self, parts: Sequence[tuple[int, int]]) -> int:
        weights = sum(weight for weight, _ in parts)
        return sum(weight * worth for weight, worth in parts) // weights if weights else 0


@dataclass(frozen=True, slots=True)
class LeastAllocated(_Plain):
    """The emptier the better."""

    def worths(self, used: Numbers, room: Numbers) -> Numbers:
        left = room - used
        np.maximum(left, 0, out=left)
        return _hundredths(left, room)

    def worth(self, used: int, room: int) -> int:
        return (room - used) * FULL // room if used < room else 0


@dataclass(frozen=True, slots=True)
class MostAllocated(_Plain):
    """The fuller the better."""

    def worths(self, used: Numbers, room: Numbers) -> Numbers:
        return _hundredths(np.minimum(used, room), room)

    def worth(self, used: int, room: int) -> int:
        return min(used, room) * FULL // room


@dataclass(frozen=True, slots=True)
class RequestedToCapacityRatio:
    """By a line through points; `line` has its value for each percent from 0 to 100.

    A resource that is worth nothing does not count, and the mean is rounded.
    """

    line: tuple[int, ...]

    def worths(self, used: Numbers, room: Numbers) -> Numbers:
        found: Numbers = np.array(self.line)[_hundredths(np.minimum(used, room), room)]
        return np.where(room > 0, found, 0)

    def worth(self, used: int, room: int) -> int:
        return self.line[min(used, room) * FULL // room]

    def means(self, parts: Sequence[tuple[int, Numbers, Numbers]]) -> Numbers:
        total = sum((weight * worth for weight, worth, _ in parts), np.int64(0))
        weights = sum((weight * (worth > 0) for weight, worth, _ in parts), np.int64(0))
        return np.floor(total / np.maximum(weights, 1) + 0.5).astype(np.int64)

    def mean(self, parts: Sequence[tuple[int, int]]) -> int:
        weights = sum(weight for weight, worth in parts if worth)
        if not weights:
            return 0
        return int(sum(weight * worth for weight, worth in parts) / weights + 0.5)


def _hundredths(part: Numbers, whole: Numbers) -> Numbers:
    """Rounded down; of nothing it is 0, as `part` is then."""
    found: Numbers = part * FULL // np.maximum(whole, 1)
    return found


def line_through(points: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The values at 0 to 100 percent of a line through (percent, value), flat outside of them."""
    return tuple(_value(points, percent) for percent in range(FULL + 1))


def _value(points: Sequence[tuple[int, int]], percent: int) -> int:
    if percent <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if percent <= right:
            # Whole numbers, cut towards zero.
            rise = (high - low) * (percent - left)
            step = abs(rise) // (right - left)
            return low + (step if rise >= 0 else -step)
    return points[-1][1]
