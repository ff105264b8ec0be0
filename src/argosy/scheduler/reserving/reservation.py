"""Room that is kept for one gang: how much on which nodes, and from when on it is needed.

Whoever comes later may have what is left of a node once the gang is there too, with those gone who
will have ended by then. Who is there changes all the time, so that is worked out anew for the rows
where pods came or went, whenever somebody asks.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp
from argosy.scheduler.columns import Columns
from argosy.scheduler.endings import Deadlines, end_if_begun, end_of
from argosy.scheduler.placement import Placement
from argosy.scheduler.shape import Request

Amounts = NDArray[np.int64]
Rows = NDArray[np.intp]

MOST_KNOWN = 65_536
"""So many answers are remembered."""


class Order(NamedTuple):
    """Who has room first: the lower. `level` is the priority, the highest first."""

    level: int
    since: float
    key: tuple[Any, ...]


def order_of(pods: Sequence[Pod], key: tuple[Any, ...]) -> Order:
    """The order of a unit that waits: by the highest of its pods' priorities, and by its oldest."""
    level = max(pod.spec.priority for pod in pods)
    return Order(-level, min(_created(pod) for pod in pods), key)


def _created(pod: Pod) -> float:
    text = pod.metadata.creation_timestamp
    try:
        return parse_timestamp(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0


class Reservation:
    """What the gang `key` holds. `start`: when it can begin, in seconds; None: nobody knows.

    `members` are the uids of its pods that wait, and are of the moment as `now` is.
    `gone`: the pods on the nodes that must have ended by then. `until` is by the monotonic clock,
    `now` by the other one: whoever keeps the time sets it.
    """

    def __init__(
        self,
        *,
        key: Hashable,
        members: frozenset[str],
        title: str,
        order: Order,
        placements: Sequence[Placement],
        gone: frozenset[str],
        start: float | None,
        until: float,
        now: float,
        deadlines: Deadlines,
    ) -> None:
        self.key = key
        self.members = members
        self.title = title
        self.order = order
        self.start = start
        self.until = until
        self.now = now
        self.nodes: Mapping[str, list[Request]] = _by_node(placements)
        self._gone = gone
        self._deadlines = deadlines
        self._ended: dict[str, bool] = {}
        self._place: dict[int, int] = {}
        self._rows: Rows = np.zeros(0, dtype=np.intp)
        self._held: Amounts = np.zeros((0, 0), dtype=np.int64)
        self._left: Amounts = np.zeros((0, 0), dtype=np.int64)
        self._refused: dict[Request, Rows] = {}
        self._seen = (-1, -1)

    def over_by_then(self, pod: Pod) -> bool:
        """Whether a pod that is placed now will have ended before the gang begins."""
        if self.start is None:
            return False
        end = end_if_begun(pod, datetime.fromtimestamp(self.now, UTC), self._deadlines)
        return end is not None and end.timestamp() <= self.start

    def refused(self, nodes: Columns, request: Request) -> Rows:
        """The rows where one more pod would take what the gang needs."""
        want = nodes.vector(request)
        self._catch_up(nodes)
        found = self._refused.get(request)
        if found is None:
            columns = np.flatnonzero(want)
            short = self._left[:, columns] < want[columns]
            short &= self._held[:, columns] > 0
            found = self._rows[short.any(axis=1)]
            if len(self._refused) < MOST_KNOWN:
                self._refused[request] = found
        return found

    def _catch_up(self, nodes: Columns) -> None:
        seen = (nodes.node_changes.position, nodes.usage_changes.position)
        width = len(nodes.resources)
        if seen == self._seen and self._held.shape[1] == width:
            return
        changed = nodes.usage_changes.since(self._seen[1])
        known = self._seen[0] == seen[0] and self._held.shape[1] == width
        if not known or changed is None:
            self._all_anew(nodes, width)
        else:
            for row in self._place.keys() & changed:
                self._count(nodes, row)
        self._refused.clear()
        self._seen = seen

    def _all_anew(self, nodes: Columns, width: int) -> None:
        found = ((nodes.row_of.get(name), wanted) for name, wanted in self.nodes.items())
        there = {row: wanted for row, wanted in found if row is not None}
        self._place = {row: place for place, row in enumerate(there)}
        self._rows = np.array(list(there), dtype=np.intp)
        self._held = np.zeros((len(there), width), dtype=np.int64)
        self._left = np.zeros((len(there), width), dtype=np.int64)
        for place, requests in enumerate(there.values()):
            for request in requests:
                self._held[place] += nodes.vector(request)
        for row in there:
            self._count(nodes, row)

    def _count(self, nodes: Columns, row: int) -> None:
        """What is left of a row with the gang there, and with those gone who will be."""
        place = self._place[row]
        left = self._left[place]
        left[:] = nodes.allocatable[row] - nodes.requested[row] - self._held[place]
        for occupant in nodes.pods_on(nodes.names[row]):
            if self._ends(occupant.pod):
                left += nodes.vector(occupant.request)

    def _ends(self, pod: Pod) -> bool:
        uid = pod.metadata.uid
        if uid in self._gone:
            return True
        if self.start is None:
            return False
        known = self._ended.get(uid)
        if known is None:
            end = end_of(pod, datetime.fromtimestamp(self.now, UTC), self._deadlines)
            known = self.over_by_then(pod) if end is None else end.timestamp() <= self.start
            if len(self._ended) >= MOST_KNOWN:
                self._ended.clear()
            self._ended[uid] = known
        return known


def _by_node(placements: Sequence[Placement]) -> dict[str, list[Request]]:
    found: dict[str, list[Request]] = {}
    for placement in placements:
        found.setdefault(placement.node, []).append(placement.occupant.request)
    return found
