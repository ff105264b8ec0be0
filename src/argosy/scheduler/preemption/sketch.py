"""Which rows preemption may help on, and the victims there, as far as resources go.

All in array operations over the rows: what stays free without the pods of lower priority, and then
for many rows at once one of their pods after the other is taken back where there is room for it.
For a pod that asks for resources alone this is the whole dry run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.budgets import Budgets
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask
from argosy.scheduler.holdings import NOBODY, Amounts, Slots
from argosy.scheduler.preemption.record import Candidate
from argosy.scheduler.sentences import shortage
from argosy.scheduler.shape import LARGEST

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"

Rows = NDArray[np.intp]
_OFFSET = 2**31


@dataclass(frozen=True, slots=True)
class Wish:
    """What the pod asks for: amounts along some resource columns, and what others claim first."""

    asked: NDArray[np.intp]
    want: Amounts
    claimed: Amounts | None


class Sketch:
    """The rows at `stake`, of which the pods in `slots` may be evicted.

    `rows` can have the pod, as far as resources go; `potential` counts those that preemption might
    help on if there were more to evict; `reasons` are those that can't have it all the same.
    """

    def __init__(self, nodes: Columns, wish: Wish, stake: Mask, slots: Slots) -> None:
        self._nodes = nodes
        self._wish = wish
        held = nodes.holdings
        self._slots = slots[stake[held.rows[slots]]]
        size = nodes.size
        # A row for each resource: so sums and comparisons run along the memory.
        allocatable = nodes.allocatable[:size].T[wish.asked]
        self._want = wish.want[:, None]
        self._left = allocatable - nodes.requested[:size].T[wish.asked]
        if wish.claimed is not None:
            self._left -= wish.claimed
        able = stake & (allocatable >= self._want).all(axis=0)
        rows = held.rows[self._slots]
        helped = able & (np.bincount(rows, minlength=size) > 0)
        self._able = able
        self._lower_all = self._lower(rows, size)
        enough = self._left + self._lower_all >= self._want
        self.rows: Rows = np.flatnonzero(helped & enough.all(axis=0))
        self.potential = int(able.sum())
        self.reasons: Counter[str] = Counter()
        if self.potential:
            self.reasons[NO_VICTIMS] = self.potential - int(helped.sum())
        self._explain(~enough & helped)

    @property
    def most(self) -> int:
        """How many such pods there is room for at most, if all go that may."""
        room = np.maximum(self._left + self._lower_all, 0)[:, self._able]
        if not len(room):
            return LARGEST
        return int((room // np.maximum(self._want, 1)).min(axis=0).sum())

    def drafts(self, rows: Rows, budgets: Budgets) -> "Drafts":
        """The victims on `rows`, by resources."""
        held = self._nodes.holdings
        chosen = np.zeros(self._nodes.size, dtype=np.bool_)
        chosen[rows] = True
        slots = self._slots[chosen[held.rows[self._slots]]]
        slots = slots[np.lexsort((held.started[slots], -held.priorities[slots], held.rows[slots]))]
        violating = np.zeros(len(slots), dtype=np.bool_)
        if budgets:
            for part in np.split(np.arange(len(slots)), _starts(held.rows[slots])[1:]):
                pods = [held.occupant(int(slots[i])).pod for i in part]
                violating[part] = budgets.violated(pods)
            order = np.lexsort((~violating, held.rows[slots]))
            slots, violating = slots[order], violating[order]
        return Drafts(self._nodes, self._reprieved(slots), violating, slots)

    def _reprieved(self, slots: Slots) -> Mask:
        """Which of the pods must go, in their order on each row."""
        held = self._nodes.holdings
        rows = held.rows[slots]
        starts = _starts(rows)
        sizes = np.diff(np.append(starts, len(slots)))
        amounts = held.amounts[np.ix_(self._wish.asked, slots)]
        spare = self._left[:, rows[starts]] - self._want
        if len(slots):
            spare += np.add.reduceat(amounts, starts, axis=1)
        victims = np.ones(len(slots), dtype=np.bool_)
        for place in range(int(sizes.max(initial=0))):
            groups = np.flatnonzero(sizes > place)
            at = starts[groups] + place
            stays = (amounts[:, at] <= spare[:, groups]).all(axis=0)
            spare[:, groups[stays]] -= amounts[:, at[stays]]
            victims[at[stays]] = False
        return victims

    def _lower(self, rows: NDArray[np.int64], size: int) -> NDArray[np.float64]:
        """What the pods in the slots hold of each row. (Sums of floats are exact up to 2**53, far
        above what a node has; the draft sums anew.)"""
        held = self._nodes.holdings
        found = np.zeros((len(self._wish.asked), size))
        for position, column in enumerate(self._wish.asked):
            amounts = held.amounts[column].take(self._slots)
            found[position] = np.bincount(rows, weights=amounts, minlength=size)
        return found

    def _explain(self, short: NDArray[np.bool_]) -> None:
        names = list(self._nodes.resources)
        for column, count in zip(self._wish.asked, short.sum(axis=1), strict=True):
            self.reasons[shortage(names[int(column)])] += int(count)
        self.reasons = +self.reasons


class Drafts:
    """The candidates of some rows, in the order in which they are taken."""

    def __init__(self, nodes: Columns, victims: Mask, violating: Mask, slots: Slots) -> None:
        self._nodes = nodes
        keep = np.flatnonzero(victims)
        self._slots = slots[keep]
        self._violating = violating[keep]
        held = nodes.holdings
        self._rows = held.rows[self._slots]
        self._starts = _starts(self._rows)
        self._order: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.violations: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        if len(keep):
            self._rank()

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Candidate]:
        """The candidates, the one to take first."""
        ends = np.append(self._starts, len(self._slots))
        held = self._nodes.holdings
        for number in self._order:
            part = slice(int(ends[number]), int(ends[number + 1]))
            slots = self._slots[part]
            by_rank = slots[np.lexsort((held.started[slots], -held.priorities[slots]))]
            victims = tuple(held.occupant(int(slot)) for slot in by_rank)
            yield Candidate(int(self._rows[part.start]), victims, int(self._violating[part].sum()))

    def _rank(self) -> None:
        """As `Candidate.key`, for all of them."""
        held, starts = self._nodes.holdings, self._starts
        levels = held.priorities[self._slots]
        highest = np.maximum.reduceat(levels, starts)
        sizes = np.diff(np.append(starts, len(levels)))
        top = levels == np.repeat(highest, sizes)
        since = np.where(top, held.started[self._slots], np.inf)
        self.violations = np.add.reduceat(self._violating.astype(np.int64), starts)
        keys = (
            -np.minimum.reduceat(since, starts),
            sizes,
            np.add.reduceat(levels + _OFFSET, starts),
            highest,
            self.violations,
        )
        self._order = np.lexsort(keys)


def _starts(rows: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where in sorted `rows` each of them begins."""
    before = np.concatenate((np.full(min(1, len(rows)), NOBODY), rows[:-1]))
    return np.flatnonzero(rows != before)
