"""What could be freed: of each node the pods that would have to go, and what that may win.

A whole node; all its GPUs, or one that is shared; the pods without GPUs where the free GPUs lack
cpu or memory; and single pods on nodes where GPUs are stranded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.defrag.ground import Ground
from argosy.scheduler.defrag.movable import obstacle, stays_with_node
from argosy.scheduler.dra.inventory import DeviceId
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.packing.columns import MILLI
from argosy.scheduler.packing.demands import DRIVERS, counted_of
from argosy.scheduler.packing.fragments import UNIT
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.state import State

Kind = Literal["Node", "GPUs", "GPU", "Room"]
Rank = tuple[tuple[int, int], int, str, str, str]
MOST_SINGLE = 8
"""So many pods of a node are candidates of their own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Pods of one row that may go, the hardest to place first. `hope`: what may be won, as far as
    one can tell beforehand, in thousandths of a GPU. `size`: thousandths of GPUs and of cpus that
    they have."""

    kind: Kind
    name: str
    row: int
    pods: tuple[Occupant, ...]
    hope: int
    size: tuple[int, int]

    @property
    def order(self) -> tuple[float, Rank]:
        """What promises most for each move comes first."""
        return (-self.hope / len(self.pods), self.rank)

    @property
    def rank(self) -> Rank:
        """Of what wins the same the smallest comes first."""
        first = self.pods[0].pod.metadata.uid
        return (self.size, len(self.pods), self.name, self.kind, first)


class Candidates:
    """Found in `state` as it is when this is made."""

    def __init__(self, state: State, ground: Ground) -> None:
        self._state = state
        self._ground = ground
        self.kept: Counter[str] = Counter()
        """Why pods can't be moved, counted."""
        self.movable = 0
        rows = np.arange(state.nodes.size)
        self._stranded = ground.stranded(rows) // UNIT
        self._free = ground.free().gpu.sum(axis=1)

    def all(self) -> list[Candidate]:
        """Every one, the most promising first."""
        found: list[Candidate] = []
        for name, row in self._state.nodes.row_of.items():
            found += self._on(name, row)
        return sorted(found, key=lambda one: one.order)

    def _on(self, name: str, row: int) -> Iterator[Candidate]:
        guests, free = self._sorted(name)
        if not self._ground.usable[row] or not free:
            return
        known: set[tuple[str, ...]] = set()
        for kind, called, pods, bonus in self._sets(name, row, guests, free):
            uids = tuple(one.pod.metadata.uid for one in pods)
            if pods and uids not in known:
                known.add(uids)
                held = sum(self._held(one) for one in pods)
                cpu = sum(dict(one.request.amounts).get("cpu", 0) for one in pods)
                hope = bonus + int(self._stranded[row]) + held
                yield Candidate(kind, called, row, tuple(pods), hope, (held, cpu))

    def _sorted(self, name: str) -> tuple[list[Occupant], list[Occupant]]:
        """The pods of a node beside its own; and those that may be moved, the largest first."""
        guests, free = [], []
        for one in self._state.nodes.pods_on(name):
            if stays_with_node(one.pod):
                continue
            guests.append(one)
            why = obstacle(one.pod)
            if why:
                self.kept[why] += 1
            else:
                free.append(one)
        self.movable += len(free)
        return guests, sorted(free, key=_size)

    def _sets(
        self, name: str, row: int, guests: Sequence[Occupant], free: Sequence[Occupant]
    ) -> Iterator[tuple[Kind, str, Sequence[Occupant], int]]:
        """Kind, name, pods, and what is free for certain once they are gone."""
        if len(free) == len(guests):
            yield "Node", name, free, MILLI
        uids = {one.pod.metadata.uid for one in free}
        for device, users in self._shared(guests).items():
            if uids.issuperset(one.pod.metadata.uid for one in users):
                yield "GPU", f"{name}/{device.device}", users, MILLI
        holding = [one for one in guests if self._held(one)]
        if holding and uids.issuperset(one.pod.metadata.uid for one in holding):
            yield "GPUs", name, [one for one in free if self._held(one)], 0
        if self._stranded[row] > 0:
            if self._free[row]:
                yield "Room", name, [one for one in free if not self._held(one)], 0
            for one in free[:MOST_SINGLE]:
                yield "Room", name, [one], 0

    def _shared(self, guests: Iterable[Occupant]) -> Mapping[DeviceId, list[Occupant]]:
        """Who has a share of each GPU; none that somebody has as a whole."""
        found: defaultdict[DeviceId, list[Occupant]] = defaultdict(list)
        for one in guests:
            for device in self._devices(one.pod):
                if not self._state.devices.ledger.use(device).wholes and one not in found[device]:
                    found[device].append(one)
        return {device: sorted(users, key=_size) for device, users in found.items() if users}

    def _devices(self, pod: Pod) -> Iterator[DeviceId]:
        """The GPUs that a pod's claims have."""
        for entry in pod.spec.resource_claims:
            name = claim_name(pod, entry)
            claim = self._state.devices.claim(pod.metadata.namespace, name) if name else None
            allocation = claim.status.allocation if claim is not None else None
            for item in allocation.devices.results if allocation is not None else ():
                if item.driver.startswith(DRIVERS):
                    yield DeviceId(item.driver, item.pool, item.device)

    def _held(self, one: Occupant) -> int:
        """Thousandths of GPUs that a pod has, at most."""
        claimed = len(set(self._devices(one.pod))) if one.pod.spec.resource_claims else 0
        return MILLI * (counted_of(one.request) + claimed)


def _size(one: Occupant) -> tuple[int, int, int, int, str]:
    """What is hard to place comes first."""
    amounts = dict(one.request.amounts)
    gpus = -counted_of(one.request) - len(one.pod.spec.resource_claims)
    cpu, memory = -amounts.get("cpu", 0), -amounts.get("memory", 0)
    return (gpus, cpu, memory, -len(one.marks), "/".join(one.pod.key))
