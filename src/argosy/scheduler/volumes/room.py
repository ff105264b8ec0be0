"""How large a volume can still be made, by class and node, as storage drivers publish it.

There may be a CSIStorageCapacity for each node and class, and one changes with every volume that is
made; so rows are kept, and brought up to date one by one. Source: Kubernetes' "Storage Capacity".
"""

import numpy as np
from numpy.typing import NDArray

from argosy.api.meta import Key
from argosy.api.storage import CSIStorageCapacity
from argosy.base import quantity
from argosy.scheduler.columns import Columns
from argosy.scheduler.volumes.reach import labels_match

Sizes = NDArray[np.int64]
NONE = -1
"""Less than anybody asks for."""
LARGEST = 2**62


class _Class:
    """The rows of one class."""

    def __init__(self, size: int) -> None:
        self.largest: Sizes = np.full(size, NONE, dtype=np.int64)
        self._told: dict[int, dict[Key, int]] = {}
        self._rows: dict[Key, NDArray[np.intp]] = {}

    def put(self, key: Key, limit: int, rows: NDArray[np.intp]) -> None:
        """So much is left for `rows`."""
        self.drop(key)
        self._rows[key] = rows
        for row in rows.tolist():
            self._told.setdefault(row, {})[key] = limit
            self.largest[row] = max(limit, int(self.largest[row]))

    def drop(self, key: Key) -> None:
        """What was told is no longer true."""
        for row in self._rows.pop(key, np.zeros(0, dtype=np.intp)).tolist():
            del self._told[row][key]
            self.largest[row] = max(self._told[row].values(), default=NONE)


class Room:
    """What is published, and what it says of each row."""

    def __init__(self) -> None:
        self._known: dict[Key, CSIStorageCapacity] = {}
        self._classes: dict[str, _Class] = {}
        self._nodes: Columns | None = None
        self._position = -1

    def put(self, old: CSIStorageCapacity | None, new: CSIStorageCapacity | None) -> bool:
        """There is more or less left; whether that may help a pod."""
        if old is not None:
            self._known.pop(old.key, None)
            if (kept := self._classes.get(old.storage_class_name)) is not None:
                kept.drop(old.key)
        if new is None:
            return False
        self._known[new.key] = new
        if self._nodes is not None and self._fresh(self._nodes):
            self._tell(new, self._nodes)
        return old is None or _limit(new) > _limit(old)

    def largest(self, storage: str, nodes: Columns) -> Sizes:
        """The largest volume of a class for each row, in bytes; don't change it."""
        if not self._fresh(nodes):
            self._nodes, self._position = nodes, nodes.node_changes.position
            self._classes.clear()
            for capacity in self._known.values():
                self._tell(capacity, nodes)
        found = self._classes.get(storage)
        return found.largest if found is not None else np.full(nodes.size, NONE, dtype=np.int64)

    def _fresh(self, nodes: Columns) -> bool:
        return nodes is self._nodes and self._position == nodes.node_changes.position

    def _tell(self, capacity: CSIStorageCapacity, nodes: Columns) -> None:
        topology = capacity.node_topology
        if topology is None:
            return
        rows = np.flatnonzero(labels_match(nodes, topology.parsed))
        of_class = self._classes.setdefault(capacity.storage_class_name, _Class(nodes.size))
        of_class.put(capacity.key, _limit(capacity), rows)


def _limit(capacity: CSIStorageCapacity) -> int:
    """The largest volume that can be made; what is no quantity counts as nothing."""
    told = capacity.maximum_volume_size
    told = capacity.capacity if told is None else told
    if told is None:
        return NONE
    try:
        return min(quantity.whole(told), LARGEST)
    except ValueError:
        return NONE
