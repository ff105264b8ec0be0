"""NodeDeclaredFeatureValidator: a running pod asks for no more than its node says that it can do.

What a node can do stands in its `status.declaredFeatures`. The features that an update may need are
upstream's: changes of the resources of a whole pod, and of those of init containers. Source:
KEP-5328.
"""

from collections.abc import Callable, Mapping

import msgspec

from argosy.api.resources.core import NODE
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.base import quantity

GATE = "NodeDeclaredFeatures"


def node_can_follow(attributes: Attributes) -> None:
    """Refuse the update of a pod on a node that hasn't declared what it needs."""
    gates = attributes.target.served.gates
    new, old = attributes.new["spec"], (attributes.old or {}).get("spec") or {}
    name = new.get("nodeName")
    if not name or new == old or (gates is not None and not gates.open(GATE)):
        return
    needed = [feature for feature, needs in NEEDS.items() if needs(new, old)]
    if not needed:
        return
    record = attributes.look(NODE.key(name=name))
    if record is None:
        raise attributes.refusal(f'node "{name}" not found')
    node: Json = msgspec.json.decode(record.value)
    declared = (node.get("status") or {}).get("declaredFeatures") or ()
    if missing := [feature for feature in needed if feature not in declared]:
        raise attributes.refusal(
            f"pod update requires features {', '.join(missing)} "
            f'which are not available on node "{name}"'
        )


def _pod_resources(new: Json, old: Json) -> bool:
    return _amounts(new.get("resources")) != _amounts(old.get("resources"))


def _amounts(resources: Json | None) -> Json:
    """The amounts, however they are written; what is empty says nothing."""
    given = resources or {}
    amounts: Json = {
        kind: {name: quantity.parse(value) for name, value in (given.get(kind) or {}).items()}
        for kind in ("requests", "limits")
    }
    amounts["claims"] = given.get("claims") or []
    return {kind: value for kind, value in amounts.items() if value}


def _init_resources(new: Json, old: Json) -> bool:
    """Whether those of an init container that runs to its end were changed."""
    pairs = zip(old.get("initContainers") or (), new.get("initContainers") or (), strict=False)
    return any(
        was.get("restartPolicy") != "Always" and was.get("resources") != now.get("resources")
        for was, now in pairs
    )


NEEDS: Mapping[str, Callable[[Json, Json], bool]] = {
    "InPlacePodLevelResourcesVerticalScaling": _pod_resources,
    "InPlacePodVerticalScalingInitContainers": _init_resources,
}
"""Features by name, in upstream's order, and whether the step to `new` from `old` needs them."""
