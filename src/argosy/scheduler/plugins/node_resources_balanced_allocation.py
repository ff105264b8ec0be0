"""NodeResourcesBalancedAllocation: nodes whose resources would be used to equal shares.

A node gets 75 where the pod changes nothing about that, more where it makes the shares more equal
and less where it makes them less so. A pod that asks for nothing is not scored: otherwise such
pods would all go to one node. Fractions are floats, as upstream's, for the same scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler import resourceargs
from argosy.scheduler.columns import Amounts, Columns, Rows
from argosy.scheduler.framework import HIGHEST_SCORE, Plugin, Scores
from argosy.scheduler.resourcenames import counted, scalar
from argosy.scheduler.shape import Shape
from argosy.scheduler.strategies import Weighed

NAME = "NodeResourcesBalancedAllocation"
_HALF = HIGHEST_SCORE // 2
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Balance:
    """The resources that are balanced."""

    resources: Sequence[Weighed] = resourceargs.EVEN

    def applies(self, shape: Shape) -> bool:
        """Whether the pod asks for any of the resources."""
        asked = dict(shape.request.amounts)
        return any(asked.get(name) and counted(name) for name, _ in self.resources)

    def score(self, nodes: Columns, shape: Shape, rows: Rows) -> Scores:
        """0 to 100."""
        before: list[Shares] = []
        after: list[Shares] = []
        rooms: list[Amounts] = []
        for column, asked in self._counted(nodes, shape):
            room = nodes.allocatable[:, column][rows]
            used = nodes.requested[:, column][rows].astype(np.float64)
            per = np.maximum(room, 1).astype(np.float64)
            rooms.append(room)
            before.append(_shares(used, per))
            used += asked
            after.append(_shares(used, per))
        if len(rooms) < 2:
            return np.full(len(nodes.live[rows]), _HALF + _HALF // 2, dtype=np.int64)
        if len(rooms) == 2 and rooms[0].all() and rooms[1].all():
            gain = _evenness_of_two(*after) - _evenness_of_two(*before)
        else:
            there = [room > 0 for room in rooms]
            gain = _evenness(after, there) - _evenness(before, there)
        return _HALF + (_HALF + gain) // 2

    def score_row(self, nodes: Columns, shape: Shape, row: int) -> int:
        """The same of one node."""
        room, used = nodes.allocatable[row].tolist(), nodes.requested[row].tolist()
        found = [item for item in self._counted(nodes, shape) if room[item[0]]]
        before = [min(used[column] / room[column], 1.0) for column, _ in found]
        after = [min((used[column] + asked) / room[column], 1.0) for column, asked in found]
        return _HALF + (_HALF + _evenness_one(after) - _evenness_one(before)) // 2

    def _counted(self, nodes: Columns, shape: Shape) -> Iterator[tuple[int, int]]:
        """Column and amount of what counts for the pod."""
        own = dict(shape.request.amounts)
        for name, _ in self.resources:
            asked = own.get(name, 0)
            if counted(name) and (asked or not scalar(name)) and name in nodes.resources:
                yield nodes.resources[name], asked


def _shares(used: Shares, room: Shares) -> Shares:
    found: Shares = used / room
    return np.minimum(found, 1.0, out=found)


def _evenness_of_two(one: Shares, other: Shares) -> Scores:
    deviation = one - other
    np.abs(deviation, out=deviation)
    deviation /= 2
    np.subtract(1, deviation, out=deviation)
    deviation *= HIGHEST_SCORE
    return deviation.astype(np.int64)


def _evenness(shares: Sequence[Shares], rooms: Sequence[NDArray[np.bool_]]) -> Scores:
    """100 less the standard deviation in hundredths, of the resources that a node has."""
    count = sum((there.astype(np.int64) for there in rooms), np.int64(0))
    mean = _added(shares, rooms) / np.maximum(count, 1)
    squares = _added([(share - mean) * (share - mean) for share in shares], rooms)
    deviation = np.sqrt(squares / np.maximum(count, 1))
    # Of two it is half of the difference; of one, or none, nothing.
    pairs = list(zip(shares, rooms, strict=True))
    highest = np.maximum.reduce([np.where(there, share, 0.0) for share, there in pairs])
    lowest = np.minimum.reduce([np.where(there, share, 1.0) for share, there in pairs])
    deviation = np.where(count == 2, (highest - lowest) / 2, np.where(count > 2, deviation, 0.0))
    return ((1 - deviation) * HIGHEST_SCORE).astype(np.int64)


def _added(values: Sequence[Shares], rooms: Sequence[NDArray[np.bool_]]) -> Shares:
    """One after the other, as the sum of one node's."""
    total = np.zeros(len(values[0]))
    for value, there in zip(values, rooms, strict=True):
        total = total + np.where(there, value, 0.0)
    return total


def _evenness_one(shares: Sequence[float]) -> int:
    deviation = 0.0
    if len(shares) == 2:
        deviation = abs((shares[0] - shares[1]) / 2)
    elif len(shares) > 2:
        total = squares = 0.0
        for share in shares:  # not `sum`, which adds floats more exactly
            total += share
        mean = total / len(shares)
        for share in shares:
            squares += (share - mean) * (share - mean)
        deviation = sqrt(squares / len(shares))
    return int((1 - deviation) * HIGHEST_SCORE)


def make_plugin(balance: Balance) -> Plugin:
    """The plugin with these resources."""
    return Plugin(
        name=NAME,
        applies=balance.applies,
        score=balance.score,
        score_row=balance.score_row,
        usage=True,
    )


def configured(args: Mapping[str, Any]) -> Plugin:
    """With NodeResourcesBalancedAllocationArgs as JSON. Raises ValueError, which begins with the
    field's path."""
    return make_plugin(Balance(resourceargs.balance(args)))


PLUGIN = make_plugin(Balance())
