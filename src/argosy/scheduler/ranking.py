"""Filters and scores of one shape over all nodes, kept and brought up to date row by row.

The first pod of a shape pays for all nodes; the next ones only for the rows that changed since:
what a filter says of a row depends on that row alone. A score that is normalized depends on which
nodes are feasible, so it is worked out anew when one becomes so or ceases to be. What plugins
survey for one pod comes on top.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores, Survey
from argosy.scheduler.shape import Shape

_MOST_SHAPES, _FEWEST_SHAPES = 1024, 16
_MOST_ROWS = 2**21
"""Of all kept rankings together; a row takes some 40 bytes of each."""
_FEW = 8
"""So many rows are looked at one by one faster than together."""
_BLOCK = 8192
"""So many rows at a time: what is worked out of them stays in the processor's cache."""
_NOWHERE = -(2**40)
"""What a row counts that can't have the pod: below zero whatever surveys add."""

Surveys = Sequence[tuple[Plugin, Survey]]


class Ranking:
    """The nodes as one shape sees them."""

    def __init__(self, nodes: Columns, plugins: Sequence[Plugin], shape: Shape) -> None:
        self._nodes = nodes
        self._shape = shape
        asked = [plugin for plugin in plugins if plugin.applies is None or plugin.applies(shape)]
        self._filters = [plugin for plugin in asked if plugin.filter]
        self._scores = [plugin for plugin in asked if plugin.score]
        self.hang_on_usage = [plugin.name for plugin in self._filters if plugin.usage]
        """The filters that depend on what pods use."""
        # A score that is normalized over what pods use is worked out whole.
        self._few = 0 if any(p.usage and p.normalize for p in self._scores) else _FEW
        self._size = -1
        self._seen_nodes = self._seen_usage = 0
        self._masks: dict[str, Mask] = {}
        self._raw: dict[str, Scores] = {}
        # What depends on the nodes alone, all filters and all plain scores together.
        self._allowed: Mask = np.zeros(0, dtype=np.bool_)
        self._base: Scores = np.zeros(0, dtype=np.int64)
        self._feasible: Mask = self._allowed
        self._plain: Scores = self._base
        self._ranked: Scores = self._base
        self._varying: list[Plugin] = []
        self._extra: Scores | None = None
        self._told: tuple[Counter[str], Mask] | None = None

    def best(self, surveys: Surveys = ()) -> int | None:
        """The row with the highest score, the first among equals; None where none is feasible."""
        self._refresh()
        if not self._size:
            return None
        ranked = self._totals(self._possible(surveys), surveys) if surveys else self._ranked
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

    def mendable(self, but: str = "") -> Mask:
        """The rows that nothing stands in the way of but what pods use; with `but`, nothing at all
        except that one plugin's filter."""
        self._refresh()
        found: Mask = self._nodes.live[: self._size].copy()
        for plugin in self._filters:
            if plugin.name != but and (but or not plugin.usage):
                found &= self._masks[plugin.name]
        return found

    def explain(self, surveys: Surveys = ()) -> Counter[str]:
        """How many nodes are refused for which reason, by the first filter that refuses them."""
        self._refresh()
        if self._told is None:
            self._told = self._explained()
        reasons, left = self._told[0].copy(), self._told[1].copy()
        for _, survey in surveys:
            mask = survey.mask
            if mask is not None:
                refused = np.flatnonzero(left & ~mask)
                left[refused] = False
                if len(refused):
                    reasons.update(survey.explain(refused))
        return reasons

    def _explained(self) -> tuple[Counter[str], Mask]:
        """The reasons of filters, and the rows that pass them all."""
        reasons: Counter[str] = Counter()
        left = self._nodes.live[: self._size].copy()
        for plugin in self._filters:
            refused = np.flatnonzero(left & ~self._masks[plugin.name])
            left[refused] = False
            if len(refused) and plugin.explain:
                reasons.update(plugin.explain(self._nodes, self._shape, refused))
        return reasons, left

    def _possible(self, surveys: Surveys) -> Mask:
        feasible = self._feasible
        for _, survey in surveys:
            mask = survey.mask
            if mask is not None:
                feasible = feasible & mask
        return feasible

    def _totals(self, feasible: Mask, surveys: Surveys) -> Scores:
        """The sum of all scores; below zero where the pod can't be."""
        whole = feasible is self._feasible
        if whole:
            total = self._ranked
        else:
            extra = self._normalized(feasible) if self._varying else None
            total = self._plain if extra is None else self._plain + extra
        for plugin, survey in surveys:
            scores = survey.score(feasible)
            if scores is not None:
                total = total + (scores if plugin.weight == 1 else plugin.weight * scores)
        return total if whole else _within(feasible, total)

    def _refresh(self) -> None:
        """Bring masks and scores up to date."""
        try:
            self._catch_up()
        except BaseException:
            self._size = -1  # a plugin's fault: what is half done must not be taken for whole
            raise

    def _catch_up(self) -> None:
        nodes = self._nodes
        if nodes.size != self._size:
            self._all_anew()
            return
        usage = nodes.usage_changes.since(self._seen_usage)
        specs = nodes.node_changes.since(self._seen_nodes)
        if usage is None or specs is None:
            self._all_anew()
            return
        self._seen_nodes = nodes.node_changes.position
        self._seen_usage = nodes.usage_changes.position
        if usage:
            self._told = None
        # What changes as a node changes as what its pods use too (see Columns).
        if specs or len(usage) > self._few:
            self._update(np.array(usage, dtype=np.intp), anew=bool(specs))
            self._rank()
        else:
            turned = [self._update_row(row) for row in usage]
            if self._varying and any(turned):
                self._rank()

    def _all_anew(self) -> None:
        nodes = self._nodes
        self._told = None
        self._size = nodes.size
        self._seen_nodes = nodes.node_changes.position
        self._seen_usage = nodes.usage_changes.position
        self._masks = {p.name: np.zeros(self._size, dtype=np.bool_) for p in self._filters}
        normal = [plugin.name for plugin in self._scores if plugin.normalize]
        self._raw = {name: np.zeros(self._size, dtype=np.int64) for name in normal}
        self._allowed = np.zeros(self._size, dtype=np.bool_)
        self._feasible = np.zeros(self._size, dtype=np.bool_)
        self._base = np.zeros(self._size, dtype=np.int64)
        self._plain = np.zeros(self._size, dtype=np.int64)
        for start in range(0, self._size, _BLOCK):
            self._update(slice(start, min(start + _BLOCK, self._size)), anew=True)
        self._rank()

    def _update(self, rows: Rows, *, anew: bool) -> None:
        """All of `rows`; `anew` where the nodes themselves have changed."""
        if anew:
            self._allowed[rows] = self._passed(rows, self._nodes.live[rows], usage=False)
            self._base[rows] = self._scored(rows, usage=False)
        self._feasible[rows] = self._passed(rows, self._allowed[rows], usage=True)
        self._plain[rows] = self._base[rows] + self._scored(rows, usage=True)

    def _passed(self, rows: Rows, passed: Mask, *, usage: bool) -> Mask:
        nodes, shape = self._nodes, self._shape
        for plugin in self._filters:
            if plugin.usage is usage and plugin.filter:
                mask = plugin.filter(nodes, shape, rows)
                self._masks[plugin.name][rows] = mask
                passed = passed & mask
        return passed

    def _scored(self, rows: Rows, *, usage: bool) -> Scores | int:
        """The sum of the scores that stand as they are."""
        nodes, shape = self._nodes, self._shape
        total: Scores | int = 0
        for plugin in self._scores:
            if plugin.usage is not usage or not plugin.score:
                continue
            scores = plugin.score(nodes, shape, rows)
            if plugin.normalize:
                self._raw[plugin.name][rows] = scores
            else:
                total = total + (scores if plugin.weight == 1 else plugin.weight * scores)
        return total

    def _update_row(self, row: int) -> bool:
        """One row after a pod came or went; whether it is feasible where it was not, or not where
        it was."""
        nodes, shape = self._nodes, self._shape
        feasible = bool(self._allowed[row])
        for plugin in self._filters:
            if plugin.usage:
                passed = _passes(plugin, nodes, shape, row)
                self._masks[plugin.name][row] = passed
                feasible = feasible and passed
        plain = int(self._base[row])
        for plugin in self._scores:
            if plugin.usage:
                plain += plugin.weight * _score(plugin, nodes, shape, row)
        turned = feasible is not bool(self._feasible[row])
        self._feasible[row] = feasible
        self._plain[row] = plain
        extra = 0 if self._extra is None else int(self._extra[row])
        self._ranked[row] = plain + extra if feasible else _NOWHERE
        return turned

    def _rank(self) -> None:
        # Which normalized scores tell nodes apart: most often none does.
        self._varying = [p for p in self._scores if p.normalize and self._raw[p.name].any()]
        self._extra = self._normalized(self._feasible) if self._varying else None
        total = self._plain if self._extra is None else self._plain + self._extra
        self._ranked = _within(self._feasible, total)

    def _normalized(self, feasible: Mask) -> Scores:
        """The sum of the scores that depend on which rows are feasible."""
        total: Scores = np.zeros(self._size, dtype=np.int64)
        for plugin in self._varying:
            raw = self._raw[plugin.name]
            total += plugin.weight * normalized(raw, feasible, plugin.normalize)
        return total


def _within(feasible: Mask, total: Scores) -> Scores:
    """A copy, below zero where the pod can't be."""
    found = total.copy()
    if not feasible.all():
        found[~feasible] = _NOWHERE
    return found


def _passes(plugin: Plugin, nodes: Columns, shape: Shape, row: int) -> bool:
    if plugin.filter_row:
        return plugin.filter_row(nodes, shape, row)
    assert plugin.filter is not None
    return bool(plugin.filter(nodes, shape, slice(row, row + 1))[0])


def _score(plugin: Plugin, nodes: Columns, shape: Shape, row: int) -> int:
    if plugin.score_row:
        return plugin.score_row(nodes, shape, row)
    assert plugin.score is not None
    return int(plugin.score(nodes, shape, slice(row, row + 1))[0])


def normalized(raw: Scores, feasible: Mask, way: Literal["", "up", "down"]) -> Scores:
    """Raw counts as 0..100, by the highest among the feasible rows: as upstream's default."""
    highest = int((raw * feasible).max(initial=0))
    if way == "up":
        return raw * HIGHEST_SCORE // highest if highest else raw
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
        most = min(_MOST_ROWS // max(self._nodes.size, 1), _MOST_SHAPES)
        while len(self._known) > max(most, _FEWEST_SHAPES):
            del self._known[next(iter(self._known))]
        return ranking
