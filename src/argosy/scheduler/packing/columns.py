"""Nodes as GPU packing sees them: what is free, in columns; a placement changes one row.

GPUs and shares of them are in thousandths of a device (milli), CPU in millicores, memory in MiB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MILLI: Final = 1000
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GpuNode:
    """A node and what it has."""

    name: str
    cpu: int
    memory: int
    gpus: int
    model: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a pod needs: a share of one GPU (`milli` < 1000), or whole ones, of one of `models`."""

    cpu: int
    memory: int
    gpus: int = 0
    milli: int = 0
    models: frozenset[str] = frozenset()

    @property
    def shared(self) -> bool:
        """Whether it takes a part of one GPU."""
        return self.gpus == 1 and self.milli < MILLI

    @property
    def total(self) -> int:
        """Milli of GPU, all in all."""
        return self.gpus * self.milli


class GpuColumns:
    """What is free: `cpu` and `memory` by node, `gpu` by node and device (0 where there is none).

    `devices`: how many each node has, free or not.
    `kind`: by node the number of its GPUs' model, in the order of the models' names.
    """

    def __init__(self, nodes: Sequence[GpuNode]) -> None:
        self.names = [node.name for node in nodes]
        widest = max((node.gpus for node in nodes), default=0)
        self.cpu: Ints = np.array([node.cpu for node in nodes], np.int64)
        self.memory: Ints = np.array([node.memory for node in nodes], np.int64)
        self.gpu: Ints = np.zeros((len(nodes), widest), np.int64)
        for row, node in enumerate(nodes):
            self.gpu[row, : node.gpus] = MILLI
        self.devices: Ints = (self.gpu > 0).sum(axis=1)
        self.capacity = int(self.gpu.sum())
        self._kinds = sorted({node.model for node in nodes})
        number = {model: at for at, model in enumerate(self._kinds)}
        self.kind: Ints = np.array([number[node.model] for node in nodes], np.int64)

    @property
    def used(self) -> int:
        """Milli of GPU that pods have."""
        return self.capacity - int(self.gpu.sum())

    def accessible(self, models: frozenset[str], rows: Ints) -> Mask:
        """Which of the rows have one of these models; all of them where none is named."""
        if not models:
            return np.ones(len(rows), np.bool_)
        wanted = np.array([kind in models for kind in self._kinds], np.bool_)
        found: Mask = wanted[self.kind[rows]]
        return found

    def fits(self, demand: Demand, rows: Ints) -> Mask:
        """Which of the rows can have the pod."""
        found: Mask = (self.cpu[rows] >= demand.cpu) & (self.memory[rows] >= demand.memory)
        if demand.gpus:
            enough = (self.gpu[rows] >= demand.milli).sum(axis=1) >= demand.gpus
            found = found & enough & self.accessible(demand.models, rows)
        return found

    def place(self, demand: Demand, row: int, device: int) -> None:
        """The pod is on the node: a share of `device`, or the first whole GPUs."""
        self.cpu[row] -= demand.cpu
        self.memory[row] -= demand.memory
        if demand.shared:
            self.gpu[row, device] -= demand.milli
        elif demand.gpus:
            free = np.flatnonzero(self.gpu[row] >= demand.milli)[: demand.gpus]
            self.gpu[row, free] -= demand.milli
