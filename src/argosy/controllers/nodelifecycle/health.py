"""What is known of a node's health: when it last gave a sign of life, and what follows if not.

A sign is a status that the node wrote, or a renewal of its lease. It counts from when it was seen
here, by a clock that nobody sets: a node has the whole time of grace after this process began, and
the clocks of nodes don't matter. Pure functions. Source: kube-controller-manager's node lifecycle
controller.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from argosy.api.core import Node, NodeCondition

Json = dict[str, Any]

GRACE = 50.0
"""Seconds that a node may be silent."""
STARTUP_GRACE = 60.0
"""Seconds for one that never gave a status."""
READY = "Ready"
TOLD = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")
"""What the node itself tells. Its network is told by others."""


@dataclass(frozen=True, slots=True)
class Health:
    """The node's last signs: its condition and lease then, and when (monotonic) they were seen."""

    ready: NodeCondition | None
    renewed: str | None
    seen: float


def ready_of(node: Node) -> NodeCondition | None:
    """What the node's status says of it."""
    return next((one for one in node.status.conditions if one.type == READY), None)


def observed(known: Health | None, node: Node, renewed: str | None, now: float) -> Health:
    """What is known after a look at the node, whose lease was renewed at `renewed`."""
    ready = ready_of(node)
    if known is None:
        return Health(ready, renewed, now)
    alive = _beat(known.ready, ready) or (renewed is not None and renewed != known.renewed)
    if alive:
        return Health(ready, renewed, now)
    return known if known.ready == ready else replace(known, ready=ready)


def _beat(before: NodeCondition | None, after: NodeCondition | None) -> bool:
    """Whether the node wrote its status in between."""
    if before is None or after is None:
        return before is not after
    return before.last_heartbeat_time != after.last_heartbeat_time


def silent(health: Health, now: float) -> bool:
    """Whether the node is taken for gone."""
    grace = GRACE if health.ready is not None else STARTUP_GRACE
    return now > health.seen + grace


def known_silent(node: Node) -> bool:
    """Whether all that is to be said of a silent node is said."""
    unknown = {one.type for one in node.status.conditions if one.status == "Unknown"}
    return unknown.issuperset(TOLD)


def given_up(conditions: Iterable[Json], created: str, now: str) -> list[Json]:
    """The conditions of a node that is silent; `created` is when the node was."""
    found = [_unknown(one, now) for one in conditions]
    never = {
        "status": "Unknown",
        "reason": "NodeStatusNeverUpdated",
        "message": "Kubelet never posted node status.",
        "lastHeartbeatTime": created,
        "lastTransitionTime": now,
    }
    known = {one["type"] for one in found}
    return [*found, *({"type": kind, **never} for kind in TOLD if kind not in known)]


def _unknown(condition: Json, now: str) -> Json:
    if condition["type"] not in TOLD or condition["status"] == "Unknown":
        return condition
    return {
        **condition,
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastTransitionTime": now,
    }
