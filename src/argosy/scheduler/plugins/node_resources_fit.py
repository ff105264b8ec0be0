"""NodeResourcesFit: nodes with enough left of everything, emptier ones first.

A resource that a pod doesn't ask for never stands in its way, even on a node that has too little.
Scores: the LeastAllocated strategy with equal weights of cpu and memory, in whole numbers.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores
from argosy.scheduler.shape import BASE, Shape

_CPU, _MEMORY = BASE.index("cpu"), BASE.index("memory")


def fits(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes that have room."""
    mask: Mask = np.logical_and.reduce(_enough(nodes, shape, rows)[1], axis=1)
    return mask


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """Every resource that is short, so a node may count for several."""
    columns, enough = _enough(nodes, shape, rows)
    names = list(nodes.resources)
    reasons: Counter[str] = Counter()
    for position, column in enumerate(columns):
        short = int((~enough[:, position]).sum())
        name = names[int(column)]
        text = "Too many pods" if name == "pods" else f"Insufficient {name}"
        reasons[text] += short
    return +reasons


def least_allocated(nodes: Columns, shape: Shape, rows: Rows) -> Scores:
    """The mean free share of cpu and memory after placing the pod, 0 to 100."""
    capacity = nodes.allocatable[rows][:, (_CPU, _MEMORY)]
    left = capacity - nodes.scored[rows] - np.array(shape.request.scored, dtype=np.int64)
    share = np.maximum(left, 0) * HIGHEST_SCORE // np.maximum(capacity, 1)
    counted = np.maximum((capacity > 0).sum(axis=1), 1)
    scores: Scores = share.sum(axis=1) // counted
    return scores


def _enough(nodes: Columns, shape: Shape, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The resource columns that the pod asks for; for each row and each of them: enough left?"""
    vector = nodes.vector(shape.request)
    asked = np.flatnonzero(vector)
    left = nodes.allocatable[rows] - nodes.requested[rows]
    return asked, left[:, asked] >= vector[asked]


PLUGIN = Plugin(
    name="NodeResourcesFit",
    filter=fits,
    explain=explain,
    score=least_allocated,
    usage=True,
)
