"""How many volumes of each storage driver a node can have, and has.

A volume counts once on a node, however many pods use it there. One that is still attached though no
pod uses it counts too. Rows that changed since the last look are counted anew, and only when a pod
asks. Source: Kubernetes' "Node-specific Volume Limits".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from argosy.api.meta import Key
from argosy.api.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from argosy.api.volumebinding import claim_class
from argosy.scheduler.columns import Columns

Counts = NDArray[np.int64]
NO_LIMIT = 2**31
_MOST_CHANGES = 4096


class Disk(NamedTuple):
    """A volume as its driver knows it; one that is not made yet is known by its claim."""

    driver: str
    handle: str


class Known(Protocol):
    """What volumes and claims there are."""

    @property
    def classes(self) -> Mapping[str, StorageClass]:
        """The classes by name."""
        ...

    def claim(self, namespace: str, name: str) -> PersistentVolumeClaim | None:
        """A claim."""
        ...

    def volume(self, name: str) -> PersistentVolume | None:
        """A volume."""
        ...


def disk_of(known: Known, claim: PersistentVolumeClaim) -> Disk | None:
    """What the claim has, or will have, of a storage driver; None where no driver attaches it."""
    volume = known.volume(claim.spec.volume_name) if claim.spec.volume_name else None
    if volume is not None:
        source = volume.spec.csi
        return Disk(source.driver, source.volume_handle) if source is not None else None
    storage = known.classes.get(claim_class(claim))
    if storage is None or not storage.provisioner:
        return None
    return Disk(storage.provisioner, f"claim {'/'.join(claim.key)}")


class Limits:
    """Volumes by driver and row, and how many there may be."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._most: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._arrays: dict[str, Counts] = {}
        self._arrays_at: tuple[int, int] = (-1, -1)
        self._attached: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        self._attached_to: defaultdict[str, set[str]] = defaultdict(set)
        self._changed_claims: set[Key] = set()
        self._changed_nodes: set[str] = set()
        self._nodes: Columns | None = None
        self._seen = 0
        self._counts: dict[str, Counts] = {}
        self._used: list[frozenset[Disk]] = []
        self._counted: list[tuple[Disk, ...]] = []
        self._users: defaultdict[Disk, set[int]] = defaultdict(set)

    def put_node(self, old: CSINode | None, new: CSINode | None) -> bool:
        """The drivers of a node have changed; whether that may help a pod."""
        before, now = _counts_of(old), _counts_of(new)
        name = (new or old or CSINode()).metadata.name
        for driver in before.keys() - now.keys():
            del self._most[driver][name]
            if not self._most[driver]:
                del self._most[driver]
        for driver, count in now.items():
            self._most[driver][name] = count
        if before != now:
            self._arrays.clear()
        return old is None or any(count > before.get(d, 0) for d, count in now.items())

    def put_attachment(self, old: VolumeAttachment | None, new: VolumeAttachment | None) -> bool:
        """A volume is attached to a node, or no longer; whether that may help a pod."""
        self._mark({each.spec.node_name for each in (old, new) if each is not None})
        if old is not None:
            spec, name = old.spec, old.metadata.name
            self._attached[spec.node_name].pop(name, None)
            if not self._attached[spec.node_name]:
                del self._attached[spec.node_name]
            volume = spec.source.persistent_volume_name
            self._attached_to[volume].discard(spec.node_name)
            if not self._attached_to[volume]:
                del self._attached_to[volume]
        if new is not None and new.spec.attacher:
            spec = new.spec
            volume = spec.source.persistent_volume_name
            self._attached[spec.node_name][new.metadata.name] = (spec.attacher, volume)
            self._attached_to[volume].add(spec.node_name)
        return new is None

    def claim_changed(self, key: Key) -> None:
        """The claim is new, another or gone."""
        self._changed_claims.add(key)
        if len(self._changed_claims) > _MOST_CHANGES:
            self.all_changed()

    def volume_changed(self, name: str) -> None:
        """The volume is new, another or gone."""
        self._mark(self._attached_to.get(name, ()))

    def all_changed(self) -> None:
        """Something that any volume may depend on."""
        self._nodes = None
        self._changed_claims.clear()
        self._changed_nodes.clear()

    def limited(self, drivers: Iterable[str]) -> list[str]:
        """Those of which some node can't have any number of volumes."""
        return [driver for driver in drivers if driver in self._most]

    def most(self, driver: str, nodes: Columns) -> Counts:
        """How many volumes of the driver each row can have."""
        now = (nodes.size, nodes.node_changes.position)
        if self._arrays_at != now:
            self._arrays.clear()
            self._arrays_at = now
        if driver not in self._arrays:
            found = np.full(nodes.size, NO_LIMIT, dtype=np.int64)
            for name, count in self._most.get(driver, {}).items():
                if name in nodes.row_of:
                    found[nodes.row_of[name]] = count
            self._arrays[driver] = found
        return self._arrays[driver]

    def taken(self, driver: str, nodes: Columns) -> Counts:
        """How many volumes of the driver each row has."""
        self._refresh(nodes)
        found = self._counts.get(driver)
        return found if found is not None else np.zeros(nodes.size, dtype=np.int64)

    def users(self, disk: Disk) -> set[int]:
        """The rows whose pods use a volume; to be asked after `taken`."""
        return self._users.get(disk, set())

    def _mark(self, nodes: Iterable[str]) -> None:
        self._changed_nodes.update(nodes)
        if len(self._changed_nodes) > _MOST_CHANGES:
            self.all_changed()

    def _refresh(self, nodes: Columns) -> None:
        changed = None
        if nodes is self._nodes and nodes.size == len(self._used):
            changed = nodes.usage_changes.since(self._seen)
        self._seen = nodes.usage_changes.position
        if changed is None:
            self._restart(nodes)
            rows = set(range(nodes.size))
        else:
            rows = {int(row) for row in changed} | self._rows_of_changes(nodes)
        self._changed_claims.clear()
        self._changed_nodes.clear()
        for row in rows:
            self._count(nodes, row)

    def _restart(self, nodes: Columns) -> None:
        self._nodes = nodes
        self._counts.clear()
        self._users.clear()
        self._used = [frozenset()] * nodes.size
        self._counted = [()] * nodes.size

    def _rows_of_changes(self, nodes: Columns) -> set[int]:
        carried = nodes.tallies.carried("claim")
        rows = {nodes.row_of[name] for name in self._changed_nodes if name in nodes.row_of}
        for key in self._changed_claims:
            if key in carried:
                rows.update(carried[key].rows)
        return rows

    def _count(self, nodes: Columns, row: int) -> None:
        """Count the volumes of one row anew."""
        used = frozenset(self._used_on(nodes, row))
        counted = (*used, *(self._left_on(nodes, row) - used))
        for disk in self._used[row] - used:
            self._users[disk].discard(row)
            if not self._users[disk]:
                del self._users[disk]
        for disk in used:
            self._users[disk].add(row)
        for sign, disks in ((-1, self._counted[row]), (1, counted)):
            for disk in disks:
                if disk.driver not in self._counts:
                    self._counts[disk.driver] = np.zeros(nodes.size, dtype=np.int64)
                self._counts[disk.driver][row] += sign
        self._used[row], self._counted[row] = used, counted

    def _used_on(self, nodes: Columns, row: int) -> Iterable[Disk]:
        for occupant in nodes.pods_on(nodes.names[row]) if nodes.live[row] else ():
            for mark in occupant.marks:
                if mark.room == "claim" and (claim := self._known.claim(*mark.key)) is not None:
                    if (disk := disk_of(self._known, claim)) is not None:
                        yield disk

    def _left_on(self, nodes: Columns, row: int) -> set[Disk]:
        """What is attached to the node, whether used or not."""
        found = set()
        for attacher, name in self._attached.get(nodes.names[row], {}).values():
            volume = self._known.volume(name)
            if volume is not None and volume.spec.csi is not None:
                found.add(Disk(attacher, volume.spec.csi.volume_handle))
        return found


def _counts_of(node: CSINode | None) -> dict[str, int]:
    drivers = node.spec.drivers if node is not None else ()
    return {
        driver.name: driver.allocatable.count
        for driver in drivers
        if driver.allocatable is not None and driver.allocatable.count is not None
    }
