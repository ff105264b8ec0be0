"""How good a candidate each row is, by resources alone: kept from one preemptor to the next.

The victims on a row follow from what is on the row, from what nominated pods claim of it and from
the budgets. So pods of one shape and priority rate a row once, and anew where any of that changed.
"""

from collections.abc import Hashable, Iterator

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.budgets import Budgets
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask
from argosy.scheduler.holdings import Amounts
from argosy.scheduler.preemption.lower import Follower, Lower, Rows
from argosy.scheduler.preemption.record import Candidate
from argosy.scheduler.preemption.sketch import KEYS, VIOLATIONS, Sketch

_FEW = 8
"""So many rows are rated one by one faster than together."""
_MOST = 8
"""So many kinds of preemptors are remembered, and so many priorities."""


class Ratings:
    """The keys of candidates by row, for one shape and priority; infinite where nobody must go."""

    def __init__(self, nodes: Columns) -> None:
        self._nodes = nodes
        self._follower = Follower(nodes)
        self._budgets = -1
        self._claimed: Amounts = np.zeros((0, 0), dtype=np.int64)
        self._keys: NDArray[np.float64] = np.zeros((KEYS, 0))
        self._known: Mask = np.zeros(0, dtype=np.bool_)

    def refresh(self, sketch: Sketch, budgets: Budgets) -> None:
        """Forget what is no longer so."""
        size = self._nodes.size
        claimed = sketch.claims()
        changed = self._follower.changed()
        if changed is None or self._budgets != budgets.version:
            self._keys = np.zeros((KEYS, size))
            self._known = np.zeros(size, dtype=np.bool_)
        else:
            self._known[changed] = False
            self._known[(claimed != self._claimed).any(axis=0)] = False
        self._budgets, self._claimed = budgets.version, claimed

    def ranked(self, sketch: Sketch, rows: Rows, budgets: Budgets) -> "Ranked":
        """The candidates among `rows`, which are in order."""
        unknown = rows[~self._known[rows]]
        self._keys[:, unknown] = np.inf
        self._known[unknown] = True
        if len(unknown) <= _FEW:
            for row in unknown.tolist():
                if (made := sketch.draft(row, budgets)) is not None:
                    self._keys[:, row] = made[1]
        else:
            drafts = sketch.drafts(unknown, budgets)
            self._keys[:, drafts.rows] = drafts.keys
        keys = self._keys[:, rows]
        there = np.isfinite(keys[VIOLATIONS])
        return Ranked(sketch, budgets, rows[there], keys[:, there])


class Ranked:
    """Candidates in the order in which they are taken; the victims of each are looked up last."""

    def __init__(
        self, sketch: Sketch, budgets: Budgets, rows: Rows, keys: NDArray[np.float64]
    ) -> None:
        self._sketch = sketch
        self._budgets = budgets
        self._rows = rows
        self._keys = keys
        self.violations = keys[VIOLATIONS]

    def __iter__(self) -> Iterator[Candidate]:
        """The candidates, the one to take first."""
        for place in np.lexsort(self._keys):
            made = self._sketch.draft(int(self._rows[place]), self._budgets)
            if made is not None:
                yield made[0]


class Memory:
    """What is kept of the preemptors that came last."""

    def __init__(self, nodes: Columns) -> None:
        self._nodes = nodes
        self._lower: dict[int, Lower] = {}
        self._ratings: dict[Hashable, Ratings] = {}

    def lower(self, priority: int) -> Lower:
        """The pods below a priority, as they are now."""
        found = self._lower.pop(priority, None)
        if found is None:
            found = Lower(self._nodes, priority)
        else:
            found.refresh()
        self._lower[priority] = found
        if len(self._lower) > _MOST:
            del self._lower[next(iter(self._lower))]
        return found

    def ratings(self, kind: Hashable) -> Ratings:
        """Those of a shape and priority; they must be refreshed."""
        found = self._ratings.pop(kind, None) or Ratings(self._nodes)
        self._ratings[kind] = found
        if len(self._ratings) > _MOST:
            del self._ratings[next(iter(self._ratings))]
        return found
