"""How many more pods like one there is room for on each node, as far as columns tell."""

import numpy as np
from numpy.typing import NDArray

from argosy.scheduler.columns import Columns
from argosy.scheduler.shape import Request

MOST = 2**20
"""More are not told apart, so that sums over all nodes stay exact."""


def copies(nodes: Columns, request: Request) -> NDArray[np.int64]:
    """By row; 0 where there is no room, or no node."""
    vector = nodes.vector(request)
    found = np.where(nodes.live[: nodes.size], np.int64(MOST), np.int64(0))
    for column in np.flatnonzero(vector):
        free = nodes.allocatable[: nodes.size, column] - nodes.requested[: nodes.size, column]
        np.minimum(found, free // vector[column], out=found)
    return np.maximum(found, 0, out=found)
