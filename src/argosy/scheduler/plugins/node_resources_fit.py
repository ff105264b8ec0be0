"""NodeResourcesFit: nodes with enough left of everything, scored by how full they would be.

A resource that a pod doesn't ask for never stands in its way, even on a node that has too little.
Sources: KEP-753, KEP-2837, and kube-scheduler's NodeResourcesFitArgs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from argosy.scheduler import resourceargs
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.resourcenames import extended, scalar
from argosy.scheduler.shape import BASE, Shape
from argosy.scheduler.strategies import LeastAllocated, Strategy, Weighed

NAME = "NodeResourcesFit"
_CPU, _MEMORY = BASE.index("cpu"), BASE.index("memory")


@dataclass(frozen=True, slots=True)
class Fit:
    """The plugin's arguments and what it does by them."""

    strategy: Strategy = LeastAllocated()
    resources: Sequence[Weighed] = resourceargs.EVEN
    ignored: frozenset[str] = frozenset()
    ignored_groups: frozenset[str] = frozenset()

    def fits(self, nodes: Columns, shape: Shape, rows: Rows) -> Mask:
        """Nodes that have room."""
        mask: Mask | None = None
        for _, column, asked in self._asked(nodes, shape):
            left = nodes.allocatable[:, column][rows] - nodes.requested[:, column][rows]
            mask = left >= asked if mask is None else mask & (left >= asked)
        return np.ones(len(nodes.live[rows]), dtype=np.bool_) if mask is None else mask

    def fits_row(self, nodes: Columns, shape: Shape, row: int) -> bool:
        """The same of one node."""
        room, used = nodes.allocatable[row].tolist(), nodes.requested[row].tolist()
        return all(
            room[column] - used[column] >= asked for _, column, asked in self._asked(nodes, shape)
        )

    def columns(self, nodes: Columns, shape: Shape) -> Sequence[int]:
        """The columns that are looked at."""
        return [column for _, column, _ in self._asked(nodes, shape)]

    def explain(self, nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
        """Every resource that is short, so a node may count for several."""
        reasons: Counter[str] = Counter()
        for name, column, asked in self._asked(nodes, shape):
            left = nodes.allocatable[:, column][rows] - nodes.requested[:, column][rows]
            text = "Too many pods" if name == "pods" else f"Insufficient {name}"
            reasons[text] += int(np.count_nonzero(left < asked))
        return +reasons

    def score(self, nodes: Columns, shape: Shape, rows: Rows) -> Scores:
        """0 to 100 by the strategy."""
        parts = []
        for weight, column, asked in self._weighed(nodes, shape):
            room = nodes.allocatable[:, column][rows]
            taken = nodes.scored if column in (_CPU, _MEMORY) else nodes.requested
            parts.append((weight, self.strategy.worths(taken[:, column][rows] + asked, room), room))
        if not parts:
            return np.zeros(len(nodes.live[rows]), dtype=np.int64)
        return self.strategy.means(parts)

    def score_row(self, nodes: Columns, shape: Shape, row: int) -> int:
        """The same of one node."""
        room, used = nodes.allocatable[row].tolist(), nodes.requested[row].tolist()
        used[_CPU], used[_MEMORY] = nodes.scored[row].tolist()
        return self.strategy.mean(
            [
                (weight, self.strategy.worth(used[column] + asked, room[column]))
                for weight, column, asked in self._weighed(nodes, shape)
                if room[column]
            ]
        )

    def _asked(self, nodes: Columns, shape: Shape) -> Iterator[tuple[str, int, int]]:
        """Name, column and amount of what the pod asks for."""
        nodes.vector(shape.request)  # which sees to it that what nodes offer has its column
        for name, amount in shape.request.amounts:
            if not (self.ignored or self.ignored_groups) or not self._ignores(name):
                yield name, nodes.column(name), amount

    def _ignores(self, name: str) -> bool:
        """Only of extended resources; a group is what stands before the stroke."""
        group = name.partition("/")[0]
        return extended(name) and (name in self.ignored or group in self.ignored_groups)

    def _weighed(self, nodes: Columns, shape: Shape) -> Iterator[tuple[int, int, int]]:
        """Weight, column and amount of what counts for the pod."""
        own = dict(shape.request.own)
        for name, weight in self.resources:
            asked = own.get(name, 0)
            if name != "pods" and (asked or not scalar(name)) and name in nodes.resources:
                yield weight, nodes.resources[name], asked


def make_plugin(fit: Fit) -> Plugin:
    """The plugin with these arguments."""
    return Plugin(
        name=NAME,
        filter=fit.fits,
        filter_row=fit.fits_row,
        explain=fit.explain,
        score=fit.score,
        score_row=fit.score_row,
        asked=fit.columns,
        usage=True,
    )


def configured(args: Mapping[str, Any]) -> Plugin:
    """With NodeResourcesFitArgs as JSON. Raises ValueError, which begins with the field's path."""
    return make_plugin(Fit(*resourceargs.fit(args)))


PLUGIN = make_plugin(Fit())
