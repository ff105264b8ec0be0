"""Filters and scores of one shape over all nodes, kept and brought up to date row by row.

The first pod of a shape pays for all nodes; the next ones only for the rows that changed since:
what a filter says of a row depends on that row alone. Scores are summed anew at each look, since
a normalized score depends on which nodes are feasible.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns, Rows, Scalar
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores
from argosy.scheduler.shape import Shape

_MOST_SHAPES = 64


class Ranking:
    """The nodes as one shape sees them."""

    def __init__(self, nodes: Columns, plugins: Sequence[Plugin], shape: Shape) -> None:
        self._nodes = nodes
        self._shape = shape
        self._filters = [plugin for plugin in plugins if plugin.filter]
        self._scores = [plugin for plugin in plugins if plugin.score]
        self._size = -1
        self._seen_nodes = self._seen_usage = 0
        self._masks: dict[str, Mask] = {}
        self._raw: dict[str, Scores] = {}

    def best(self) -> int | None:
        """The row with the highest score, the first among equals; None where none is feasible."""
        feasible = self._refresh()
        total = self._total(feasible)
        row = int(np.where(feasible, total, -1).argmax()) if self._size else 0
        return row if self._size and feasible[row] else None

    def ordered(self, within: NDArray[np.intp] | None = None) -> Iterator[int]:
        """The feasible rows (of those in `within`, where given), best first.

        Sorting is put off: most often the first one will do.
        """
        feasible = self._refresh()
        if within is not None:
            chosen = np.zeros(self._size, dtype=np.bool_)
            chosen[within] = True
            feasible &= chosen
        if not feasible.any():
            return
        total = np.where(feasible, self._total(feasible), -1)
        first = int(total.argmax())
        yield first
        rows = np.flatnonzero(feasible)
        for row in rows[np.argsort(-total[rows], kind="stable")][1:]:
            yield int(row)

    def feasible(self) -> int:
        """How many nodes pass all filters."""
        return int(self._refresh().sum())

    def explain(self) -> Counter[str]:
        """How many nodes are refused for which reason, by the first filter that refuses them."""
        self._refresh()
        reasons: Counter[str] = Counter()
        left = self._nodes.live[: self._size].copy()
        for plugin in self._filters:
            refused = np.flatnonzero(left & ~self._masks[plugin.name])
            left[refused] = False
            if len(refused) and plugin.explain:
                reasons.update(plugin.explain(self._nodes, self._shape, refused))
        return reasons

    def _refresh(self) -> Mask:
        """Bring masks and raw scores up to date; the rows that pass all filters."""
        nodes = self._nodes
        grown = nodes.size != self._size
        changed_nodes = None if grown else nodes.node_changes.since(self._seen_nodes)
        changed_usage = None if grown else nodes.usage_changes.since(self._seen_usage)
        self._size = nodes.size
        self._seen_nodes = nodes.node_changes.position
        self._seen_usage = nodes.usage_changes.position
        everything = nodes.everything
        self._update(everything if changed_nodes is None else changed_nodes, usage=False)
        self._update(everything if changed_usage is None else changed_usage, usage=True)
        feasible = nodes.live[: self._size].copy()
        for mask in self._masks.values():
            feasible &= mask
        return feasible

    def _update(self, rows: Rows, *, usage: bool) -> None:
        if not isinstance(rows, slice) and not len(rows):
            return
        nodes, shape = self._nodes, self._shape
        for plugin in self._filters:
            if plugin.usage is usage and plugin.filter:
                _put(self._masks, plugin.name, rows, plugin.filter(nodes, shape, rows))
        for plugin in self._scores:
            if plugin.usage is usage and plugin.score:
                _put(self._raw, plugin.name, rows, plugin.score(nodes, shape, rows))

    def _total(self, feasible: Mask) -> Scores:
        total = np.zeros(self._size, dtype=np.int64)
        for plugin in self._scores:
            raw = self._raw[plugin.name]
            total += plugin.weight * (_reversed(raw, feasible) if plugin.reverse else raw)
        return total


def _put(into: dict[str, NDArray[Scalar]], name: str, rows: Rows, values: NDArray[Scalar]) -> None:
    if isinstance(rows, slice):
        into[name] = values
    else:
        into[name][rows] = values


def _reversed(raw: Scores, feasible: Mask) -> Scores:
    """100 for a count of nothing, 0 for the highest count among the feasible."""
    highest = int(np.where(feasible, raw, 0).max(initial=0))
    if highest == 0:
        return np.full_like(raw, HIGHEST_SCORE)
    return HIGHEST_SCORE - raw * HIGHEST_SCORE // highest


class Rankings:
    """The rankings of the shapes seen last."""

    def __init__(self, nodes: Columns, plugins: Sequence[Plugin]) -> None:
        self._nodes = nodes
        self._plugins = plugins
        self._known: dict[Shape, Ranking] = {}

    def of(self, shape: Shape) -> Ranking:
        """The ranking of `shape`; the one not asked for longest makes room."""
        ranking = self._known.pop(shape, None) or Ranking(self._nodes, self._plugins, shape)
        self._known[shape] = ranking
        if len(self._known) > _MOST_SHAPES:
            del self._known[next(iter(self._known))]
        return ranking
