"""What stands between a pod and each node: every filter by itself, over all nodes.

The scheduler needs to know whether a node passes all filters; who explains needs each filter's own
answer, and for resources each resource's. A hurdle also tells what a node is by nature: whether it
would do if no other pod were there. Nothing here knows a rule: plugins are asked, with a shape that
asks for one thing only, with columns that no pod is on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Toleration
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Mask, Plugin
from argosy.scheduler.plugins.node_unschedulable import CORDONED
from argosy.scheduler.ranking import Surveys
from argosy.scheduler.shape import Request, Shape

FIT = "NodeResourcesFit"
CORDON = "NodeUnschedulable"
TAINTS = "TaintToleration"
AFFINITY = "NodeAffinity"
PINNED = "NodeNameAffinity"
SELECTOR = "nodeSelector"
"""The part of node affinity that is labels."""

NodeRows = NDArray[np.intp]
Reasons = Callable[[NodeRows], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurdle:
    """One rule as all nodes meet it. `part`: which resource it is about, or `SELECTOR`.

    passed: the rows that get over it. nature: those that would if no other pod were there; None for
    a rule that is not about what a node is. reasons: why rows don't get over it, counted.
    """

    plugin: str
    part: str = ""
    passed: Mask
    nature: Mask | None = None
    reasons: Reasons

    @property
    def never(self) -> Mask:
        """The rows that will never do, whoever goes."""
        if self.nature is None:
            return np.zeros_like(self.passed)
        found: Mask = ~self.nature
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One shape in view of all nodes. `apart`: nodes kept for others by a taint that says so."""

    shape: Shape
    live: Mask
    apart: Mask
    hurdles: tuple[Hurdle, ...]

    @property
    def fails(self) -> NDArray[np.int64]:
        """How many hurdles each row fails."""
        found = np.zeros(len(self.live), dtype=np.int64)
        for hurdle in self.hurdles:
            found += ~hurdle.passed
        return found


def plain_hurdles(
    nodes: Columns, plugins: Sequence[Plugin], shape: Shape, surveys: Surveys
) -> list[Hurdle]:
    """Those of filters and surveys."""
    nodes.vector(shape.request)  # its columns are there from now on, in copies too
    empty = nodes.emptied()
    found: list[Hurdle] = []
    for plugin in plugins:
        if plugin.filter and (plugin.applies is None or plugin.applies(shape)):
            found += _filtered(nodes, empty, plugins, plugin, shape)
    for plugin, survey in surveys:
        mask = survey.mask
        if mask is not None:
            found.append(Hurdle(plugin=plugin.name, passed=mask, reasons=survey.explain))
    return found


def _filtered(
    nodes: Columns, empty: Columns, plugins: Sequence[Plugin], plugin: Plugin, shape: Shape
) -> list[Hurdle]:
    if plugin.name == CORDON:
        return [_cordon(nodes, plugins, plugin, shape)]
    if plugin.name == TAINTS:
        return [_hurdle(nodes, None, plugin, tolerating(shape, CORDONED.key))]
    if plugin.name == AFFINITY and shape.node_selector and shape.affinity:
        return [
            _hurdle(nodes, nodes, plugin, replace(shape, affinity=""), SELECTOR),
            _hurdle(nodes, nodes, plugin, replace(shape, node_selector=())),
        ]
    if plugin.name == AFFINITY and shape.node_selector:
        return [_hurdle(nodes, nodes, plugin, shape, SELECTOR)]
    if plugin.name != FIT:
        return [_hurdle(nodes, empty if plugin.usage else nodes, plugin, shape)]
    return [
        _hurdle(nodes, empty, plugin, _asking(shape, name, amount), name)
        for name, amount in shape.request.amounts
    ]


def _hurdle(
    nodes: Columns, empty: Columns | None, plugin: Plugin, shape: Shape, part: str = ""
) -> Hurdle:
    passed = _ask(plugin, nodes, shape)
    nature = None
    if empty is not None:
        nature = passed if empty is nodes or passed.all() else _ask(plugin, empty, shape)

    def reasons(rows: NodeRows) -> Mapping[str, int]:
        return plugin.explain(nodes, shape, rows) if plugin.explain else {plugin.name: len(rows)}

    return Hurdle(plugin=plugin.name, part=part, passed=passed, nature=nature, reasons=reasons)


def _cordon(nodes: Columns, plugins: Sequence[Plugin], plugin: Plugin, shape: Shape) -> Hurdle:
    """A cordoned node soon has a taint that says the same: it is one hurdle, not two."""
    whole = _hurdle(nodes, None, plugin, shape)
    if all(taint.key != CORDONED.key for taints in nodes.taint_sets for taint in taints):
        return whole
    return replace(whole, passed=whole.passed & ~kept_by(nodes, plugins, shape, (CORDONED.key,)))


def kept_by(nodes: Columns, plugins: Sequence[Plugin], shape: Shape, keys: Sequence[str]) -> Mask:
    """The rows that taints with these keys keep the pod from, and no other taint does."""
    found: Mask = np.zeros(nodes.size, dtype=np.bool_)
    for plugin in plugins:
        if plugin.name == TAINTS:
            found = _ask(plugin, nodes, tolerating(shape, *keys)) & ~_ask(plugin, nodes, shape)
    return found


def apart(nodes: Columns, plugins: Sequence[Plugin], shape: Shape) -> Mask:
    """The rows that are kept for a role, or for pods that ask for a resource that this one does
    not: that the pod doesn't tolerate their taint is as it should be."""
    asked = {name for name, _ in shape.request.amounts}
    keys = {taint.key for taints in nodes.taint_sets for taint in taints}
    kept = [
        key
        for key in sorted(keys)
        if key.startswith("node-role.kubernetes.io/")
        or (key in nodes.resources and key not in asked)
    ]
    return kept_by(nodes, plugins, shape, kept) if kept else np.zeros(nodes.size, dtype=np.bool_)


def tolerating(shape: Shape, *keys: str) -> Shape:
    """The shape of a pod that tolerates taints with these keys too."""
    more = tuple(Toleration(key=key, operator="Exists") for key in keys)
    return replace(shape, tolerations=(*shape.tolerations, *more))


def _asking(shape: Shape, resource: str, amount: int) -> Shape:
    return replace(shape, request=Request(((resource, amount),), shape.request.scored))


def _ask(plugin: Plugin, nodes: Columns, shape: Shape) -> Mask:
    assert plugin.filter is not None
    return plugin.filter(nodes, shape, nodes.everything)
