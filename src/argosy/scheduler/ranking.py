"""Filters and scores of one shape over all nodes, kept and brought up to date row by row.

The first pod of a shape pays for all nodes; the next ones only for the rows that changed since:
what a filter says of a row depends on that row alone. A score that is normalized depends on which
nodes are feasible, so it is worked out anew at each look, unless it is the same everywhere. What
plugins survey for one pod comes on top (`Look`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns, Rows, Scalar
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores, Survey
from argosy.scheduler.shape import Shape

_MOST_SHAPES = 64

Surveys = Sequence[tuple[Plugin, Survey]]


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
        self._feasible: Mask = np.zeros(0, dtype=np.bool_)
        self._plain: Scores = np.zeros(0, dtype=np.int64)
        self._ranked: Scores = self._plain
        self._varying: list[Plugin] = []

    def best(self, surveys: Surveys = ()) -> int | None:
        """The row with the highest score, the first among equals; None where none is feasible."""
        self._refresh()
        if not self._size:
            return None
        ranked = self._ranked
        if surveys or self._varying:
            ranked = self._totals(self._possible(surveys), surveys)
        row = int(ranked.argmax())
        return row if ranked[row] >= 0 else None

    def ordered(
        self, within: NDArray[np.intp] | None = None, surveys: Surveys = ()
    ) -> Iterator[int]:
        """The feasible rows (of those in `within`, where given), best first.

        Sorting is put off: most often the first one will do.
        """
        self._refresh()
        feasible = self._possible(surveys)
        if within is not None:
            chosen = np.zeros(self._size, dtype=np.bool_)
            chosen[within] = True
            feasible = feasible & chosen
        if not feasible.any():
            return
        total = self._totals(feasible, surveys)
        first = int(total.argmax())
        yield first
        rows = np.flatnonzero(feasible)
        for row in rows[np.argsort(-total[rows], kind="stable")][1:]:
            yield int(row)

    def feasible(self, surveys: Surveys = ()) -> Mask:
        """The rows that pass all filters; don't change it."""
        self._refresh()
        return self._possible(surveys)

    def explain(self, surveys: Surveys = ()) -> Counter[str]:
        """How many nodes are refused for which reason, by the first filter that refuses them."""
        self._refresh()
        reasons: Counter[str] = Counter()
        left = self._nodes.live[: self._size].copy()
        for plugin in self._filters:
            refused = np.flatnonzero(left & ~self._masks[plugin.name])
            left[refused] = False
            if len(refused) and plugin.explain:
                reasons.update(plugin.explain(self._nodes, self._shape, refused))
        for _, survey in surveys:
            mask = survey.mask
            if mask is not None:
                refused = np.flatnonzero(left & ~mask)
                left[refused] = False
                if len(refused):
                    reasons.update(survey.explain(refused))
        return reasons

    def _possible(self, surveys: Surveys) -> Mask:
        feasible = self._feasible
        for _, survey in surveys:
            mask = survey.mask
            if mask is not None:
                feasible = feasible & mask
        return feasible

    def _totals(self, feasible: Mask, surveys: Surveys) -> Scores:
        """The sum of all scores; -1 where the pod can't be."""
        total = self._plain
        for plugin in self._varying:
            total = total + plugin.weight * normalized(
                self._raw[plugin.name], feasible, plugin.normalize
            )
        for plugin, survey in surveys:
            scores = survey.score(feasible)
            if scores is not None:
                total = total + plugin.weight * scores
        return np.where(feasible, total, -1)

    def _refresh(self) -> None:
        """Bring masks and raw scores up to date."""
        nodes = self._nodes
        if nodes.size != self._size:
            self._all_anew()
            return
        changed_nodes = nodes.node_changes.since(self._seen_nodes)
        changed_usage = nodes.usage_changes.since(self._seen_usage)
        if changed_nodes is None or changed_usage is None:
            self._all_anew()
            return
        self._seen_nodes = nodes.node_changes.position
        self._seen_usage = nodes.usage_changes.position
        if len(changed_nodes):
            self._update(changed_nodes, usage=False)
        if len(changed_usage):
            self._update(changed_usage, usage=True)
            # What changes as a node changes as what its pods use too (see Columns).
            self._combine(changed_usage)
        if len(changed_nodes):
            self._vary()

    def _all_anew(self) -> None:
        nodes = self._nodes
        self._size = nodes.size
        self._seen_nodes = nodes.node_changes.position
        self._seen_usage = nodes.usage_changes.position
        self._feasible = np.zeros(self._size, dtype=np.bool_)
        self._plain = np.zeros(self._size, dtype=np.int64)
        self._ranked = np.zeros(self._size, dtype=np.int64)
        for usage in (False, True):
            self._update(nodes.everything, usage=usage)
        self._combine(nodes.everything)
        self._vary()

    def _update(self, rows: Rows, *, usage: bool) -> None:
        nodes, shape = self._nodes, self._shape
        for plugin in self._filters:
            if plugin.usage is usage and plugin.filter:
                _put(self._masks, plugin.name, rows, plugin.filter(nodes, shape, rows))
        for plugin in self._scores:
            if plugin.usage is usage and plugin.score:
                _put(self._raw, plugin.name, rows, plugin.score(nodes, shape, rows))

    def _combine(self, rows: Rows) -> None:
        """What all filters say of `rows` together, and the sum of scores that stand as they are."""
        feasible = self._nodes.live[: self._size][rows].copy()
        for mask in self._masks.values():
            feasible &= mask[rows]
        plain = np.zeros(len(feasible), dtype=np.int64)
        for plugin in self._scores:
            if not plugin.normalize:
                plain += plugin.weight * self._raw[plugin.name][rows]
        self._feasible[rows] = feasible
        self._plain[rows] = plain
        self._ranked[rows] = np.where(feasible, plain, -1)

    def _vary(self) -> None:
        """Which normalized scores tell nodes apart: most often none does."""
        self._varying = [
            plugin for plugin in self._scores if plugin.normalize and self._raw[plugin.name].any()
        ]


def normalized(raw: Scores, feasible: Mask, way: Literal["", "up", "down"]) -> Scores:
    """Raw counts as 0..100, by the highest among the feasible rows: as upstream's default."""
    highest = int(np.where(feasible, raw, 0).max(initial=0))
    if way == "up":
        return raw * HIGHEST_SCORE // highest if highest else raw
    if highest == 0:
        return np.full_like(raw, HIGHEST_SCORE)
    return HIGHEST_SCORE - raw * HIGHEST_SCORE // highest


def _put(into: dict[str, NDArray[Scalar]], name: str, rows: Rows, values: NDArray[Scalar]) -> None:
    if isinstance(rows, slice):
        into[name] = values
    else:
        into[name][rows] = values


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
