"""Pods that wait for room on a node which was cleared for them.

A nominated pod counts on its node, for pods of its priority or a lower one, until it is placed: on
that node or elsewhere. What is on a node already counts there and not here, so a pod that is
assumed is never counted twice. Source: `status.nominatedNodeName`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.holdings import Amounts, Holdings
from argosy.scheduler.occupants import Occupant, occupant_of
from argosy.scheduler.shape import Request

_MOST_PRIORITIES = 8
"""For so many the sums are kept."""


class Claims(NamedTuple):
    """What nominated pods claim of some rows: of each resource (first axis) and row."""

    rows: NDArray[np.intp]
    amounts: Amounts


class _Sums:
    """How many pods of some priority or a higher one wait for each row, and for how much."""

    def __init__(self, waiting: Holdings, priority: int) -> None:
        self._priority = priority
        self.pods = np.zeros(len(waiting.rows), dtype=np.int64)
        self.amounts = np.zeros((len(waiting.amounts), len(self.pods)), dtype=np.int64)
        for slot in waiting.slot_of.values():
            self.add(waiting, slot, 1)

    def add(self, waiting: Holdings, slot: int, sign: int) -> None:
        """The pod of a slot waits from now on (1), or no longer (-1)."""
        row = int(waiting.rows[slot])
        if waiting.priorities[slot] >= self._priority:
            if row >= len(self.pods):
                self.pods = _longer(self.pods, row)
                self.amounts = _longer(self.amounts, row)
            self.pods[row] += sign
            self.amounts[:, row] += sign * waiting.amounts[:, slot]


class Nominations:
    """Nominated pods by node. `row_of` are the nodes there are, as they come and go."""

    def __init__(
        self, row_of: Mapping[str, int], vector: Callable[[Request], Amounts], width: int
    ) -> None:
        self._row_of = row_of
        self._vector = vector
        self._of: dict[str, tuple[str, Occupant]] = {}
        self._on: defaultdict[str, dict[str, Occupant]] = defaultdict(dict)
        self._placed: set[str] = set()
        self.waiting = Holdings(width)
        self._sums: dict[int, _Sums] = {}

    def __len__(self) -> int:
        return len(self._of)

    def put(self, pod: Pod, node: str) -> None:
        """`pod` is nominated for `node` and for no other."""
        uid = pod.metadata.uid
        placed = uid in self._placed
        self.drop(uid)
        try:
            occupant = occupant_of(pod)
        except ValueError:
            return  # it can't be placed anyway
        self._of[uid] = (node, occupant)
        self._on[node][uid] = occupant
        if placed:
            self._placed.add(uid)
        else:
            self._attach(uid)

    def drop(self, uid: str) -> None:
        """The pod is nominated no longer."""
        known = self._of.get(uid)
        if known is None:
            return
        self._detach(uid)
        self._placed.discard(uid)
        del self._of[uid]
        node = known[0]
        del self._on[node][uid]
        if not self._on[node]:
            del self._on[node]

    def follow(self, old: Pod | None, new: Pod | None) -> None:
        """A pod came, changed or went. Where its nomination did not change, what was decided of it
        here stands: the API will follow."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self.drop(old.metadata.uid)
            old = None
        if new is None:
            return
        if new.spec.node_name or new.finished or new.metadata.deletion_timestamp:
            self.drop(new.metadata.uid)
            return
        node = new.status.nominated_node_name
        if node != (old.status.nominated_node_name if old is not None else ""):
            if node:
                self.put(new, node)
            else:
                self.drop(new.metadata.uid)

    def node_of(self, uid: str) -> str:
        """The node that the pod is nominated for; empty where it is for none."""
        known = self._of.get(uid)
        return known[0] if known else ""

    def on(self, node: str) -> Iterable[Occupant]:
        """The pods that are nominated for `node` and not placed yet."""
        return [
            occupant for uid, occupant in self._on.get(node, {}).items() if uid not in self._placed
        ]

    def before(self, node: str, priority: int, exempt: Collection[str]) -> list[Occupant]:
        """Those of `on` that a pod of this priority must yield to; `exempt` are uids."""
        return [
            occupant
            for occupant in self.on(node)
            if occupant.pod.spec.priority >= priority and occupant.pod.metadata.uid not in exempt
        ]

    def claims(self, priority: int, exempt: Collection[str]) -> Claims | None:
        """What a pod of this priority must leave alone; `exempt` are uids of pods that it need not
        yield to. None where no other pods are nominated."""
        waiting = self.waiting
        if not len(waiting):
            return None
        sums = self._of_priority(priority)
        rows = np.flatnonzero(sums.pods)
        pods, amounts = sums.pods[rows], sums.amounts[:, rows]
        for uid in exempt:
            slot = waiting.slot_of.get(uid)
            if slot is not None and waiting.priorities[slot] >= priority:
                place = np.searchsorted(rows, waiting.rows[slot])
                pods[place] -= 1
                amounts[:, place] -= waiting.amounts[:, slot]
        there = pods > 0
        if not there.all():
            rows, amounts = rows[there], amounts[:, there]
        return Claims(rows, amounts) if len(rows) else None

    def placed(self, uid: str) -> None:
        """The pod is on a node now."""
        if uid in self._of and uid not in self._placed:
            self._detach(uid)
            self._placed.add(uid)

    def unplaced(self, uid: str) -> None:
        """The pod is on no node any more."""
        if uid in self._placed:
            self._placed.discard(uid)
            self._attach(uid)

    def node_came(self, node: str) -> None:
        """There is a row for `node`."""
        for uid in self._on.get(node, ()):
            if uid not in self._placed:
                self._attach(uid)

    def node_went(self, node: str) -> None:
        """The row of `node` is no longer its own."""
        for uid in self._on.get(node, ()):
            self._detach(uid)

    def _of_priority(self, priority: int) -> _Sums:
        found = self._sums.get(priority)
        if found is None or len(found.amounts) != len(self.waiting.amounts):
            if len(self._sums) >= _MOST_PRIORITIES:
                self._sums.clear()
            found = self._sums[priority] = _Sums(self.waiting, priority)
        return found

    def _attach(self, uid: str) -> None:
        node, occupant = self._of[uid]
        row = self._row_of.get(node)
        if row is not None and uid not in self.waiting.slot_of:
            self.waiting.put(row, occupant, self._vector(occupant.request))
            self._count(uid, 1)

    def _detach(self, uid: str) -> None:
        if uid in self.waiting.slot_of:
            self._count(uid, -1)
            self.waiting.drop(uid)

    def _count(self, uid: str, sign: int) -> None:
        slot = self.waiting.slot_of[uid]
        for priority, sums in list(self._sums.items()):
            if len(sums.amounts) == len(self.waiting.amounts):
                sums.add(self.waiting, slot, sign)
            else:  # there is one resource more
                del self._sums[priority]


def _longer(array: Amounts, row: int) -> Amounts:
    """Zeros behind its last axis, so that there is a place for `row`."""
    more = np.zeros((*array.shape[:-1], row + 1), dtype=np.int64)
    return np.concatenate((array, more), axis=-1)
