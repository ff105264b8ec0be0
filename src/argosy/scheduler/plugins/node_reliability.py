"""NodeReliability: work at risk stays off nodes that may go away, or failed lately.

Not among the default plugins. At risk is a pod that trains and does not say that it writes
checkpoints (see `work`), unless it ends soon by its `activeDeadlineSeconds`, or asks for spot nodes
itself: by its node selector, or by tolerating a taint that is named as a spot label.

A spot node is worth 50 less to it. A node that failed is worth 50 less at the moment of its
failure, and 1 less for each fiftieth of the window that has passed when the pod is created. When a
node failed is told by its Ready condition: since when it is not ready, or since when it is again.
It is read whenever a node's labels or taints change, as they do when a node fails and comes back.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.api.names import label_value_faults, qualified
from argosy.base.clock import parse_timestamp
from argosy.base.errors import FieldError, invalid_value, required
from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores, Survey
from argosy.scheduler.pluginargs import Args, Int32, read, refuse
from argosy.scheduler.preferring import Worths
from argosy.scheduler.state import State
from argosy.scheduler.work import saves, trains

NAME = "NodeReliability"
STARTING = 600.0
"""Seconds after its creation in which a node that becomes ready has not failed, but started."""
NEVER = -np.inf
LOSS = HIGHEST_SCORE // 2
"""What a node is worth less for either reason."""

Label = tuple[str, str]
SPOT: Sequence[Label] = (
    ("karpenter.sh/capacity-type", "spot"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("cloud.google.com/gke-spot", "true"),
    ("cloud.google.com/gke-preemptible", "true"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
)


class SpotLabel(Args, frozen=True, kw_only=True):
    """A label that tells of a node that may be taken away."""

    key: str = ""
    value: str = "true"


class NodeReliabilityArgs(Args, frozen=True, kw_only=True):
    """More labels of spot nodes; up to which deadline work is short; how long a failure counts."""

    spot_labels: tuple[SpotLabel, ...] = ()
    short_seconds: Int32 = 1800
    failure_window_seconds: Int32 = 3600


class Failures:
    """By row: whether it is a spot node, and when it failed last, in seconds."""

    def __init__(self, nodes: Columns, labels: Sequence[Label]) -> None:
        self._nodes = nodes
        self._labels = labels
        self._seen = -1
        self._failed: NDArray[np.float64] = np.zeros(0)
        self._spot: Mask = np.zeros(0, dtype=np.bool_)

    def look(self) -> tuple[Mask, NDArray[np.float64]]:
        """Both, as things are now; don't change them."""
        nodes = self._nodes
        changed = nodes.node_changes.since(self._seen) if self._seen >= 0 else None
        if changed is None or len(self._failed) != nodes.size:
            self._failed = np.full(nodes.size, NEVER)
            changed = list(range(nodes.size))
        if changed:
            self._spot = self._spots()
            for row in changed:
                self._failed[row] = failed_at(nodes.node(row)) if nodes.live[row] else NEVER
        self._seen = nodes.node_changes.position
        return self._spot, self._failed

    def _spots(self) -> Mask:
        nodes = self._nodes
        found = np.zeros(nodes.size, dtype=np.bool_)
        for key, value in self._labels:
            found |= nodes.labelled(key, value, nodes.everything)
        return found


def failed_at(node: Node) -> float:
    """When the node failed last, as far as its Ready condition tells; -inf where it did not."""
    ready = condition(node.status.conditions, "Ready")
    turned = _seconds(ready.last_transition_time) if ready else None
    if ready is None or turned is None:
        return NEVER
    if ready.status == "True":
        made = _seconds(node.metadata.creation_timestamp)
        if made is None or turned - made <= STARTING:
            return NEVER
    return turned


def at_risk(pod: Pod, spot: frozenset[str], short: int) -> bool:
    """Whether much is lost if the pod's node goes; `spot` are keys of labels and taints."""
    if not trains(pod) or saves(pod):
        return False
    spec = pod.spec
    if spec.active_deadline_seconds is not None and spec.active_deadline_seconds <= short:
        return False
    if any(item.key in spot for item in spec.tolerations):
        return False
    return spot.isdisjoint(spec.node_selector)


def configured(args: Mapping[str, Any]) -> Plugin:
    """With NodeReliabilityArgs as JSON. Raises ValueError, which begins with the field's path."""
    given = read(args, NodeReliabilityArgs)
    refuse(_faults(given))
    labels = (*SPOT, *((item.key, item.value) for item in given.spot_labels))
    keys = frozenset(key for key, _ in labels)
    known: WeakKeyDictionary[State, Failures] = WeakKeyDictionary()

    def survey(state: State, pod: Pod) -> Survey | None:
        if not at_risk(pod, keys, given.short_seconds):
            return None
        if state not in known:
            known[state] = Failures(state.nodes, labels)
        spot, failed = known[state].look()
        made = _seconds(pod.metadata.creation_timestamp)
        worths = steadiness(spot, failed, made, given.failure_window_seconds)
        return None if worths is None else Worths(worths)

    return Plugin(name=NAME, survey=survey, prefers=True)


def steadiness(
    spot: Mask, failed: NDArray[np.float64], made: float | None, window: int
) -> Scores | None:
    """100 for a node that stays; None where all nodes are alike."""
    worths = np.where(spot, HIGHEST_SCORE - LOSS, HIGHEST_SCORE)
    if made is not None and window:
        passed = np.clip(made - failed, 0.0, float(window))
        worths = worths - np.ceil(LOSS * (window - passed) / window).astype(np.int64)
    return worths if len(worths) and worths.min() < worths.max() else None


def _seconds(text: str | None) -> float | None:
    try:
        return parse_timestamp(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _faults(given: NodeReliabilityArgs) -> Iterator[FieldError]:
    for index, label in enumerate(given.spot_labels):
        path = f"spotLabels[{index}]"
        if not label.key:
            yield required(f"{path}.key", "must be the key of a label")
            continue
        yield from qualified(label.key, f"{path}.key")
        for fault in label_value_faults(label.value):
            yield invalid_value(f"{path}.value", label.value, fault)
    numbers = (
        ("shortSeconds", given.short_seconds),
        ("failureWindowSeconds", given.failure_window_seconds),
    )
    for name, value in numbers:
        if value < 0:
            yield invalid_value(name, value, "must be greater than or equal to 0")
