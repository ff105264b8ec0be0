"""What becomes of a claim: decided from what is known of volumes, classes and pods.

Pure functions. A claim that was bound once is never bound to another volume. Source: Kubernetes'
persistent volume controller. The scheduler says at which node a claim of a class that waits for a
pod is needed, or which volume it gets. For a pod that came to its node without that being said (it
named the node itself, say), it is that node.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from argosy.api.core import Node
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BIND_COMPLETED, SELECTED_NODE, WAIT, claim_class, meant_for
from argosy.controllers.volumes.matching import best, has_class, mismatch
from argosy.controllers.volumes.words import DEFAULT_CLASS
from argosy.runtime.events import Note


@dataclass(frozen=True, slots=True)
class Bind:
    """It gets this volume, or has it: what is missing of that is written."""

    volume: PersistentVolume


@dataclass(frozen=True, slots=True)
class Provision:
    """A volume is to be made, as the class says."""

    storage: StorageClass


@dataclass(frozen=True, slots=True)
class Classify:
    """It is given the default class."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """Its volume is to be made for this node."""

    node: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done."""

    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Lose:
    """Its volume is gone, and its data."""

    note: Note


Decision = Bind | Provision | Classify | Select | Wait | Lose


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What there is for a claim: the volume that it names, those it could have, its class, the
    default class, the node at which a pod wants it, and pods that have no node yet.
    """

    named: PersistentVolume | None = None
    volumes: Sequence[PersistentVolume] = ()
    storage: StorageClass | None = None
    default: str | None = None
    node: Node | None = None
    unplaced: Sequence[str] = ()


def decide(claim: PersistentVolumeClaim, known: Known) -> Decision:
    """What is to be done about the claim."""
    if BIND_COMPLETED in claim.metadata.annotations:
        return _bound(claim, known.named)
    if claim.spec.volume_name:
        return _asked(claim, known.named)
    return _unbound(claim, known)


def _bound(claim: PersistentVolumeClaim, volume: PersistentVolume | None) -> Decision:
    if not claim.spec.volume_name:
        return _lost("Bound claim has lost reference to PersistentVolume.")
    if volume is None:
        return _lost("Bound claim has lost its PersistentVolume.")
    reference = volume.spec.claim_ref
    if reference is None or reference.uid == claim.metadata.uid:
        return Bind(volume)
    text = "Two claims are bound to the same volume, this one is bound incorrectly"
    return Lose(Note("ClaimMisbound", text, "Warning"))


def _lost(what: str) -> Lose:
    return Lose(Note("ClaimLost", f"{what} Data on the volume is lost!", "Warning"))


def _asked(claim: PersistentVolumeClaim, volume: PersistentVolume | None) -> Decision:
    """Of a claim that names its volume."""
    if volume is None:
        return Wait()
    name = volume.metadata.name
    if volume.spec.claim_ref is not None:
        if meant_for(volume, claim):
            return Bind(volume)
        text = f'volume "{name}" already bound to a different claim.'
        return Wait(Note("FailedBinding", text, "Warning"))
    if why := mismatch(volume, claim):
        text = f'Cannot bind to requested volume "{name}": {why}'
        return Wait(Note("VolumeMismatch", text, "Warning"))
    return Bind(volume)


def _unbound(claim: PersistentVolumeClaim, known: Known) -> Decision:
    storage = known.storage
    waits = storage is not None and storage.volume_binding_mode == WAIT
    selected = SELECTED_NODE in claim.metadata.annotations
    free = not waits or (known.node is not None and not selected)
    if volume := best(claim, known.volumes, free=free, node=known.node if waits else None):
        return Bind(volume)
    if not has_class(claim) and known.default is not None:
        return Classify(known.default)
    if waits and not selected:
        return Select(known.node.metadata.name) if known.node else Wait(_waiting(known.unplaced))
    if storage is not None:
        return Provision(storage)
    if name := claim_class(claim):
        text = f'storageclass.storage.k8s.io "{name}" not found'
        return Wait(Note("ProvisioningFailed", text, "Warning"))
    text = "no persistent volumes available for this claim and no storage class is set"
    return Wait(Note("FailedBinding", text))


def _waiting(pods: Sequence[str]) -> Note:
    if not pods:
        text = "waiting for first consumer to be created before binding"
        return Note(WAIT, text)
    names = ",".join(pods)
    return Note(
        "WaitForPodScheduled", f"waiting for pod{'s' * (len(pods) > 1)} {names} to be scheduled"
    )


def default_class(classes: Iterable[StorageClass]) -> str | None:
    """The newest of the classes that are marked as the default one."""
    marked = [one.metadata for one in classes if _marked(one)]
    if not marked:
        return None
    newest = max(meta.creation_timestamp or "" for meta in marked)
    return min(meta.name for meta in marked if (meta.creation_timestamp or "") == newest)


def _marked(storage: StorageClass) -> bool:
    return any(storage.metadata.annotations.get(name) == "true" for name in DEFAULT_CLASS)
