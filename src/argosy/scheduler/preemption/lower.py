"""The pods that may go, and what they hold of each row.

A preemptor most often has others of its priority before and behind it, and little changes between
them: what pods below a priority hold is kept, and summed up anew only on rows that changed.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask
from argosy.scheduler.holdings import Amounts, Slots

Rows = NDArray[np.intp]
_FEW = 32
"""So many rows are summed up one by one faster than together."""


class Follower:
    """Tells which rows are other than they were when it was asked last, as far as pods go."""

    def __init__(self, nodes: Columns) -> None:
        self._nodes = nodes
        self._extent = (-1, -1)
        self._usage = self._starts = 0

    def changed(self) -> list[int] | None:
        """The rows; None where it may be any, or there are more of them than there were."""
        nodes = self._nodes
        usage = nodes.usage_changes.since(self._usage)
        starts = nodes.start_changes.since(self._starts)
        extent = (nodes.size, len(nodes.resources))
        same = extent == self._extent
        self._usage, self._starts = nodes.usage_changes.position, nodes.start_changes.position
        self._extent = extent
        if usage is None or starts is None or not same:
            return None
        return usage if not starts else list({*usage, *starts})


class Lower:
    """The pods below `priority`, but for those that are `spared`. (Sums of floats are exact up to
    2**53, far above what a node has.)"""

    def __init__(
        self, nodes: Columns, priority: int, spared: Callable[[Slots], Mask] | None = None
    ) -> None:
        self._nodes = nodes
        self._priority = priority
        self._spared = spared
        self._follower = Follower(nodes)
        self.amounts: Amounts = np.zeros((0, 0), dtype=np.int64)
        self.counts: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.refresh()

    def refresh(self) -> None:
        """Bring the sums up to date."""
        changed = self._follower.changed()
        if changed is None or len(changed) > _FEW:
            self._all_anew()
            return
        held = self._nodes.holdings
        for row in changed:
            slots = self.on_row(row)
            self.counts[row] = len(slots)
            self.amounts[:, row] = held.amounts[:, slots].sum(axis=1)

    def on(self, rows: Rows) -> Slots:
        """The slots of those on some rows, in order."""
        if len(rows) <= _FEW:
            return np.array(sorted(slot for row in rows for slot in self.on_row(int(row))), np.intp)
        chosen = np.zeros(self._nodes.size, dtype=np.bool_)
        chosen[rows] = True
        slots = self._slots()
        return slots[chosen[self._nodes.holdings.rows[slots]]]

    def on_row(self, row: int) -> list[int]:
        """The slots of those on one row."""
        nodes, held = self._nodes, self._nodes.holdings
        name = nodes.names[row]
        if nodes.row_of.get(name) != row:
            return []
        slots = [held.slot_of[item.pod.metadata.uid] for item in nodes.pods_on(name)]
        found = [slot for slot in slots if held.priorities[slot] < self._priority]
        if self._spared is None or not found:
            return found
        return [
            slot
            for slot, keep in zip(found, self._spared(np.array(found)), strict=True)
            if not keep
        ]

    def _all_anew(self) -> None:
        nodes, size = self._nodes, self._nodes.size
        held, slots = nodes.holdings, self._slots()
        rows = held.rows[slots]
        self.counts = np.bincount(rows, minlength=size)
        self.amounts = np.empty((len(nodes.resources), size), dtype=np.int64)
        for column in range(len(nodes.resources)):
            weights = held.amounts[column].take(slots)
            self.amounts[column] = np.bincount(rows, weights=weights, minlength=size)

    def _slots(self) -> Slots:
        slots = self._nodes.holdings.below(self._priority)
        return slots if self._spared is None else slots[~self._spared(slots)]
