"""What there is to gain: free nodes, free GPUs and stranded ones, row by row of a cluster's copy.

A node is free when no pod is on it but its own. A GPU is free when nobody has anything of it. Of
what is free of GPUs that is stranded which the next typical pod can't use (`packing.fragments`);
typical are the pods that are in the cluster. Nodes that take no pods (cordoned, not ready) don't
count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from argosy.api.cel.values import CelError
from argosy.api.core import Node, Pod
from argosy.scheduler.columns import Columns
from argosy.scheduler.defrag.movable import stays_with_node
from argosy.scheduler.dra.requests import RefusedError
from argosy.scheduler.framework import Mask, UnschedulableError
from argosy.scheduler.packing.columns import MILLI, GpuColumns, Ints
from argosy.scheduler.packing.demands import RESOURCES
from argosy.scheduler.packing.fragments import UNIT, Fragments
from argosy.scheduler.packing.live import Live
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.traces import Typical
from argosy.scheduler.packing.worths import Known
from argosy.scheduler.shape import Request, request_of
from argosy.scheduler.state import State

AWAY = "node.kubernetes.io/"
"""Taints with this beginning say that a node is not as it should be."""


@dataclass(frozen=True, slots=True)
class Value:
    """Free nodes, free GPUs, and millionths of a GPU's thousandth that are stranded."""

    nodes: int = 0
    gpus: int = 0
    stranded: int = 0

    def __sub__(self, other: "Value") -> "Value":
        """By how much this one is more."""
        return Value(
            self.nodes - other.nodes, self.gpus - other.gpus, self.stranded - other.stranded
        )

    @property
    def milli(self) -> int:
        """What is stranded, in thousandths of a GPU."""
        return round(self.stranded / UNIT)

    @property
    def worth(self) -> int:
        """All in one figure, in thousandths of a GPU; a free node counts as much as a free GPU."""
        return MILLI * (self.nodes + self.gpus) - self.milli

    @property
    def better(self) -> bool:
        """As a difference: whether more is won than is stranded by it, and nothing free is lost."""
        return self.nodes >= 0 and self.gpus >= 0 and self.worth > 0


class Ground:
    """The nodes of `state`, measured. Whoever moves a pod tells by `moved`."""

    def __init__(self, state: State, typical: Sequence[Typical]) -> None:
        nodes = state.nodes
        self._state = state
        self._typical = typical
        _counting(nodes)
        self._live = Live(state, POLICIES["argosy"], typical)
        self._columns: GpuColumns | None = None
        self._fragments: Fragments | None = None
        self.usable: Mask = np.array(
            [bool(nodes.live[row]) and takes_pods(nodes.node(row)) for row in range(nodes.size)],
            np.bool_,
        )
        self.guests: Ints = np.zeros(nodes.size, np.int64)
        """How many pods are on each row beside the node's own."""
        for name, row in nodes.row_of.items():
            self.guests[row] = sum(not stays_with_node(one.pod) for one in nodes.pods_on(name))

        self._settled = self._values(np.arange(nodes.size))

    @property
    def total(self) -> Value:
        """All that is won so far."""
        return _sum(self._settled)

    def moved(self, source: int, target: int) -> None:
        """A pod went from one row to another."""
        self.guests[source] -= 1
        self.guests[target] += 1

    def gain(self, rows: Iterable[int]) -> Value:
        """What is won on these rows since they were settled."""
        found = _rows(rows)
        return _sum(self._values(found)) - _sum(self._settled[:, found])

    def settle(self, rows: Iterable[int]) -> None:
        """These rows stay as they are."""
        found = _rows(rows)
        self._settled[:, found] = self._values(found)

    def free(self) -> GpuColumns:
        """What is free of GPUs, cpu and memory."""
        columns = self._live.free()
        if columns is not self._columns:
            self._columns, self._fragments = columns, Fragments(columns, self._typical)
        return columns

    def _values(self, rows: Ints) -> Ints:
        """Free nodes, free GPUs and what is stranded, of each row; nothing of one that is of no
        use."""
        gpus = (self.free().gpu[rows] == MILLI).sum(axis=1)
        found: Ints = np.array((self.guests[rows] == 0, gpus, self.stranded(rows)), np.int64)
        return found * self.usable[rows]

    def stranded(self, rows: Ints) -> Ints:
        """What is stranded on each of `rows`, in millionths of a thousandth of a GPU."""
        columns = self.free()
        if not columns.capacity or self._fragments is None:
            return np.zeros(len(rows), np.int64)
        return self._fragments.next(rows, columns.cpu[rows], columns.gpu[rows])

    def look(self, pod: Pod) -> Known | None:
        """What rows are worth for the packing of `pod`; None where there are no GPUs, or nobody
        can tell."""
        try:
            return self._live.look(pod, request_of(pod))
        except (UnschedulableError, RefusedError, CelError, ValueError):
            return None


def _rows(rows: Iterable[int]) -> Ints:
    return np.array(sorted(set(rows)), np.int64)


def _sum(values: Ints) -> Value:
    nodes, gpus, stranded = values.sum(axis=1)
    return Value(int(nodes), int(gpus), int(stranded))


def _counting(nodes: Columns) -> None:
    """Have columns for all GPUs that are counted, also if no pod has asked for them yet."""
    every = (nodes.node(row).status.allocatable for row in nodes.row_of.values())
    names = {name for given in every for name in given if name.endswith(RESOURCES)}
    nodes.vector(Request(tuple((name, 0) for name in sorted(names)), (0, 0)))


def takes_pods(node: Node) -> bool:
    """Whether new pods may come to the node, as far as its state goes."""
    return not node.spec.unschedulable and not any(
        taint.key.startswith(AWAY) and taint.effect in ("NoSchedule", "NoExecute")
        for taint in node.spec.taints
    )
