"""How a claim is bound to a volume: four writes, each good only for what was read.

First the volume says whose it is, then the claim says which it has: a volume is some claim's before
any claim is told of it, and each write names the revision that it stands on. So no two claims get
one volume, and where a claim took another one in between, its first volume is given up again
(`volumeplan`). Pure functions; whoever does the writes asks again after each.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from argosy.api.meta import Object
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    YES,
    meant_for,
    reference_of,
    size,
)

Json = dict[str, Any]
T = TypeVar("T", bound=Object)


@dataclass(frozen=True, slots=True)
class Write(Generic[T]):
    """One merge patch of an object as it was read."""

    of: T
    patch: Json
    subresource: str = ""

    @property
    def body(self) -> Json:
        """The patch, good for that revision alone."""
        meta = {**self.patch.get("metadata", {}), "resourceVersion": self.revision}
        return {**self.patch, "metadata": meta}

    @property
    def revision(self) -> str:
        """The revision that was read."""
        return self.of.metadata.resource_version


def next_write(
    volume: PersistentVolume, claim: PersistentVolumeClaim
) -> Write[PersistentVolume] | Write[PersistentVolumeClaim] | None:
    """What is missing first until the claim has the volume; None where nothing is."""
    return _owned(volume, claim) or _taken(volume) or _named(volume, claim) or _told(volume, claim)


def _owned(
    volume: PersistentVolume, claim: PersistentVolumeClaim
) -> Write[PersistentVolume] | None:
    reference, meta = volume.spec.claim_ref, claim.metadata
    if reference is not None and reference.uid == meta.uid and meant_for(volume, claim):
        return None
    patch: Json = {"spec": {"claimRef": reference_of(claim)}}
    if not meant_for(volume, claim):
        patch["metadata"] = {"annotations": {BOUND_BY_CONTROLLER: YES}}
    return Write(volume, patch)


def _taken(volume: PersistentVolume) -> Write[PersistentVolume] | None:
    return None if volume.status.phase == "Bound" else phase(volume, "Bound")


def _named(
    volume: PersistentVolume, claim: PersistentVolumeClaim
) -> Write[PersistentVolumeClaim] | None:
    name = volume.metadata.name
    annotations = {}
    if claim.spec.volume_name != name:
        annotations[BOUND_BY_CONTROLLER] = YES
    if BIND_COMPLETED not in claim.metadata.annotations:
        annotations[BIND_COMPLETED] = YES
    if not annotations:
        return None
    patch = {"metadata": {"annotations": annotations}, "spec": {"volumeName": name}}
    return Write(claim, patch)


def _told(
    volume: PersistentVolume, claim: PersistentVolumeClaim
) -> Write[PersistentVolumeClaim] | None:
    has, spec = claim.status, volume.spec
    if has.phase == "Bound" and has.access_modes == spec.access_modes:
        return None
    status: Json = {"phase": "Bound", "accessModes": list(spec.access_modes)}
    if has.phase != "Bound":
        status["capacity"] = dict(spec.capacity)
        if has.phase == "Pending":
            status["currentVolumeAttributesClassName"] = spec.volume_attributes_class_name
    return Write(claim, {"status": status}, "status")


def phase(volume: PersistentVolume, name: str, message: str = "") -> Write[PersistentVolume]:
    """The volume is in another phase."""
    return Write(volume, {"status": {"phase": name, "message": message or None}}, "status")


def claim_phase(claim: PersistentVolumeClaim, name: str) -> Write[PersistentVolumeClaim] | None:
    """The claim has no volume, and is in this phase."""
    has = claim.status
    if (has.phase, has.access_modes, size(has.capacity)) == (name, (), 0):
        return None
    status = {
        "phase": name,
        "accessModes": None,
        "capacity": None,
        "currentVolumeAttributesClassName": None,
    }
    return Write(claim, {"status": status}, "status")


def unbind(volume: PersistentVolume) -> Write[PersistentVolume]:
    """The volume is nobody's again, or, where somebody had kept it for the claim, still kept."""
    if BOUND_BY_CONTROLLER not in volume.metadata.annotations:
        return Write(volume, {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}})
    patch = {
        "metadata": {"annotations": {BOUND_BY_CONTROLLER: None}},
        "spec": {"claimRef": None},
    }
    return Write(volume, patch)
