"""What claims and volumes say of each other, as whoever binds, provisions or places them reads it.

Pure functions over views, and the names of annotations. Source: Kubernetes' "Persistent Volumes"
and "Well-Known Labels, Annotations and Taints".
"""

from argosy.api.storage import Amounts, PersistentVolume, PersistentVolumeClaim
from argosy.base import quantity

BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
"""On a volume or a claim: nobody asked for just this other one, so it may be given up."""
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
"""On a claim: it was bound once. Should its volume be gone, then so are its data."""
SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""On a claim that waited for a pod: the node for which its volume is to be made."""
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
WAIT = "WaitForFirstConsumer"
"""A class's binding mode, and the reason of an event."""
YES = "yes"


def claim_class(claim: PersistentVolumeClaim) -> str:
    """The class that a claim names; empty for none."""
    named = claim.metadata.annotations.get(OLD_CLASS)
    return named if named is not None else claim.spec.storage_class_name or ""


def volume_class(volume: PersistentVolume) -> str:
    """The class that a volume is of."""
    return volume.metadata.annotations.get(OLD_CLASS, volume.spec.storage_class_name)


def meant_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume is bound to this claim, or kept for one of its name."""
    reference = volume.spec.claim_ref
    if reference is None or (reference.namespace, reference.name) != claim.key:
        return False
    return reference.uid in ("", claim.metadata.uid)


def fully_bound(claim: PersistentVolumeClaim) -> bool:
    """Whether the claim has its volume for good."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.metadata.annotations


def size(amounts: Amounts) -> int:
    """Bytes."""
    return quantity.whole(amounts.get("storage", 0))


def reference_of(claim: PersistentVolumeClaim) -> dict[str, str]:
    """The claim as a volume's `claimRef`."""
    meta = claim.metadata
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "resourceVersion": meta.resource_version,
    }
