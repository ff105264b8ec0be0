"""The cluster as listed at one moment: objects by kind, and the scheduler's state made of them.

A change is a tuple of swaps, old for new; `None` stands for an object that is not there. Applied to
a snapshot it makes another snapshot, applied to a state it can be undone by its reverse.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast

from argosy.api.batch import Job
from argosy.api.core import Namespace, Node, Pod, Service
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.meta import Key, Object
from argosy.api.scheduling import PodGroup
from argosy.api.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from argosy.scheduler.occupants import Occupant, bare, occupant_of
from argosy.scheduler.owners import WORKLOADS
from argosy.scheduler.state import State

T = TypeVar("T", bound=Object)
Swap = tuple[Object | None, Object | None]
Change = tuple[Swap, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects by kind and key."""

    objects: Mapping[type[Object], Mapping[Key, Object]]

    def of(self, kind: type[T]) -> Mapping[Key, T]:
        """All objects of a kind."""
        return cast("Mapping[Key, T]", self.objects.get(kind, {}))

    def changed(self, change: Change) -> "Snapshot":
        """The cluster after `change`."""
        objects = {kind: dict(known) for kind, known in self.objects.items()}
        for old, new in change:
            if old is not None:
                objects[type(old)].pop(old.key, None)
            if new is not None:
                objects.setdefault(type(new), {})[new.key] = new
        return Snapshot(objects)


def snapshot_of(objects: Iterable[Object]) -> Snapshot:
    """A snapshot of `objects` of any kinds."""
    found: dict[type[Object], dict[Key, Object]] = {}
    for item in objects:
        found.setdefault(type(item), {})[item.key] = item
    return Snapshot(found)


def state_of(snapshot: Snapshot) -> State:
    """What the scheduler would know of such a cluster."""
    state = State()
    for kind in KINDS:
        for item in snapshot.of(kind).values():
            feed(state, None, item)
    return state


def apply(state: State, change: Change) -> None:
    """Make the change in `state`."""
    for old, new in change:
        feed(state, old, new)


def undo(state: State, change: Change) -> None:
    """Take back what `apply` has done."""
    for old, new in reversed(change):
        feed(state, new, old)


def feed(state: State, old: Object | None, new: Object | None) -> None:
    """An object came, changed or went. Kinds that the state knows nothing of are passed over."""
    either = new if new is not None else old
    fed = _FEEDS.get(type(either)) if either is not None else None
    if fed is not None:
        fed(state, old, new)


def _node(state: State, old: Node | None, new: Node | None) -> None:
    if new is not None:
        state.nodes.put_node(new)
    elif old is not None:
        state.nodes.drop_node(old.metadata.name)


def _pod(state: State, old: Pod | None, new: Pod | None) -> None:
    if old is not None:
        state.nodes.drop_pod(old.metadata.uid)
        state.nodes.nominated.drop(old.metadata.uid)
    if new is None or new.finished:
        return
    if new.spec.node_name:
        state.nodes.put_pod(new.spec.node_name, known_occupant(new))
    elif new.status.nominated_node_name:
        state.nodes.nominated.put(new, new.status.nominated_node_name)


def known_occupant(pod: Pod) -> Occupant:
    """What a bound pod is; one with broken quantities counts as a pod and no more."""
    try:
        return occupant_of(pod)
    except ValueError:
        return bare(pod)


_FEEDS: Mapping[type[Object], Callable[[State, Any, Any], object]] = MappingProxyType(
    {
        Namespace: lambda state, old, new: state.namespaces.put(old, new),
        Service: lambda state, old, new: state.owners.put_service(old, new),
        **dict.fromkeys(WORKLOADS, lambda state, old, new: state.owners.put_workload(old, new)),
        Node: _node,
        DeviceClass: lambda state, old, new: state.devices.put_class(old, new),
        ResourceSlice: lambda state, old, new: state.devices.put_slice(old, new),
        ResourceClaim: lambda state, old, new: state.devices.put_claim(old, new),
        StorageClass: lambda state, old, new: state.volumes.put_class(old, new),
        CSIDriver: lambda state, old, new: state.volumes.put_driver(old, new),
        CSINode: lambda state, old, new: state.volumes.limits.put_node(old, new),
        CSIStorageCapacity: lambda state, old, new: state.volumes.room.put(old, new),
        VolumeAttachment: lambda state, old, new: state.volumes.limits.put_attachment(old, new),
        PersistentVolume: lambda state, old, new: state.volumes.put_volume(old, new),
        PersistentVolumeClaim: lambda state, old, new: state.volumes.put_claim(old, new),
        Job: lambda state, old, new: state.deadlines.put(old, new),
        Pod: _pod,
    }
)
KINDS: tuple[type[Object], ...] = (*_FEEDS, PodGroup)
"""What is read of a cluster, in the order in which a state is made of it: all that the scheduler
reads but budgets, since nobody is evicted here."""
