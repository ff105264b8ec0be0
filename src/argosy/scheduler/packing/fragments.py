"""How much of what is free can't be had.

A node's fragments are what of its free GPUs typical pods can't use. For the next pod this is FGD's
measure (Weng and others, USENIX ATC'23): all that is free where the pod does not fit, else the
devices that are too full for it. Until the node is full it is what stays free once pods of one
shape have taken all they can: so it counts that a node may run out of processors before it runs out
of GPUs. Both are means over the typical pods, in exact integers: no order of nodes or of sums
changes a decision.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from argosy.scheduler.packing.columns import Demand, GpuColumns, Ints
from argosy.scheduler.packing.traces import Typical

UNIT: Final = 1_000_000
"""So many units of a measure are one milli of a GPU."""
Measure = Callable[[Ints, Ints, Ints], Ints]


class Fragments:
    """Measures nodes of `columns` against typical pods.

    A measure is asked for rows, with what is free there of CPU (R) and of each device (R × D).
    """

    def __init__(self, columns: GpuColumns, pods: Sequence[Typical]) -> None:
        on_gpu = [pod for pod in pods if pod.demand.gpus]
        self._columns = columns
        self._weight: Ints = np.array([round(pod.share * UNIT) for pod in on_gpu], np.int64)
        self._idle = UNIT - int(self._weight.sum())  # pods without GPUs use none of what is free
        self._cpu: Ints = np.array([pod.demand.cpu for pod in on_gpu], np.int64)
        self._milli: Ints = np.array([pod.demand.milli for pod in on_gpu], np.int64)
        self._gpus: Ints = np.array([pod.demand.gpus for pod in on_gpu], np.int64)
        everyone: Ints = np.arange(len(columns.names))
        allowed = [columns.accessible(pod.demand.models, everyone) for pod in on_gpu]
        self._allowed = np.array(allowed, np.bool_).reshape(len(on_gpu), len(everyone)).T
        self.scarcity = self._scarcity(on_gpu)

    def next(self, rows: Ints, cpu: Ints, gpu: Ints) -> Ints:
        """Units that the next pod can't use."""
        total = gpu.sum(axis=1)
        short = gpu[:, :, None] < self._milli
        stranded = (gpu[:, :, None] * short).sum(axis=1)
        enough = (~short).sum(axis=1) >= self._gpus
        hosts = enough & (cpu[:, None] >= self._cpu) & self._allowed[rows]
        missed = np.where(hosts, stranded, total[:, None])
        found: Ints = missed @ self._weight + self._idle * total
        return found

    def last(self, rows: Ints, cpu: Ints, gpu: Ints) -> Ints:
        """Units that stay free when pods of one shape have filled the node."""
        total = gpu.sum(axis=1)
        room = (gpu[:, :, None] // self._milli).sum(axis=1) // self._gpus
        pods = np.minimum(room, cpu[:, None] // np.maximum(self._cpu, 1))
        used = np.where(self._allowed[rows], pods * self._milli * self._gpus, 0)
        found: Ints = (total[:, None] - used) @ self._weight + self._idle * total
        return found

    def gained(self, measure: Measure, demand: Demand, rows: Ints) -> tuple[Ints, Ints]:
        """By how many units the measure shrinks if the pod goes there, and the best device for it.

        One for each of `rows`, of which each can have the pod; -1: it asks for no part of a device.
        Among equal devices it is the fullest.
        """
        columns = self._columns
        cpu, gpu = columns.cpu[rows], columns.gpu[rows]
        before = measure(rows, cpu, gpu)
        if not demand.shared:
            after = measure(rows, cpu - demand.cpu, without(gpu, demand))
            return before - after, np.full(len(rows), -1)
        which, device = np.nonzero(gpu >= demand.milli)
        changed = gpu[which]
        changed[np.arange(len(which)), device] -= demand.milli
        gain = before[which] - measure(rows[which], cpu[which] - demand.cpu, changed)
        order = np.lexsort((-gpu[which, device], gain))  # the last one written is the best
        best, devices = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        best[which[order]], devices[which[order]] = gain[order], device[order]
        return best, devices

    def _scarcity(self, pods: Sequence[Typical]) -> Ints:
        """By row: how much of its GPUs those want who can't go elsewhere, of all demand and supply.

        In units; UNIT: such pods alone take all GPUs of that model at the rate at which GPUs fill.
        """
        columns = self._columns
        size = columns.devices
        supply, wanted = int(size.sum()), sum(pod.share * pod.demand.total for pod in pods)
        price = np.zeros(len(columns.names))
        for at, pod in enumerate(pods):
            there = int(size[self._allowed[:, at]].sum())
            if pod.demand.models and there:
                price[self._allowed[:, at]] += pod.share * pod.demand.total / wanted / there
        return np.round(price * supply * UNIT).astype(np.int64)


def without(gpu: Ints, demand: Demand) -> Ints:
    """What is free on the devices once the pod has its whole ones, the first that are free."""
    if not demand.gpus:
        return gpu
    free = gpu >= demand.milli
    taken = free & (free.cumsum(axis=1) <= demand.gpus)
    found: Ints = gpu - taken * demand.milli
    return found
