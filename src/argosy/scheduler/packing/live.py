"""A real cluster as packing sees it: what is free on each node, brought up to date as it changes.

Rows are those of the scheduler's columns. What nodes there are and which pods are typical changes
seldom: then all is made anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.dra.inventory import DeviceId, Offer
from argosy.scheduler.packing.columns import MILLI, Demand, GpuColumns, GpuNode, Ints
from argosy.scheduler.packing.demands import (
    MEBIBYTE,
    RESOURCES,
    History,
    demand_of,
    is_gpu,
    kind_of,
)
from argosy.scheduler.packing.fragments import Fragments
from argosy.scheduler.packing.policies import Policy
from argosy.scheduler.packing.traces import Typical
from argosy.scheduler.packing.worths import Known, Worths
from argosy.scheduler.shape import BASE, Request
from argosy.scheduler.state import State

_CPU, _MEMORY = BASE.index("cpu"), BASE.index("memory")
MOST_DEVICES: Final = 1024
"""Of one node: more are not told apart."""


class Live:
    """The nodes of one state under one policy. Without `given` typical pods they are learned."""

    def __init__(self, state: State, policy: Policy, given: Sequence[Typical] = ()) -> None:
        self._state = state
        self._policy = policy
        self._given = given
        self._history = History()
        self._told: Sequence[Typical] = ()
        self._made: tuple[int, ...] = ()
        self._usage = self._taken = 0
        self._columns = GpuColumns(())
        self._worths = Worths(self._columns, Fragments(self._columns, ()), policy)
        self._kinds: dict[str, Offer] = {}
        self._offers: dict[int, list[Offer]] = {}

    def look(self, pod: Pod, request: Request) -> Known | None:
        """What each row is worth for `pod`; None where there are no GPUs, or it has its own.

        Raises what asking for its claims raises.
        """
        self._refresh()
        if not self._columns.capacity:
            return None
        demand = demand_of(pod, request, self._state.devices, self._kinds)
        if demand is None:
            return None
        if not self._given:
            self._learn(pod, demand)
        return self._worths.of(demand)

    def free(self) -> GpuColumns:
        """What is free now, by the scheduler's rows; don't change it."""
        self._refresh()
        return self._columns

    def _learn(self, pod: Pod, demand: Demand) -> None:
        self._history.note(pod.metadata.uid, demand)
        typical = self._history.typical()
        if typical is not self._told:
            self._told = typical
            self._begin()

    def _refresh(self) -> None:
        nodes, devices = self._state.nodes, self._state.devices
        made = (
            nodes.size,
            len(nodes.resources),
            nodes.node_changes.position,
            devices.inventory.version,
        )
        usage = nodes.usage_changes.since(self._usage)
        taken = devices.ledger.since(self._taken)
        self._usage, self._taken = nodes.usage_changes.position, devices.ledger.position
        if made != self._made or usage is None or taken is None:
            self._made = made
            self._rebuild()
            return
        homes = {nodes.row_of.get(home) for item in taken if (home := self._home(item))}
        rows = {*usage, *(row for row in homes if row is not None)}
        for row in rows:
            self._fill(row)
        self._worths.changed(*rows)

    def _home(self, device: DeviceId) -> str | None:
        return self._state.devices.inventory.home(device)

    def _rebuild(self) -> None:
        """All rows anew: nodes or devices came or went."""
        nodes, inventory = self._state.nodes, self._state.devices.inventory
        self._kinds, self._offers, there = {}, {}, []
        for row in range(nodes.size):
            offers: list[Offer] = []
            if nodes.live[row]:
                found = filter(is_gpu, inventory.on(nodes.names[row]))
                offers = sorted(found, key=lambda offer: (offer.id.pool, offer.id.device))
            self._offers[row] = offers = offers[:MOST_DEVICES]
            for offer in offers:
                self._kinds.setdefault(kind_of(offer), offer)
            kind = kind_of(offers[0]) if offers else ""
            there.append(GpuNode(str(row), 0, 0, len(offers) + self._counted(row), kind))
        self._columns = GpuColumns(there)
        for row in range(nodes.size):
            self._fill(row)
        if self._given:
            self._told = [_among(typical, self._kinds) for typical in self._given]
        self._begin()

    def _begin(self) -> None:
        self._worths = Worths(self._columns, Fragments(self._columns, self._told), self._policy)

    def _fill(self, row: int) -> None:
        """What is free on the node of `row`."""
        nodes, columns, ledger = self._state.nodes, self._columns, self._state.devices.ledger
        free = nodes.allocatable[row] - nodes.requested[row] if nodes.live[row] else None
        columns.cpu[row] = 0 if free is None else max(int(free[_CPU]), 0)
        columns.memory[row] = 0 if free is None else max(int(free[_MEMORY]), 0) // MEBIBYTE
        devices = columns.gpu[row]
        devices[:] = 0
        offers = self._offers.get(row, [])
        for place, offer in enumerate(offers):
            use = ledger.use(offer.id)
            if use.wholes or (use.shares and not offer.shared):
                continue
            left = [
                MILLI * (capacity.value - use.consumed[name]) / capacity.value
                for name, capacity in offer.capacities.items()
                if capacity.value > 0 and name in use.consumed
            ]
            devices[place] = max(int(min(left, default=MILLI)), 0)
        whole = self._counted(row, free) if free is not None else 0
        devices[len(offers) : len(offers) + whole] = MILLI

    def _counted(self, row: int, amounts: Ints | None = None) -> int:
        """So many GPUs are counted as an extended resource: of `amounts`, or all there are.

        None on a node whose GPUs are devices: they would be there twice.
        """
        nodes = self._state.nodes
        if self._offers.get(row):
            return 0
        given = nodes.allocatable[row] if amounts is None else amounts
        columns = [at for name, at in nodes.resources.items() if name.endswith(RESOURCES)]
        return min(max(int(given[columns].sum()), 0), MOST_DEVICES) if columns else 0


def _among(typical: Typical, kinds: Iterable[str]) -> Typical:
    """The pod with the kinds that are called as its models are, whoever the driver is."""
    demand = typical.demand
    if not demand.models:
        return typical
    found = {kind for kind in kinds if kind.rpartition("/")[2] in demand.models}
    return replace(typical, demand=replace(demand, models=demand.models | found))


def ranks(known: Known, rows: Ints) -> Ints:
    """0 for those of `rows` that are worth most, 1 for the next ones, and so on."""
    parts = [part[rows] for part in known.worth]
    order = np.lexsort([-part for part in reversed(parts)])
    step = np.zeros(len(rows), np.int64)
    for part in parts:
        ordered = part[order]
        step[1:] |= ordered[1:] != ordered[:-1]
    found: Ints = np.empty(len(rows), np.int64)
    found[order] = np.cumsum(step)
    return found
