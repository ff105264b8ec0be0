"""TaintToleration: taints keep pods away (NoSchedule, NoExecute) or make a node less wanted.

Nodes share few sets of taints, so each set is judged once and looked up for all its nodes.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Taint
from argosy.api.tolerations import untolerated
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.shape import Shape

FORBIDDING = ("NoSchedule", "NoExecute")
ADVISING = ("PreferNoSchedule",)
UNTOLERATED = "node(s) had untolerated taint(s)"


def tolerated(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes without a forbidding taint that the pod doesn't tolerate."""
    found: Mask = _counts(nodes, shape, rows, FORBIDDING) == 0
    return found


def unwanted(nodes: Columns, shape: Shape, rows: Rows) -> Scores:
    """How many taints of each node say that the pod had better go elsewhere."""
    return _counts(nodes, shape, rows, ADVISING)


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """All for the same reason."""
    return {UNTOLERATED: len(nodes.live[rows])}


def _counts(nodes: Columns, shape: Shape, rows: Rows, effects: Sequence[str]) -> Scores:
    """How many taints of these effects each row has that the pod doesn't tolerate."""

    def count(taints: Sequence[Taint]) -> int:
        return len(untolerated(taints, shape.tolerations, effects)) if taints else 0

    return _by_set(nodes.taint_sets, nodes.taint_ids[rows], count)


def _by_set(
    sets: Sequence[Sequence[Taint]],
    ids: NDArray[np.int32],
    judge: Callable[[Sequence[Taint]], int],
) -> Scores:
    """`judge` of each row's set."""
    if len(ids) < len(sets):  # nodes whose taints change all the time have had many sets
        return np.array([judge(sets[number]) for number in ids.tolist()], dtype=np.int64)
    verdicts = [judge(item) for item in sets]
    if not any(verdicts):
        return np.zeros(len(ids), dtype=np.int64)
    return np.array(verdicts, dtype=np.int64)[ids]


PLUGIN = Plugin(
    name="TaintToleration",
    filter=tolerated,
    explain=explain,
    score=unwanted,
    weight=3,
    normalize="down",
)
