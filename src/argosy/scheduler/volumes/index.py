"""Claims, volumes, classes and drivers as the scheduler knows them, with what it has promised.

Fed by informers. What is decided for a claim is promised from then on, so that two pods decided one
after the other don't take one volume: a promised volume counts as the claim's, a claim that is
promised a node counts as waiting for its volume there. A promise ends when it was carried out or
has failed; what came of it, the informers tell by then.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from msgspec.structs import replace

from argosy.api.meta import Key
from argosy.api.storage import (
    CSIDriver,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from argosy.api.volumebinding import SELECTED_NODE, meant_for
from argosy.scheduler.placement import VolumeGrant
from argosy.scheduler.volumes.free import FreeVolumes
from argosy.scheduler.volumes.limits import Limits
from argosy.scheduler.volumes.room import Room


@dataclass(slots=True)
class _Promise:
    """What a claim will get, and the pods that count on it."""

    volume: str
    node: str
    pods: set[str] = field(default_factory=set)


class Volumes:
    """All that volumes are decided by."""

    def __init__(self) -> None:
        self.classes: dict[str, StorageClass] = {}
        self.drivers: dict[str, CSIDriver] = {}
        self.room = Room()
        self.free = FreeVolumes()
        self.limits = Limits(self)
        self._claims: dict[Key, PersistentVolumeClaim] = {}
        self._volumes: dict[str, PersistentVolume] = {}
        self._kept: defaultdict[Key, set[str]] = defaultdict(set)
        self._promises: dict[str, _Promise] = {}
        self._promised: set[str] = set()

    def claim(self, namespace: str, name: str) -> PersistentVolumeClaim | None:
        """The claim, if it is there."""
        return self._claims.get((namespace, name))

    def volume(self, name: str) -> PersistentVolume | None:
        """The volume, if it is there."""
        return self._volumes.get(name)

    def put_claim(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> bool:
        """A claim came, changed or went; whether that may help a pod."""
        for claim in (old, new):
            if claim is not None:
                self.limits.claim_changed(claim.key)
        if new is None:
            if old is not None:
                self._claims.pop(old.key, None)
            return False
        self._claims[new.key] = new
        if old is None:
            return True
        return (
            old.spec != new.spec
            or old.metadata.annotations != new.metadata.annotations
            or old.status.phase != new.status.phase
        )

    def put_volume(self, old: PersistentVolume | None, new: PersistentVolume | None) -> bool:
        """A volume came, changed or went; whether that may help a pod."""
        for volume in (old, new):
            reference = volume.spec.claim_ref if volume is not None else None
            if reference is not None:
                self.limits.claim_changed((reference.namespace, reference.name))
        if old is not None:
            self._forget(old)
        if new is None:
            return False
        name, reference = new.metadata.name, new.spec.claim_ref
        self.limits.volume_changed(name)
        self._volumes[name] = new
        if reference is not None:
            self._kept[reference.namespace, reference.name].add(name)
        if name not in self._promised:
            self.free.put(new)
        return old is None or _may_help(old, new)

    def put_class(self, old: StorageClass | None, new: StorageClass | None) -> bool:
        """A class came, changed or went; whether that may help a pod."""
        if old is not None:
            self.classes.pop(old.metadata.name, None)
        if new is not None:
            self.classes[new.metadata.name] = new
        if old is None or new is None or old.provisioner != new.provisioner:
            self.limits.all_changed()
        return new is not None and old != new

    def put_driver(self, old: CSIDriver | None, new: CSIDriver | None) -> bool:
        """A storage driver came, changed or went; whether that may help a pod."""
        if old is not None:
            self.drivers.pop(old.metadata.name, None)
        if new is not None:
            self.drivers[new.metadata.name] = new
        before = old is not None and old.spec.storage_capacity
        return before and not (new is not None and new.spec.storage_capacity)

    def kept_for(self, claim: PersistentVolumeClaim) -> list[PersistentVolume]:
        """The volumes that are meant for just this claim."""
        promise = self._promises.get(claim.metadata.uid)
        if promise is not None and promise.volume:
            volume = self._volumes.get(promise.volume)
            return [volume] if volume is not None else []
        names = sorted(self._kept.get(claim.key, ()))
        return [volume for name in names if meant_for(volume := self._volumes[name], claim)]

    def node_for(self, claim: PersistentVolumeClaim) -> str | None:
        """The node for which the claim's volume is to be made, once that is decided."""
        promise = self._promises.get(claim.metadata.uid)
        if promise is not None and not promise.volume:
            return promise.node
        return claim.metadata.annotations.get(SELECTED_NODE)

    def promise(self, grant: VolumeGrant, node: str, pod: str) -> None:
        """The claim gets the volume, or one made for `node`; the pod of this uid counts on it."""
        name = grant.volume.metadata.name if grant.volume is not None else ""
        uid = grant.claim.metadata.uid
        promise = self._promises.get(uid)
        if promise is None:
            promise = self._promises[uid] = _Promise(name, node)
            if name:
                self._promised.add(name)
                self.free.drop(name)
        promise.pods.add(pod)

    def take_back(self, grant: VolumeGrant, pod: str) -> None:
        """The pod no longer counts on it; the last one ends the promise."""
        uid = grant.claim.metadata.uid
        promise = self._promises.get(uid)
        if promise is None:
            return
        promise.pods.discard(pod)
        if promise.pods:
            return
        del self._promises[uid]
        if promise.volume:
            self._promised.remove(promise.volume)
            if (volume := self._volumes.get(promise.volume)) is not None:
                self.free.put(volume)

    def _forget(self, volume: PersistentVolume) -> None:
        name, reference = volume.metadata.name, volume.spec.claim_ref
        self._volumes.pop(name, None)
        self.free.drop(name)
        self.limits.volume_changed(name)
        if reference is not None:
            key = (reference.namespace, reference.name)
            self._kept[key].discard(name)
            if not self._kept[key]:
                del self._kept[key]


def _may_help(old: PersistentVolume, new: PersistentVolume) -> bool:
    """Whether a volume's change may help a pod; that a claim got it, the claim will tell."""
    if old.status.phase != new.status.phase == "Available":
        return True
    if old.metadata.labels != new.metadata.labels:
        return True
    reference = new.spec.claim_ref
    if reference is None or not reference.uid:
        return old.spec != new.spec
    return replace(old.spec, claim_ref=reference) != new.spec
