"""What becomes of a volume: decided from the claim whose it is, and from its reclaim policy.

Pure functions. Source: Kubernetes' persistent volume controller.
"""

from dataclasses import dataclass
from enum import Enum

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.controllers.volumes.words import FINALIZER, PROVISIONED_BY
from argosy.runtime.events import Note


class Fate(Enum):
    """What is to be done."""

    AVAILABLE = "Available"
    BOUND = "Bound"
    WAIT = "wait for the claim"
    UNBIND = "give up the claim"
    RECLAIM = "reclaim"


@dataclass(frozen=True, slots=True)
class Failed:
    """It can't be reclaimed."""

    note: Note


class Reclaim(Enum):
    """How a released volume is reclaimed."""

    KEEP = "keep"
    REMOVE = "remove"
    LEAVE = "leave it to its provisioner"


def fate(volume: PersistentVolume, claim: PersistentVolumeClaim | None) -> Fate:
    """What is to be done with a volume; `claim` is the one that its reference names, if it is
    there and is the very same.
    """
    reference, name = volume.spec.claim_ref, volume.metadata.name
    if reference is None or not reference.uid:
        return Fate.AVAILABLE
    if claim is None:
        return Fate.RECLAIM
    if not claim.spec.volume_name:
        return Fate.WAIT
    if claim.spec.volume_name == name:
        return Fate.BOUND
    made = PROVISIONED_BY in volume.metadata.annotations
    deleted = volume.spec.persistent_volume_reclaim_policy == "Delete"
    return Fate.RECLAIM if made and deleted else Fate.UNBIND


def reclaim(volume: PersistentVolume, provisioner: str) -> Reclaim | Failed:
    """How a released volume is reclaimed; `provisioner` is the one whose volumes are made here."""
    policy = volume.spec.persistent_volume_reclaim_policy
    if policy == "Retain":
        return Reclaim.KEEP
    if policy == "Recycle":
        text = "No recycler plugin found for the volume!"
        return Failed(Note("VolumeFailedRecycle", text, "Warning"))
    if policy != "Delete":
        text = "Volume has unrecognized PersistentVolumeReclaimPolicy"
        return Failed(Note("VolumeUnknownReclaimPolicy", text, "Warning"))
    maker = volume.metadata.annotations.get(PROVISIONED_BY)
    if maker == provisioner:
        return Reclaim.REMOVE
    if maker or volume.spec.csi is not None:
        return Reclaim.LEAVE
    name = volume.metadata.name
    text = f'error getting deleter volume plugin for volume "{name}": no volume plugin matched'
    return Failed(Note("VolumeFailedDelete", text, "Warning"))


def finalizers(volume: PersistentVolume, provisioner: str) -> tuple[str, ...] | None:
    """The finalizers that a volume shall have, where it has others; None where they are right."""
    meta, has = volume.metadata, FINALIZER in volume.metadata.finalizers
    ours = meta.annotations.get(PROVISIONED_BY) == provisioner
    deleted = volume.spec.persistent_volume_reclaim_policy == "Delete"
    wanted = ours and deleted and volume.spec.claim_ref is not None
    if wanted == has or (wanted and meta.deletion_timestamp is not None):
        return None
    if wanted:
        return (*meta.finalizers, FINALIZER)
    return tuple(name for name in meta.finalizers if name != FINALIZER)
