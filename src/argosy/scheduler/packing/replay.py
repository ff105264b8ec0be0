"""Plays arrivals against a policy: pods come and stay where they fit; others are dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from argosy.scheduler.packing.columns import Demand, GpuColumns, GpuNode, Ints, Mask
from argosy.scheduler.packing.fragments import Fragments
from argosy.scheduler.packing.policies import Policy
from argosy.scheduler.packing.traces import Typical, arrivals, typical

MOMENTS = (100, 130)
"""Arrived demand, in percent of the GPUs there are, at which the outcome is taken."""
LEAST = np.iinfo(np.int64).min


@dataclass(slots=True)
class _Known:
    """Nodes' worth for one shape, true but for the rows that changed since `until`."""

    fits: Mask
    worth: tuple[Ints, ...]
    devices: Ints
    until: int = 0


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
        self._fragments = Fragments(self.columns, pods)
        self._policy = policy
        self._random = random
        self._known: dict[Demand, _Known] = {}
        self._changed: list[int] = []
        self._everyone: Ints = np.arange(len(nodes))

    @property
    def unallocated(self) -> float:
        """Percent of the GPUs that nobody has."""
        return 100 * (1 - self.columns.used / self.columns.capacity)

    def place(self, demand: Demand) -> int:
        """Place the pod; its node's row, -1 if it fits nowhere."""
        if self._policy is None:
            row, device = self._drawn(demand)
        else:
            row, device = self._best(demand, self._policy)
        if row >= 0:
            self.columns.place(demand, row, device)
            self._changed.append(row)
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

    def _best(self, demand: Demand, policy: Policy) -> tuple[int, int]:
        known = self._up_to_date(demand, policy)
        rows = np.flatnonzero(known.fits)
        for worth in known.worth:
            if len(rows) <= 1:
                break
            there = worth[rows]
            rows = rows[there == there.max()]
        return (int(rows[0]), int(known.devices[rows[0]])) if len(rows) else (-1, -1)

    def _up_to_date(self, demand: Demand, policy: Policy) -> _Known:
        known = self._known.get(demand)
        if known is None:
            count = len(self._everyone)
            known = _Known(np.zeros(count, np.bool_), (), np.full(count, -1))
            self._known[demand] = known
            rows = self._everyone
        else:
            rows = np.unique(np.array(self._changed[known.until :], np.int64))
        known.until = len(self._changed)
        known.fits[rows] = fits = self.columns.fits(demand, rows)
        rows = rows[fits]
        if len(rows):
            worth, known.devices[rows] = policy(self.columns, self._fragments, demand, rows)
            if not known.worth:
                known.worth = tuple(np.full(len(self._everyone), LEAST) for _ in worth)
            for everywhere, here in zip(known.worth, worth, strict=True):
                everywhere[rows] = here
        return known


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
