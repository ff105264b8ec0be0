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
from argosy.scheduler.nominations import Claims
from argosy.scheduler.preemption.lower import Lower, Rows
from argosy.scheduler.preemption.plain import Key, draft
from argosy.scheduler.preemption.record import OFFSET, Candidate
from argosy.scheduler.sentences import shortage
from argosy.scheduler.shape import LARGEST

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"

KEYS = 5
"""So many numbers tell how good a candidate is; none is too large for a float."""
VIOLATIONS = KEYS - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What the pod asks for: amounts along some resource columns, and what others claim first."""

    asked: NDArray[np.intp]
    want: Amounts
    claimed: Claims | None


class Sketch:
    """The rows at `stake`, of which the `lower` pods may be evicted.

    `rows` can have the pod, as far as resources go; `potential` counts those that preemption might
    help on if there were more to evict.
    """

    def __init__(self, nodes: Columns, wish: Wish, stake: Mask, lower: Lower) -> None:
        self._nodes = nodes
        self._wish = wish
        self.lower = lower
        # A row for each resource: so sums and comparisons run along the memory.
        self._left = np.empty((len(wish.asked), nodes.size), dtype=np.int64)
        self._able, enough = self._looked_at(stake)
        self._helped = self._able & (lower.counts > 0)
        self.rows: Rows = np.flatnonzero(self._helped & enough)
        self.potential = int(np.count_nonzero(self._able))

    def _looked_at(self, stake: Mask) -> tuple[Mask, Mask]:
        """The rows at stake that are large enough at all, and those with room once all are gone."""
        nodes, size, claimed = self._nodes, self._nodes.size, self._wish.claimed
        able, enough = stake, stake
        for position, column in enumerate(self._wish.asked):
            room = nodes.allocatable[:size, column]
            want, left = self._wish.want[position], self._left[position]
            np.subtract(room, nodes.requested[:size, column], out=left)
            if claimed is not None:
                left[claimed.rows] -= claimed.amounts[position]
            able = able & (room >= want)
            enough = enough & (left + self.lower.amounts[column] >= want)
        return able, enough

    def claims(self) -> Amounts:
        """What nominated pods claim of each resource and row."""
        found = np.zeros_like(self._left)
        if self._wish.claimed is not None:
            found[:, self._wish.claimed.rows] = self._wish.claimed.amounts
        return found

    @property
    def reasons(self) -> Counter[str]:
        """Of the rows that can't have the pod all the same."""
        reasons: Counter[str] = Counter()
        if self.potential:
            reasons[NO_VICTIMS] = self.potential - int(self._helped.sum())
        names = list(self._nodes.resources)
        enough = self._left + self.lower.amounts[self._wish.asked] >= self._wish.want[:, None]
        short = (~enough & self._helped).sum(axis=1)
        for column, count in zip(self._wish.asked, short, strict=True):
            reasons[shortage(names[int(column)])] += int(count)
        return +reasons

    @property
    def most(self) -> int:
        """How many such pods there is room for at most, if all go that may."""
        return int(self.each.sum()) if len(self._wish.asked) else LARGEST

    @property
    def each(self) -> Amounts:
        """The same for each row."""
        lower = self.lower.amounts[self._wish.asked]
        room = np.maximum(self._left + lower, 0) // np.maximum(self._wish.want, 1)[:, None]
        found: Amounts = room.min(axis=0, initial=LARGEST) * self._able
        return found

    def drafts(self, rows: Rows, budgets: Budgets) -> "Drafts":
        """The victims on `rows`, by resources."""
        held = self._nodes.holdings
        slots = self.lower.on(rows)
        slots = slots[np.lexsort((held.started[slots], -held.priorities[slots], held.rows[slots]))]
        violating = np.zeros(len(slots), dtype=np.bool_)
        if budgets:
            for part in np.split(np.arange(len(slots)), _starts(held.rows[slots])[1:]):
                pods = [held.occupant(int(slots[i])).pod for i in part]
                violating[part] = budgets.violated(pods)
            order = np.lexsort((~violating, held.rows[slots]))
            slots, violating = slots[order], violating[order]
        return Drafts(self._nodes, self._reprieved(slots), violating, slots)

    def draft(self, row: int, budgets: Budgets) -> tuple[Candidate, Key] | None:
        """The same of one row; None where nobody has to go."""
        return draft(
            self._nodes.holdings,
            row,
            self.lower.on_row(row),
            asked=self._wish.asked,
            spare=self._left[:, row] - self._wish.want,
            budgets=budgets,
        )

    def _reprieved(self, slots: Slots) -> Mask:
        """Which of the pods must go, in their order on each row."""
        held = self._nodes.holdings
        rows = held.rows[slots]
        starts = _starts(rows)
        sizes = np.diff(np.append(starts, len(slots)))
        amounts = held.amounts[np.ix_(self._wish.asked, slots)]
        spare = self._left[:, rows[starts]] - self._wish.want[:, None]
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
        self.rows: Rows = self._rows[self._starts]
        self.keys = self._ranked() if len(keep) else np.zeros((KEYS, 0))
        self.violations = self.keys[VIOLATIONS]

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Candidate]:
        """The candidates, the one to take first."""
        ends = np.append(self._starts, len(self._slots))
        held = self._nodes.holdings
        for number in np.lexsort(self.keys):
            part = slice(int(ends[number]), int(ends[number + 1]))
            slots = self._slots[part]
            by_rank = slots[np.lexsort((held.started[slots], -held.priorities[slots]))]
            victims = tuple(held.occupant(int(slot)) for slot in by_rank)
            yield Candidate(int(self._rows[part.start]), victims, int(self._violating[part].sum()))

    def _ranked(self) -> NDArray[np.float64]:
        """As `Candidate.key`, for all of them: what comes first, last."""
        held, starts = self._nodes.holdings, self._starts
        levels = held.priorities[self._slots]
        highest = np.maximum.reduceat(levels, starts)
        sizes = np.diff(np.append(starts, len(levels)))
        top = levels == np.repeat(highest, sizes)
        since = np.where(top, held.started[self._slots], np.inf)
        found = np.empty((KEYS, len(starts)))
        found[0] = -np.minimum.reduceat(since, starts)
        found[1] = sizes
        found[2] = np.add.reduceat(levels + OFFSET, starts)
        found[3] = highest
        found[VIOLATIONS] = np.add.reduceat(self._violating.astype(np.int64), starts)
        return found


def _starts(rows: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where in sorted `rows` each of them begins."""
    before = np.concatenate((np.full(min(1, len(rows)), NOBODY), rows[:-1]))
    return np.flatnonzero(rows != before)
