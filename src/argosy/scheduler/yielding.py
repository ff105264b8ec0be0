"""Room that is kept for nominated pods: others of their priority or a lower one may not take it.

What the claims leave is worked out for all rows at once, for resources; whether all other rules
hold beside the nominated pods is asked for the one row that is chosen (`trial`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask, Scores
from argosy.scheduler.holdings import Amounts
from argosy.scheduler.nominations import Claims
from argosy.scheduler.sentences import shortage
from argosy.scheduler.shape import Shape


class Yielding:
    """A survey: the rows that have room beside those who come first."""

    def __init__(self, nodes: Columns, asked: NDArray[np.intp], want: Amounts, claimed: Claims):
        self._names = list(nodes.resources)
        self._asked = asked
        self._rows = rows = claimed.rows
        short = np.zeros((len(asked), len(rows)), dtype=np.bool_)
        theirs = claimed.amounts.any(axis=0)
        for position, column in enumerate(asked):
            left = nodes.allocatable[:, column][rows] - nodes.requested[:, column][rows]
            # Elsewhere it is for NodeResourcesFit to say whether there is room.
            short[position] = theirs & (left - claimed.amounts[position] < want[position])
        self._short: Mask = short
        self._mask: Mask = np.ones(nodes.size, dtype=np.bool_)
        self._mask[rows] = ~short.any(axis=0)

    @property
    def mask(self) -> Mask | None:
        """The rows with room enough."""
        return self._mask

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """Every resource that is short."""
        counts = self._short[:, np.isin(self._rows, rows)].sum(axis=1)
        reasons: Counter[str] = Counter()
        for column, count in zip(self._asked, counts, strict=True):
            reasons[shortage(self._names[int(column)])] += int(count)
        return +reasons

    def score(self, feasible: Mask) -> Scores | None:
        """All rows are alike."""
        return None


def yielding(
    nodes: Columns, shape: Shape, columns: Sequence[int], *, priority: int, exempt: Collection[str]
) -> Yielding | None:
    """What a pod of this priority must leave alone of the resources in `columns`; None where there
    is nothing. `exempt` are the uids of pods that it need not yield to."""
    asked = np.array(columns, dtype=np.intp)
    claimed = claims(nodes, asked, priority, exempt)
    if claimed is None:
        return None
    return Yielding(nodes, asked, nodes.vector(shape.request)[asked], claimed)


def claims(
    nodes: Columns, asked: NDArray[np.intp], priority: int, exempt: Collection[str]
) -> Claims | None:
    """What nominated pods that come first claim of the `asked` resources."""
    found = nodes.nominated.claims(priority, exempt)
    return None if found is None else Claims(found.rows, found.amounts[asked])
