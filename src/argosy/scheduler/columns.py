"""Nodes as rows, resources as columns: what every decision is made over.

Fed by informer events and by assumed pods, one row at a time; a decision reads the arrays and
changes nothing but by `put_pod` and `drop_pod`, which undo each other exactly. Two logs tell which
rows changed since a reader last looked: one for what a node is, one for what its pods use.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Node, Taint
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.shape import BASE, LARGEST, Request, amount
from argosy.scheduler.tallies import Tallies

Rows = slice | NDArray[np.intp]
Flags = NDArray[np.bool_]
Amounts = NDArray[np.int64]
Ids = NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)
log = logging.getLogger(__name__)

_FIRST_ROWS = 64
_LONGEST_LOG = 2048
_MOST_VECTORS = 4096


class ChangeLog:
    """The rows that changed, in order; the oldest half is forgotten now and then."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._dropped = 0

    @property
    def position(self) -> int:
        """Where the log stands."""
        return self._dropped + len(self._rows)

    def add(self, row: int) -> None:
        """`row` changed."""
        self._rows.append(row)
        if len(self._rows) > _LONGEST_LOG:
            half = len(self._rows) // 2
            del self._rows[:half]
            self._dropped += half

    def since(self, position: int) -> NDArray[np.intp] | None:
        """The rows that changed after `position`, each once; None where it is too long ago."""
        if position < self._dropped:
            return None
        return np.fromiter(set(self._rows[position - self._dropped :]), dtype=np.intp)


class Columns:
    """All nodes. Rows of nodes that are gone are dead (`live` is False) and used again."""

    def __init__(self) -> None:
        self.size = 0
        self.names: list[str] = []
        self.row_of: dict[str, int] = {}
        self.resources: dict[str, int] = {name: i for i, name in enumerate(BASE)}
        self.live: Flags = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self.unschedulable: Flags = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self.allocatable: Amounts = np.zeros((_FIRST_ROWS, len(BASE)), dtype=np.int64)
        self.requested: Amounts = np.zeros((_FIRST_ROWS, len(BASE)), dtype=np.int64)
        self.scored: Amounts = np.zeros((_FIRST_ROWS, 2), dtype=np.int64)
        self.taint_ids: Ids = np.zeros(_FIRST_ROWS, dtype=np.int32)
        self.taint_sets: list[tuple[Taint, ...]] = [()]
        self.node_changes = ChangeLog()
        self.usage_changes = ChangeLog()
        self._nodes: list[Node | None] = []
        self._free_rows: list[int] = []
        self._taint_index: dict[tuple[Taint, ...], int] = {(): 0}
        self._labels: dict[str, Ids] = {}
        self._label_values: dict[str, int] = {}
        self.tallies = Tallies()
        self._pods: dict[str, tuple[str, Occupant]] = {}
        self._pods_on: defaultdict[str, dict[str, Occupant]] = defaultdict(dict)
        self._vectors: dict[Request, Amounts] = {}

    @property
    def everything(self) -> slice:
        """All rows, the dead ones too."""
        return slice(0, self.size)

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.row_of)

    def put_node(self, node: Node) -> bool:
        """Take `node` as it is now; whether anything changed that placing pods depends on."""
        name = node.metadata.name
        row = self.row_of.get(name)
        if row is None:
            row = self._new_row(name)
        elif not _differ(self._nodes[row], node):
            return False
        self._nodes[row] = node
        self.unschedulable[row] = node.spec.unschedulable
        self.taint_ids[row] = self._taint_id(node.spec.taints)
        for resource, column in self.resources.items():
            self.allocatable[row, column] = _allocatable(node, resource)
        for key, values in self._labels.items():
            values[row] = self._label_id(node.metadata.labels.get(key))
        self.node_changes.add(row)
        self.usage_changes.add(row)
        return True

    def drop_node(self, name: str) -> None:
        """The node is gone; the pods on it stay known, in case it comes back."""
        row = self.row_of.pop(name, None)
        if row is None:
            return
        for occupant in self._pods_on.get(name, {}).values():
            self._use(row, occupant, -1)
        self.live[row] = False
        self._nodes[row] = None
        self._free_rows.append(row)
        self.node_changes.add(row)
        self.usage_changes.add(row)

    def put_pod(self, node: str, occupant: Occupant) -> None:
        """The pod is on `node` from now on, or is something else there; once more does nothing."""
        uid = occupant.pod.metadata.uid
        if self._pods.get(uid) == (node, occupant):
            return
        self.drop_pod(uid)
        self._pods[uid] = (node, occupant)
        self._pods_on[node][uid] = occupant
        row = self.row_of.get(node)
        if row is not None:
            self._use(row, occupant, 1)

    def drop_pod(self, uid: str) -> bool:
        """The pod uses its node no longer; whether it did."""
        known = self._pods.pop(uid, None)
        if known is None:
            return False
        node, occupant = known
        pods = self._pods_on[node]
        del pods[uid]
        if not pods:
            del self._pods_on[node]
        row = self.row_of.get(node)
        if row is not None:
            self._use(row, occupant, -1)
        return True

    def node(self, row: int) -> Node:
        """The node of a live row."""
        node = self._nodes[row]
        assert node is not None
        return node

    def pods_on(self, name: str) -> Iterable[Occupant]:
        """The pods that are on a node, those that are assumed to be too."""
        return self._pods_on.get(name, {}).values()

    def place_of(self, uid: str) -> str:
        """The node that a pod is on; empty where it is on none."""
        known = self._pods.get(uid)
        return known[0] if known else ""

    def vector(self, request: Request) -> Amounts:
        """`request` along the resource columns; don't change it."""
        known = self._vectors.get(request)
        if known is not None:
            return known
        for name, _ in request.amounts:
            if name not in self.resources:
                self._new_resource(name)
        if len(self._vectors) >= _MOST_VECTORS:
            self._vectors.clear()
        vector = np.zeros(len(self.resources), dtype=np.int64)
        for name, value in request.amounts:
            vector[self.resources[name]] = value
        self._vectors[request] = vector
        return vector

    def domains(self, key: str) -> Ids:
        """Each row's value of a label as a number, 0 where it has none; don't change it."""
        if key not in self._labels:
            ids = np.zeros(len(self.live), dtype=np.int32)
            for row, node in enumerate(self._nodes):
                ids[row] = self._label_id(node.metadata.labels.get(key) if node else None)
            self._labels[key] = ids
        return self._labels[key][: self.size]

    @property
    def domain_limit(self) -> int:
        """Above all that `domains` gives."""
        return len(self._label_values) + 1

    def label_id(self, value: str) -> int:
        """The number that `domains` gives for a label's value; -1 for one that no node has."""
        return self._label_values.get(value, -1)

    def labelled(self, key: str, value: str, rows: Rows) -> Flags:
        """Which of `rows` have the label."""
        found: Flags = self.domains(key)[rows] == self.label_id(value)
        return found

    def _new_row(self, name: str) -> int:
        if self._free_rows:
            row = self._free_rows.pop()
            self.names[row] = name
        else:
            row = self.size
            self.size += 1
            self.names.append(name)
            self._nodes.append(None)
            if self.size > len(self.live):
                self._grow()
        self.row_of[name] = row
        self.live[row] = True
        for occupant in self._pods_on.get(name, {}).values():
            self._use(row, occupant, 1)
        return row

    def _grow(self) -> None:
        self.live = _doubled(self.live)
        self.unschedulable = _doubled(self.unschedulable)
        self.allocatable = _doubled(self.allocatable)
        self.requested = _doubled(self.requested)
        self.scored = _doubled(self.scored)
        self.taint_ids = _doubled(self.taint_ids)
        self._labels = {key: _doubled(ids) for key, ids in self._labels.items()}

    def _new_resource(self, name: str) -> None:
        """A pod named a resource for the first time: one more column."""
        self.resources[name] = len(self.resources)
        column = [_allocatable(node, name) if node else 0 for node in self._nodes]
        fresh = np.zeros((len(self.live), 1), dtype=np.int64)
        fresh[: self.size, 0] = column
        self.allocatable = np.hstack((self.allocatable, fresh))
        self.requested = np.hstack((self.requested, np.zeros_like(fresh)))
        self._vectors.clear()

    def _use(self, row: int, occupant: Occupant, sign: int) -> None:
        # The vector comes first: it may add a column, which replaces the array.
        request = occupant.request
        vector = self.vector(request)
        self.requested[row] += sign * vector
        self.scored[row] += (sign * request.scored[0], sign * request.scored[1])
        self.tallies.add(row, occupant, sign)
        self.usage_changes.add(row)

    def _taint_id(self, taints: Iterable[Taint]) -> int:
        key = tuple(taints)
        if key not in self._taint_index:
            self._taint_index[key] = len(self.taint_sets)
            self.taint_sets.append(key)
        return self._taint_index[key]

    def _label_id(self, value: str | None) -> int:
        if value is None:
            return 0
        return self._label_values.setdefault(value, len(self._label_values) + 1)


def _differ(old: Node | None, new: Node) -> bool:
    return old is None or (
        old.spec != new.spec
        or old.status.allocatable != new.status.allocatable
        or old.metadata.labels != new.metadata.labels
    )


def _allocatable(node: Node, resource: str) -> int:
    """What the node offers; a quantity that is none counts as nothing, so no pod relies on it."""
    value = node.status.allocatable.get(resource)
    if value is None:
        return 0
    try:
        return min(amount(resource, value), LARGEST)
    except ValueError:
        log.warning(
            "broken quantity",
            extra={"node": node.metadata.name, "resource": resource, "value": str(value)},
        )
        return 0


def _doubled(array: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.concatenate((array, np.zeros_like(array)))
