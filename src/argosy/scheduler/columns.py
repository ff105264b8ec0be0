"""Nodes as rows, resources as columns: what every decision is made over.

Fed by informer events and by assumed pods, one row at a time; a decision reads the arrays and
changes nothing but by `put_pod` and `drop_pod`, which undo each other exactly. Logs tell which rows
changed since a reader last looked: one for what a node is, one for what its pods use, and one for
when they started.
"""

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Node, Taint
from argosy.scheduler.holdings import Holdings
from argosy.scheduler.images import Images
from argosy.scheduler.nominations import Nominations
from argosy.scheduler.numbers import Numbers
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.offered import Offered, offer_of
from argosy.scheduler.shape import BASE, FEATURES, Request
from argosy.scheduler.tallies import Tallies
from argosy.scheduler.topology import Topologies, Topology

Rows = slice | NDArray[np.intp]
Flags = NDArray[np.bool_]
Amounts = NDArray[np.int64]
Ids = NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)

NOWHERE = ""
"""The resource in whose column all those are that no node offers: nobody has any of it."""
_NOWHERE = len(BASE)
_FIRST_ROWS = 64
_LONGEST_LOG = 2048
_MOST_VECTORS = 4096
_MOST_LABELS = 1024


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

    def since(self, position: int) -> list[int] | None:
        """The rows that changed after `position`, each once; None where it is too long ago."""
        if position < self._dropped:
            return None
        rows = self._rows[position - self._dropped :]
        return rows if len(rows) < 2 else list(set(rows))


class Columns:
    """All nodes. Rows of nodes that are gone are dead (`live` is False) and used again."""

    def __init__(self) -> None:
        self.size = 0
        self.names: list[str] = []
        self.row_of: dict[str, int] = {}
        self.resources: dict[str, int] = {name: i for i, name in enumerate((*BASE, NOWHERE))}
        self._offered = Offered()
        self.live: Flags = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self.unschedulable: Flags = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        # One resource of all nodes lies together: that is how it is read.
        width = len(self.resources)
        self.allocatable: Amounts = np.zeros((_FIRST_ROWS, width), dtype=np.int64, order="F")
        self.requested: Amounts = np.zeros((_FIRST_ROWS, width), dtype=np.int64, order="F")
        self.scored: Amounts = np.zeros((_FIRST_ROWS, 2), dtype=np.int64, order="F")
        self.taint_ids: Ids = np.zeros(_FIRST_ROWS, dtype=np.int32)
        self.taint_sets: list[tuple[Taint, ...]] = [()]
        self.feature_ids: Ids = np.zeros(_FIRST_ROWS, dtype=np.int32)
        self.feature_sets: list[frozenset[str]] = [frozenset()]
        self.images = Images()
        self.node_changes = ChangeLog()
        self.usage_changes = ChangeLog()
        self.start_changes = ChangeLog()
        self._nodes: list[Node | None] = []
        self._free_rows: list[int] = []
        self._taint_index: dict[tuple[Taint, ...], int] = {(): 0}
        self._labels: dict[str, Ids] = {}
        self._label_values: dict[str, int] = {}
        self._topologies = Topologies()
        self._numbers = Numbers()
        self.tallies = Tallies()
        self.holdings = Holdings(width)
        self.nominated = Nominations(self.row_of, self.vector, width)
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
        if self._offered.put(self._nodes[row] if row is not None else None, node):
            self._vectors.clear()  # a pod may have asked for it before there was any
        if row is None:
            row = self._new_row(name)
        old = self._nodes[row]
        self.images.put(row, old.status.images if old else (), node.status.images)
        self._nodes[row] = node
        if old is not None and not _differ(old, node):
            return False
        self.unschedulable[row] = node.spec.unschedulable
        self.taint_ids[row] = self._taint_id(node.spec.taints)
        self.feature_ids[row] = self._features_id(node.status.declared_features)
        for resource, column in self.resources.items():
            self.allocatable[row, column] = offer_of(node, resource)
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
        self.nominated.node_went(name)
        self.live[row] = False
        old = self._nodes[row]
        self.images.put(row, old.status.images if old else (), ())
        self._offered.put(old, None)
        self._nodes[row] = None
        self._free_rows.append(row)
        self.node_changes.add(row)
        self.usage_changes.add(row)

    def put_pod(self, node: str, occupant: Occupant) -> None:
        """The pod is on `node` from now on, or is something else there; once more does nothing."""
        uid = occupant.pod.metadata.uid
        known = self._pods.get(uid)
        if known == (node, occupant):
            if known[1].pod is not occupant.pod:
                self._refresh(node, occupant)
            return
        self.drop_pod(uid)
        self._pods[uid] = (node, occupant)
        self._pods_on[node][uid] = occupant
        if len(self.nominated):
            self.nominated.placed(uid)
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
        if len(self.nominated):
            self.nominated.unplaced(uid)
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

    def emptied(self) -> "Columns":
        """The same nodes with no pod on them, to be looked at only: it is not kept up to date."""
        found = copy(self)
        found.resources, found._labels = dict(self.resources), dict(self._labels)
        found.requested = np.zeros_like(self.requested)
        found.scored = np.zeros_like(self.scored)
        found.tallies = Tallies()
        found.holdings = Holdings(len(self.resources))
        found.nominated = Nominations(found.row_of, found.vector, len(self.resources))
        found._pods, found._pods_on, found._vectors = {}, defaultdict(dict), {}
        return found

    def vector(self, request: Request) -> Amounts:
        """`request` along the resource columns; don't change it. What no node offers is told in one
        column for all: however many resources pods name, there are no more columns than nodes need.
        """
        known = self._vectors.get(request)
        if known is not None:
            return known
        self._widen(name for name, _ in request.amounts if name in self._offered)
        if len(self._vectors) >= _MOST_VECTORS:
            self._vectors.clear()
        vector = np.zeros(len(self.resources), dtype=np.int64)
        for name, value in request.amounts:
            column = self.column(name)
            vector[column] = max(value, vector[column])
        self._vectors[request] = vector
        return vector

    def column(self, resource: str) -> int:
        """The column of a resource: `NOWHERE`'s for one that has none of its own."""
        return self.resources.get(resource, _NOWHERE)

    def domains(self, key: str) -> Ids:
        """Each row's value of a label as a number, 0 where it has none; don't change it."""
        if key not in self._labels:
            ids = np.zeros(len(self.live), dtype=np.int32)
            for row, node in enumerate(self._nodes):
                ids[row] = self._label_id(node.metadata.labels.get(key) if node else None)
            if len(self._labels) >= _MOST_LABELS:
                del self._labels[next(iter(self._labels))]
            self._labels[key] = ids
        return self._labels[key][: self.size]

    def topology(self, key: str) -> Topology:
        """The domains of a label."""
        position = self.node_changes.position
        return self._topologies.of(key, self.domains(key), self.live[: self.size], position)

    @property
    def domain_limit(self) -> int:
        """Above all that `domains` gives."""
        return len(self._label_values) + 1

    def label_id(self, value: str) -> int:
        """The number that `domains` gives for a label's value; -1 for one that no node has."""
        return self._label_values.get(value, -1)

    def numbers(self, key: str, rows: Rows) -> tuple[Amounts, Flags]:
        """The values of a label as whole numbers, and whether they are."""
        ids = self.domains(key)[rows]
        values, there = self._numbers.by_id(self._label_values)
        return values[ids], there[ids]

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
        self.nominated.node_came(name)
        return row

    def _grow(self) -> None:
        self.live = _doubled(self.live)
        self.unschedulable = _doubled(self.unschedulable)
        self.allocatable = _doubled(self.allocatable)
        self.requested = _doubled(self.requested)
        self.scored = _doubled(self.scored)
        self.taint_ids = _doubled(self.taint_ids)
        self.feature_ids = _doubled(self.feature_ids)
        self._labels = {key: _doubled(ids) for key, ids in self._labels.items()}

    def _widen(self, resources: Iterable[str]) -> None:
        """A column for each resource that has none yet."""
        names = [name for name in resources if name not in self.resources]
        if not names:
            return
        fresh = np.zeros((len(self.live), len(names)), dtype=np.int64)
        for row, node in enumerate(self._nodes):
            for position, name in enumerate(names):
                if node is not None and name in node.status.allocatable:
                    fresh[row, position] = offer_of(node, name)
        for name in names:
            self.resources[name] = len(self.resources)
        self.allocatable = np.hstack((self.allocatable, fresh))
        self.requested = np.hstack((self.requested, np.zeros_like(fresh)))
        self._vectors.clear()
        for holdings in (self.holdings, self.nominated.waiting):
            holdings.widen(len(self.resources))

    def _refresh(self, node: str, occupant: Occupant) -> None:
        """The pod is news of itself, not to others."""
        uid = occupant.pod.metadata.uid
        self._pods[uid] = (node, occupant)
        self._pods_on[node][uid] = occupant
        if self.holdings.refresh(occupant):
            self.start_changes.add(self.row_of[node])

    def _use(self, row: int, occupant: Occupant, sign: int) -> None:
        # The columns come first: one more of them replaces the array.
        request = occupant.request
        if any(name not in self.resources for name, _ in request.amounts):
            self._widen(name for name, _ in request.amounts)
        vector = self.vector(request)
        requested, scored = self.requested, self.scored
        for name, value in request.amounts:  # few: faster one by one than as an array
            requested[row, self.resources[name]] += sign * value
        scored[row, 0] += sign * request.scored[0]
        scored[row, 1] += sign * request.scored[1]
        self.tallies.add(row, occupant, sign)
        if sign > 0:
            self.holdings.put(row, occupant, vector)
        else:
            self.holdings.drop(occupant.pod.metadata.uid)
        self.usage_changes.add(row)

    def _taint_id(self, taints: Iterable[Taint]) -> int:
        key = tuple(taints)
        if key not in self._taint_index:
            if len(self.taint_sets) > 2 * len(self.live):  # most of them no node has any more
                self._forget_taints()
                return self._taint_id(key)
            self._taint_index[key] = len(self.taint_sets)
            self.taint_sets.append(key)
        return self._taint_index[key]

    def _forget_taints(self) -> None:
        del self.taint_sets[1:]
        self._taint_index = {(): 0}
        for row, node in enumerate(self._nodes):
            self.taint_ids[row] = self._taint_id(node.spec.taints) if node else 0

    def _features_id(self, features: Iterable[str]) -> int:
        declared = FEATURES.intersection(features)
        if declared not in self.feature_sets:
            self.feature_sets.append(declared)
        return self.feature_sets.index(declared)

    def _label_id(self, value: str | None) -> int:
        if value is None:
            return 0
        return self._label_values.setdefault(value, len(self._label_values) + 1)


def _differ(old: Node, new: Node) -> bool:
    return (
        old.spec != new.spec
        or old.status.allocatable != new.status.allocatable
        or old.metadata.labels != new.metadata.labels
        or old.status.declared_features != new.status.declared_features
    )


def _doubled(array: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.concatenate((array, np.zeros_like(array)))
