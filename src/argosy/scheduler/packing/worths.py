"""What nodes are worth for each shape under a policy, kept: only rows that change are looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from argosy.scheduler.packing.columns import Demand, GpuColumns, Ints, Mask
from argosy.scheduler.packing.fragments import Fragments
from argosy.scheduler.packing.policies import Policy

LEAST: Final = np.iinfo(np.int64).min
MOST_SHAPES: Final = 1024
LONGEST: Final = 65_536
"""So many changes are remembered: a shape that was not asked for since begins anew."""


@dataclass(slots=True)
class Known:
    """Nodes' worth for one shape, true but for the rows that changed since `until`."""

    fits: Mask
    worth: tuple[Ints, ...]
    devices: Ints
    until: int = 0


class Worths:
    """The worth of the nodes of `columns`, whose owner tells which rows have `changed`."""

    def __init__(self, columns: GpuColumns, fragments: Fragments, policy: Policy) -> None:
        self._columns = columns
        self._fragments = fragments
        self._policy = policy
        self._known: dict[Demand, Known] = {}
        self._changed: list[int] = []
        self._everyone: Ints = np.arange(len(columns.names))

    def changed(self, *rows: int) -> None:
        """Something of these rows is free that was not, or the other way round."""
        self._changed.extend(rows)
        if len(self._changed) > LONGEST:
            self._changed.clear()
            self._known.clear()

    def of(self, demand: Demand) -> Known:
        """The nodes as this shape sees them; don't change it."""
        known = self._known.get(demand)
        rows: Ints
        if known is None:
            if len(self._known) >= MOST_SHAPES:
                del self._known[next(iter(self._known))]
            count = len(self._everyone)
            known = Known(np.zeros(count, np.bool_), (), np.full(count, -1))
            self._known[demand] = known
            rows = self._everyone
        else:
            rows = np.unique(np.array(self._changed[known.until :], np.int64))
        known.until = len(self._changed)
        known.fits[rows] = fits = self._columns.fits(demand, rows)
        rows = rows[fits]
        if len(rows):
            worth, known.devices[rows] = self._policy(self._columns, self._fragments, demand, rows)
            if not known.worth:
                known.worth = tuple(np.full(len(self._everyone), LEAST) for _ in worth)
            for everywhere, here in zip(known.worth, worth, strict=True):
                everywhere[rows] = here
        return known

    def best(self, demand: Demand) -> tuple[int, int]:
        """The row that is worth most, the first among equals, and the device there; (-1, -1)
        where the pod fits nowhere."""
        known = self.of(demand)
        rows = best_of(known.worth, np.flatnonzero(known.fits))
        return (int(rows[0]), int(known.devices[rows[0]])) if len(rows) else (-1, -1)


def best_of(worth: Iterable[Ints], rows: Ints) -> Ints:
    """Those of `rows` that are worth most."""
    for part in worth:
        if len(rows) <= 1:
            break
        there = part[rows]
        rows = rows[there == there.max()]
    return rows
