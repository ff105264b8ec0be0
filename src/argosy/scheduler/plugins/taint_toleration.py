"""TaintToleration: taints keep pods away (NoSchedule, NoExecute) or make a node less wanted.

Nodes share few sets of taints, so each set is judged once and looked up for all its nodes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from argosy.api.core import Taint
from argosy.api.tolerations import untolerated
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.shape import Shape

FORBIDDING = ("NoSchedule", "NoExecute")


def tolerated(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes without a forbidding taint that the pod doesn't tolerate."""
    verdicts = [_untolerated(taints, shape, FORBIDDING) == 0 for taints in nodes.taint_sets]
    return np.array(verdicts, dtype=np.bool_)[nodes.taint_ids[rows]]


def unwanted(nodes: Columns, shape: Shape, rows: Rows) -> Scores:
    """How many taints of each node say that the pod had better go elsewhere."""
    counts = [_untolerated(taints, shape, ("PreferNoSchedule",)) for taints in nodes.taint_sets]
    return np.array(counts, dtype=np.int64)[nodes.taint_ids[rows]]


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """The first forbidding taint of each node, named."""
    reasons: Counter[str] = Counter()
    for taint_id, count in zip(*np.unique(nodes.taint_ids[rows], return_counts=True), strict=True):
        taint = next(
            taint
            for taint in nodes.taint_sets[int(taint_id)]
            if _untolerated((taint,), shape, FORBIDDING)
        )
        text = f"{taint.key}: {taint.value}"
        reasons[f"node(s) had untolerated taint {{{text}}}"] += int(count)
    return reasons


def _untolerated(taints: Sequence[Taint], shape: Shape, effects: Sequence[str]) -> int:
    return len(untolerated(taints, shape.tolerations, effects))


PLUGIN = Plugin(
    name="TaintToleration",
    filter=tolerated,
    explain=explain,
    score=unwanted,
    weight=3,
    normalize="down",
)
