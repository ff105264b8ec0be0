"""TaintNodesByCondition: no pod comes to a new node before it has said that it is ready.

The controller of nodes' taints takes the taint off again. Otherwise that controller would have to
be quicker than the scheduler.
"""

from argosy.apiserver.admission.rule import Attributes

NOT_READY = "node.kubernetes.io/not-ready"
EFFECT = "NoSchedule"


def taint_not_ready(attributes: Attributes) -> None:
    """Taint a new node, unless it comes with that taint."""
    spec = attributes.new.get("spec") or {}
    taints = spec.get("taints") or []
    if not any(taint["key"] == NOT_READY and taint["effect"] == EFFECT for taint in taints):
        taints = [*taints, {"key": NOT_READY, "effect": EFFECT}]
        attributes.new["spec"] = {**spec, "taints": taints}
