"""`metadata.generation`: which kinds count their changes, and what counts as one.

Kinds of Argosy's own count, as custom resources do. Of the built-in ones only those here do:
upstream gives a generation to what a controller acts upon, and to policies.
"""

from collections.abc import Mapping

from argosy.api.validation.rule import Json

COUNTED: Mapping[str, tuple[str, ...]] = {
    "CronJob": (),
    "CSIDriver": (),
    "CustomResourceDefinition": (),
    "DaemonSet": (),
    "Deployment": ("annotations",),
    "DeviceClass": (),
    "DeviceTaintRule": (),
    "EndpointSlice": ("labels",),
    "FlowSchema": (),
    "Ingress": (),
    "IngressClass": (),
    "Job": (),
    "MutatingAdmissionPolicy": (),
    "MutatingAdmissionPolicyBinding": (),
    "MutatingWebhookConfiguration": (),
    "NetworkPolicy": (),
    "Pod": (),
    "PodDisruptionBudget": (),
    "PodTemplate": (),
    "PriorityClass": (),
    "PriorityLevelConfiguration": (),
    "ReplicaSet": (),
    "ReplicationController": (),
    "ResourceSlice": (),
    "StatefulSet": (),
    "ValidatingAdmissionPolicy": (),
    "ValidatingAdmissionPolicyBinding": (),
    "ValidatingWebhookConfiguration": (),
}
"""Built-in kinds that have one; with the metadata that counts, beside what no kind leaves out."""
LATE = frozenset({"CSIDriver"})
"""These have none before their first change."""


def first(kind: str, *, own: bool) -> int | None:
    """The generation of a new object; None where the kind has none."""
    return 1 if own or (kind in COUNTED and kind not in LATE) else None


def following(kind: str, new: Json, old: Json, *, own: bool) -> int | None:
    """The generation that `new` has after `old`; None where the kind has none."""
    before = old["metadata"].get("generation")
    if not own and kind not in COUNTED:
        return None
    return (before or 0) + 1 if _changed(new, old, COUNTED.get(kind, ())) else before


def _changed(new: Json, old: Json, also: tuple[str, ...]) -> bool:
    names = (new.keys() | old.keys()) - {"metadata", "status"}
    after, before = new["metadata"], old["metadata"]
    return any(new.get(name) != old.get(name) for name in names) or any(
        (after.get(name) or {}) != (before.get(name) or {}) for name in also
    )
