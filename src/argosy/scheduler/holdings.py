"""Which pods hold how much of which row, as flat columns: one slot for each pod.

What preemption asks ("what do pods of lower priority hold on each node?") is a few array
operations over the slots, whatever the number of priorities. Pods that are nominated for a node
are kept in such columns too (see `nominations`).
"""

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.work import saved_at

Slots = NDArray[np.intp]
Amounts = NDArray[np.int64]

NOBODY = -1
"""The row of an empty slot."""
UNTOUCHABLE = 2**62
"""Counts as the priority of a pod that nobody may evict."""
SAVED = 1e12
"""Later, in seconds, than any pod has started."""
MIRROR = "kubernetes.io/config.mirror"
_FIRST_SLOTS = 64


class Holdings:
    """Pods by slot; slots of pods that are gone are used again. `amounts` has a row for each
    resource, so that one resource of many pods is read in one piece."""

    def __init__(self, width: int) -> None:
        self.rows = np.full(_FIRST_SLOTS, NOBODY, dtype=np.int64)
        self.priorities = np.zeros(_FIRST_SLOTS, dtype=np.int64)
        self.started = np.zeros(_FIRST_SLOTS, dtype=np.float64)
        self.grouped = np.zeros(_FIRST_SLOTS, dtype=np.bool_)
        self.amounts: Amounts = np.zeros((width, _FIRST_SLOTS), dtype=np.int64)
        self.occupants: list[Occupant | None] = []
        self.slot_of: dict[str, int] = {}
        self._free: list[int] = []
        self._levels: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.slot_of)

    @property
    def lowest(self) -> int:
        """The lowest priority of all pods; `UNTOUCHABLE` where there are none."""
        return min(self._levels, default=UNTOUCHABLE)

    def put(self, row: int, occupant: Occupant, vector: Amounts) -> None:
        """The pod, which has no slot yet, holds `vector` of `row`."""
        slot = self._free.pop() if self._free else self._new_slot()
        pod = occupant.pod
        level = priority_of(pod)
        self.slot_of[pod.metadata.uid] = slot
        self.occupants[slot] = occupant
        self.rows[slot] = row
        self.priorities[slot] = level
        self.started[slot] = started(pod)
        self.grouped[slot] = pod.spec.scheduling_group is not None
        self.amounts[:, slot] = vector
        self._levels[level] = self._levels.get(level, 0) + 1

    def drop(self, uid: str) -> None:
        """The pod holds nothing any longer."""
        slot = self.slot_of.pop(uid)
        level = int(self.priorities[slot])
        self._levels[level] -= 1
        if not self._levels[level]:
            del self._levels[level]
        self.rows[slot] = NOBODY
        self.occupants[slot] = None
        self._free.append(slot)

    def refresh(self, occupant: Occupant) -> bool:
        """The pod is the same to others, but may have started meanwhile; whether it has."""
        slot = self.slot_of.get(occupant.pod.metadata.uid)
        if slot is None:
            return False
        before, now = self.started[slot], started(occupant.pod)
        self.occupants[slot] = occupant
        self.started[slot] = now
        return bool(before != now)

    def widen(self, width: int) -> None:
        """There are so many resources now."""
        before, slots = self.amounts.shape
        more = np.zeros((width - before, slots), dtype=np.int64)
        self.amounts = np.concatenate((self.amounts, more))

    def below(self, priority: int) -> Slots:
        """The slots of pods with a lower priority."""
        count = len(self.occupants)
        lower = (self.rows[:count] != NOBODY) & (self.priorities[:count] < priority)
        return np.flatnonzero(lower)

    def occupant(self, slot: int) -> Occupant:
        """The pod of a slot that is taken."""
        found = self.occupants[slot]
        assert found is not None
        return found

    def _new_slot(self) -> int:
        slot = len(self.occupants)
        self.occupants.append(None)
        if slot >= len(self.rows):
            self.rows = np.concatenate((self.rows, np.full_like(self.rows, NOBODY)))
            self.priorities = np.concatenate((self.priorities, np.zeros_like(self.priorities)))
            self.started = np.concatenate((self.started, np.zeros_like(self.started)))
            self.grouped = np.concatenate((self.grouped, np.zeros_like(self.grouped)))
            self.amounts = np.hstack((self.amounts, np.zeros_like(self.amounts)))
        return slot


def priority_of(pod: Pod) -> int:
    """The pod's priority, as far as its eviction goes: a node's own static pod is never evicted."""
    return UNTOUCHABLE if MIRROR in pod.metadata.annotations else pod.spec.priority


def started(pod: Pod) -> float:
    """When the pod started, in seconds; infinity for one that has not yet.

    Of equal pods those go first that started last. One whose work is saved counts as started after
    all others, the later the later it was saved: least is lost with it.
    """
    text = pod.status.start_time
    try:
        since = parse_timestamp(text).timestamp() if text else float("inf")
    except ValueError:
        return float("inf")
    saved = saved_at(pod)
    return since if saved is None or not text else SAVED + saved
