"""Plays arrivals against a policy: pods come and stay where they fit; others are dropped."""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np

from argosy.scheduler.packing.columns import Demand, GpuColumns, GpuNode, Ints
from argosy.scheduler.packing.fragments import Fragments
from argosy.scheduler.packing.policies import Policy
from argosy.scheduler.packing.traces import Typical, arrivals, typical
from argosy.scheduler.packing.worths import Worths

MOMENTS = (100, 130)
"""Arrived demand, in percent of the GPUs there are, at which the outcome is taken."""


class Replay:
    """One cluster under one policy; without any, nodes and devices are drawn by `random`."""

    def __init__(
        self,
        nodes: Sequence[GpuNode],
        pods: Sequence[Typical],
        policy: Policy | None,
        random: Random,
    ) -> None:
        # The first of equal nodes has the pod: that with the least name.
        self.columns = GpuColumns(sorted(nodes, key=lambda node: node.name))
        fragments = Fragments(self.columns, pods)
        self._worths = Worths(self.columns, fragments, policy) if policy else None
        self._random = random
        self._everyone: Ints = np.arange(len(nodes))

    @property
    def unallocated(self) -> float:
        """Percent of the GPUs that nobody has."""
        return 100 * (1 - self.columns.used / self.columns.capacity)

    def place(self, demand: Demand) -> int:
        """Place the pod; its node's row, -1 if it fits nowhere."""
        row, device = self._drawn(demand) if self._worths is None else self._worths.best(demand)
        if row >= 0:
            self.columns.place(demand, row, device)
            if self._worths is not None:
                self._worths.changed(row)
        return row

    def _drawn(self, demand: Demand) -> tuple[int, int]:
        rows = np.flatnonzero(self.columns.fits(demand, self._everyone))
        if not len(rows):
            return -1, -1
        row = int(self._random.choice(rows))
        if not demand.shared:
            return row, -1
        devices = np.flatnonzero(self.columns.gpu[row] >= demand.milli)
        return row, int(self._random.choice(devices))


def outcome(
    nodes: Sequence[GpuNode], pods: Sequence[Demand], policy: Policy | None, seed: int
) -> Mapping[int, float]:
    """Percent of the GPUs that nobody has, by percent of demand that has arrived; of one seed."""
    random = Random(seed)
    replay = Replay(nodes, typical(pods), policy, random)
    capacity, arrived = replay.columns.capacity, 0
    found: dict[int, float] = {}
    for demand in arrivals(pods, capacity, random):
        arrived += demand.total
        replay.place(demand)
        for moment in MOMENTS[:-1]:
            if moment not in found and 100 * arrived >= moment * capacity:
                found[moment] = replay.unallocated
    return {**found, MOMENTS[-1]: replay.unallocated}
