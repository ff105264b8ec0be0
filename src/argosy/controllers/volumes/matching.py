"""Which volume suits a claim: the smallest that is free, unless one was meant for it.

Pure functions. Source: Kubernetes' persistent volume controller; here a volume that is meant for
the claim goes first whatever its access modes.
"""

from collections.abc import Iterable

from argosy.api.core import Node
from argosy.api.nodeaffinity import REQUIRED, matches
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import OLD_CLASS, claim_class, meant_for, size, volume_class


def has_class(claim: PersistentVolumeClaim) -> bool:
    """Whether the claim says anything of its class, be it that it wants none."""
    return OLD_CLASS in claim.metadata.annotations or claim.spec.storage_class_name is not None


def mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str | None:
    """Why the claim can't have a volume that it asks for by name."""
    wanted, spec = claim.spec, volume.spec
    if volume.metadata.deletion_timestamp is not None:
        return f'the volume is marked for deletion "{volume.metadata.name}"'
    if size(spec.capacity) < size(wanted.resources.requests):
        return "requested PV is too small"
    if volume_class(volume) != claim_class(claim):
        return "storageClassName does not match"
    if (wanted.volume_attributes_class_name or "") != (spec.volume_attributes_class_name or ""):
        return "volumeAttributesClassName does not match"
    if wanted.volume_mode != spec.volume_mode:
        return "incompatible volumeMode"
    if not set(wanted.access_modes) <= set(spec.access_modes):
        return "incompatible accessMode"
    return None


def best(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    *,
    free: bool = True,
    node: Node | None = None,
) -> PersistentVolume | None:
    """The volume that the claim gets; `free`: also one that is meant for nobody, `node`: from
    where it must be reached.
    """
    found = [volume for volume in volumes if _usable(claim, volume)]
    meant = [volume for volume in found if meant_for(volume, claim)]
    if meant:
        return min(meant, key=_rank)
    if not free:
        return None
    suiting = (volume for volume in found if _suits(claim, volume) and reachable(volume, node))
    return min(suiting, key=_rank, default=None)


def reachable(volume: PersistentVolume, node: Node | None) -> bool:
    """Whether the volume can be used at the node."""
    affinity = volume.spec.node_affinity
    if node is None or affinity is None or affinity.required is None:
        return True
    asked = {"affinity": {"nodeAffinity": {REQUIRED: affinity.required}}}
    return matches(asked, node.metadata.name, node.metadata.labels)


def _rank(volume: PersistentVolume) -> tuple[int, int, str]:
    """As little as possible more than was asked for; always the same of equals."""
    spec = volume.spec
    return (len(set(spec.access_modes)), size(spec.capacity), volume.metadata.name)


def _usable(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    """What must hold even of a volume that is meant for the claim."""
    wanted, spec = claim.spec, volume.spec
    return (
        (spec.claim_ref is None or meant_for(volume, claim))
        and volume.metadata.deletion_timestamp is None
        and wanted.volume_mode == spec.volume_mode
        and (wanted.volume_attributes_class_name or "") == (spec.volume_attributes_class_name or "")
        and set(wanted.access_modes) <= set(spec.access_modes)
        and size(spec.capacity) >= size(wanted.resources.requests)
    )


def _suits(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    """What must hold of one that the claim did not ask for."""
    selector = claim.spec.selector
    return (
        volume.status.phase == "Available"
        and volume_class(volume) == claim_class(claim)
        and (selector is None or selector.parsed.matches(volume.metadata.labels))
    )
