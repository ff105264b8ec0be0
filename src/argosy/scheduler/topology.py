"""Domains: the nodes with one value of a topology label, together.

Made of a label's column when it is first asked for, and again when a node changed in it. Counts by
node become counts by domain, and back by node, in a few array operations.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.tallies import Tally

Flags = NDArray[np.bool_]
Numbers = NDArray[Any]
"""Whole numbers by row; as floats they are exact up to 2**53."""

_MOST = 64
"""Labels whose domains are kept."""

_FEW = 64
"""So few rows are faster told one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """The domains of one label.

    `ids`: each row's domain, from 1 to `count`; 0 for a node without the label, and for no node.
    `labelled`: the rows that are in a domain, `size` of them. `single`: no two are in the same.
    """

    ids: NDArray[np.intp]
    labelled: Flags
    count: int
    size: int

    @property
    def single(self) -> bool:
        """Whether each domain is one node."""
        return self.count == self.size

    def by_domain(self, counts: Numbers) -> Numbers:
        """The sum of each domain; at 0 what is in none."""
        found: Numbers = np.bincount(self.ids, weights=counts, minlength=self.count + 1)
        return found

    def by_row(self, counts: Numbers) -> Numbers:
        """For each row the sum of its domain; 0 for those in none."""
        if self.single:
            own: Numbers = counts * self.labelled
            return own
        totals = self.by_domain(counts)
        totals[0] = 0
        return totals.take(self.ids)

    def present(self, rows: Flags) -> Flags:
        """The domains that have one of `rows`; at 0 whether one of them is in none."""
        found: Flags = np.bincount(self.ids[rows], minlength=self.count + 1) > 0
        return found


class Topologies:
    """The domains of the labels asked for last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, NDArray[np.int32], Flags, Topology]] = {}

    def of(self, key: str, values: NDArray[np.int32], live: Flags, position: int) -> Topology:
        """The domains by a label's `values` (0: none), which are those of `position` in time."""
        known = self._known.get(key)
        if known is not None:
            if known[0] == position:
                return known[3]
            if np.array_equal(known[1], values) and np.array_equal(known[2], live):
                self._known[key] = (position, *known[1:])
                return known[3]
        elif len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        found = _topology(values, live)
        self._known[key] = (position, values.copy(), live.copy(), found)
        return found


def _topology(values: NDArray[np.int32], live: Flags) -> Topology:
    there = values * live
    used = np.bincount(there, minlength=1) > 0
    used[0] = False
    numbers = np.cumsum(used)
    ids = np.where(there > 0, numbers.take(there), 0)
    labelled = ids > 0
    return Topology(ids, labelled, int(numbers[-1]), int(np.count_nonzero(labelled)))


class Sums:
    """Weighed counts over the domains of one label."""

    def __init__(self, place: Topology) -> None:
        self._place = place
        self._rows: list[int] = []
        self._weights: list[int] = []
        self._dense: Numbers | None = None

    def add(self, tally: Tally, weight: int = 1) -> None:
        """Count so much for each pod of `tally`."""
        if len(tally.rows) <= _FEW:
            self._rows.extend(tally.rows)
            self._weights.extend(weight * number for number in tally.rows.values())
            return
        counts: Numbers = tally.array(len(self._place.ids))
        if self._dense is not None or weight != 1:
            counts = counts * float(weight)
        self._dense = counts if self._dense is None else self._dense + counts

    def by_row(self) -> Numbers:
        """The sum of each row's domain; 0 for rows in none."""
        counts = self._dense
        if self._rows:
            size = len(self._place.ids)
            few: Numbers = np.bincount(self._rows, weights=self._weights, minlength=size)
            counts = few if counts is None else counts + few
        if counts is None:
            return np.zeros(len(self._place.ids))
        return self._place.by_row(counts)
