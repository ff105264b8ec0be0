"""NodeDeclaredFeatures: nodes that say they can do what the pod needs (KEP-5328).

Nodes share few sets of features, so each set is judged once.
"""

from collections.abc import Mapping

import numpy as np

from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin
from argosy.scheduler.shape import Shape

LACKING = "node(s) didn't match Pod's required features"


def applies(shape: Shape) -> bool:
    """Whether the pod needs any."""
    return bool(shape.features)


def declared(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes that declare all of them."""
    verdicts = [features.issuperset(shape.features) for features in nodes.feature_sets]
    return np.array(verdicts, dtype=np.bool_)[nodes.feature_ids[rows]]


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """All for the same reason."""
    return {LACKING: len(nodes.live[rows])}


PLUGIN = Plugin(name="NodeDeclaredFeatures", applies=applies, filter=declared, explain=explain)
