"""NodeSelector: nodes that carry every label of the pod's `nodeSelector`."""

from collections.abc import Mapping

import numpy as np

from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin
from argosy.scheduler.shape import Shape


def selected(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes with all the labels."""
    mask = np.ones(len(nodes.live[rows]), dtype=np.bool_)
    for key, value in shape.node_selector:
        mask &= nodes.labelled(key, value, rows)
    return mask


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """All for the same reason."""
    return {"node(s) didn't match Pod's node affinity/selector": len(nodes.live[rows])}


PLUGIN = Plugin(name="NodeSelector", filter=selected, explain=explain)
