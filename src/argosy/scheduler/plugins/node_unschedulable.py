"""NodeUnschedulable: cordoned nodes get no pod, unless the pod tolerates just that taint."""

from collections.abc import Mapping

import numpy as np

from argosy.api.core import Taint
from argosy.api.tolerations import tolerates
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin
from argosy.scheduler.shape import Shape

CORDONED = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def schedulable(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes that aren't cordoned."""
    cordoned = nodes.unschedulable[rows]
    if any(tolerates(toleration, CORDONED) for toleration in shape.tolerations):
        return np.ones_like(cordoned)
    return ~cordoned


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """All for the same reason."""
    return {"node(s) were unschedulable": len(nodes.live[rows])}


PLUGIN = Plugin(name="NodeUnschedulable", filter=schedulable, explain=explain)
