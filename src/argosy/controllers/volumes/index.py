"""Objects by what they have to do with: found without a look at all of them."""

from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import claim_class, volume_class
from argosy.controllers.claimprotection import made
from argosy.runtime.informer import Informer

CLAIM = "volumes/claim"
"""The index of pods by the claims that they use, and of volumes by the claim whose they are."""
FREE = "volumes/free"
"""Of volumes that are nobody's, by class."""
UNBOUND = "volumes/unbound"
"""Of claims that wait, by class."""
VOLUME = "volumes/volume"
"""Of claims by the volume that they name."""


def claims_of(pod: Pod) -> tuple[Key, ...]:
    """The claims that a pod uses, or will once it is placed; none once it has ended."""
    names = [name for volume in pod.spec.volumes for name in _named(pod, volume)]
    if not names or pod.finished:
        return ()
    return tuple((pod.metadata.namespace, name) for name in names)


def _named(pod: Pod, volume: dict[str, Any]) -> tuple[str, ...]:
    if (source := volume.get("persistentVolumeClaim")) is not None:
        return (str(source.get("claimName") or ""),)
    return (made(pod, volume),) if volume.get("ephemeral") is not None else ()


class Indexes:
    """Claims, volumes and pods by each other."""

    def __init__(
        self,
        claims: Informer[PersistentVolumeClaim],
        volumes: Informer[PersistentVolume],
        pods: Informer[Pod],
    ) -> None:
        self.claims, self.volumes, self.pods = claims, volumes, pods
        pods.add_index(CLAIM, claims_of)
        volumes.add_index(CLAIM, kept_for)
        volumes.add_index(FREE, _free)
        claims.add_index(UNBOUND, _unbound)
        claims.add_index(VOLUME, volume_of)

    def users(self, claim: PersistentVolumeClaim) -> list[Pod]:
        """The pods that use the claim."""
        return self.pods.by_index(CLAIM, claim.key)

    def volumes_for(self, claim: PersistentVolumeClaim) -> list[PersistentVolume]:
        """The volumes that the claim could have."""
        free = self.volumes.by_index(FREE, claim_class(claim))
        return [*self.volumes.by_index(CLAIM, claim.key), *free]

    def claims_by(self, volume: PersistentVolume) -> list[Key]:
        """The claims that change when the volume does."""
        found = [*kept_for(volume), *_keys(self.claims, VOLUME, volume.metadata.name)]
        if volume.spec.claim_ref is None and volume.status.phase == "Available":
            found += _keys(self.claims, UNBOUND, volume_class(volume))
        return found

    def claims_in(self, storage: StorageClass) -> list[Key]:
        """The claims that change when the class does, and those that may be given it."""
        names = (storage.metadata.name, "")
        return [key for name in names for key in _keys(self.claims, UNBOUND, name)]

    def claims_with(self, pod: Pod) -> list[Key]:
        """The claims that may change when the pod does."""
        found = [(key, self.claims.get(*key)) for key in claims_of(pod)]
        return [key for key, claim in found if claim is not None and _unbound(claim)]


def _keys(claims: Informer[PersistentVolumeClaim], index: str, value: str) -> list[Key]:
    return [claim.key for claim in claims.by_index(index, value)]


def kept_for(volume: PersistentVolume) -> tuple[Key, ...]:
    """The claim whose the volume is, or for which it is kept."""
    reference = volume.spec.claim_ref
    return ((reference.namespace, reference.name),) if reference is not None else ()


def _free(volume: PersistentVolume) -> tuple[str, ...]:
    return (volume_class(volume),) if volume.spec.claim_ref is None else ()


def _unbound(claim: PersistentVolumeClaim) -> tuple[str, ...]:
    return (claim_class(claim),) if claim.status.phase == "Pending" else ()


def volume_of(claim: PersistentVolumeClaim) -> tuple[str, ...]:
    """The volume that a claim names."""
    return (claim.spec.volume_name,) if claim.spec.volume_name else ()
