"""Pods that wait for room on a node which was cleared for them.

A nominated pod counts on its node, for pods of its priority or a lower one, until it is placed: on
that node or elsewhere. What is on a node already counts there and not here, so a pod that is
assumed is never counted twice. Source: `status.nominatedNodeName`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.holdings import Amounts, Holdings, Slots
from argosy.scheduler.occupants import Occupant, occupant_of
from argosy.scheduler.shape import Request


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

    def claims(self, priority: int, exempt: Collection[str]) -> Slots:
        """The slots of `waiting` that a pod of this priority must yield to."""
        slots = self.waiting.at_least(priority)
        own = [self.waiting.slot_of[uid] for uid in exempt if uid in self.waiting.slot_of]
        return np.setdiff1d(slots, own) if own else slots

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

    def _attach(self, uid: str) -> None:
        node, occupant = self._of[uid]
        row = self._row_of.get(node)
        if row is not None and uid not in self.waiting.slot_of:
            self.waiting.put(row, occupant, self._vector(occupant.request))

    def _detach(self, uid: str) -> None:
        if uid in self.waiting.slot_of:
            self.waiting.drop(uid)
