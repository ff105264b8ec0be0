"""Packing policies: what a node is worth for a pod, and the device that the pod would get there.

A worth is one or more whole numbers a node: the first decides, the next one among equals, and so
on; of nodes that are equal in all the first has the pod. To add one: a function here, a line in the
table. `dotprod`, `bestfit` and `fgd` are as in FGD's published simulator.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from argosy.scheduler.packing.columns import MILLI, Demand, GpuColumns, Ints
from argosy.scheduler.packing.fragments import UNIT, Fragments, without

LARGEST_CPU: Final = 128_000
LARGEST_GPU: Final = 8 * MILLI
"""By these the published simulator makes CPU and GPU comparable."""
NEAR, FAR = 3, 7
"""Weights of the next pod and of the full node in `argosy`, in tenths."""
STEP: Final = 20 * UNIT
"""What differs by less is equal: then pods gather where others are."""

Worth = tuple[tuple[Ints, ...], Ints]
Policy = Callable[[GpuColumns, Fragments, Demand, Ints], Worth]


def argosy(columns: GpuColumns, fragments: Fragments, demand: Demand, rows: Ints) -> Worth:
    """Where fragments grow least, of the next pod and of the full node, and nobody is in the way.

    A pod pays for the models that others need and it does not. Names and the order of nodes are no
    matter: nodes of equal worth are in the same state.
    """

    def measure(rows: Ints, cpu: Ints, gpu: Ints) -> Ints:
        near, far = fragments.next(rows, cpu, gpu), fragments.last(rows, cpu, gpu)
        found: Ints = (NEAR * near + FAR * far) // 10
        return found

    gained, devices = fragments.gained(measure, demand, rows)
    gained = gained - fragments.scarcity[rows] * demand.total
    left = _left(columns, demand, rows, devices)
    free = left.sum(axis=1)
    fullest = free + (left[np.arange(len(rows)), devices] if demand.shared else 0)
    state = (columns.cpu[rows], columns.memory[rows], (left**2).sum(axis=1), (left**3).sum(axis=1))
    return (gained // STEP, -fullest, *(-part for part in state), -columns.kind[rows]), devices


def fgd(columns: GpuColumns, fragments: Fragments, demand: Demand, rows: Ints) -> Worth:
    """Where fragments of the next pod grow least."""
    gained, devices = fragments.gained(fragments.next, demand, rows)
    return (_whole(100 / (1 + np.exp(-gained / (MILLI * UNIT)))),), devices


def bestfit(columns: GpuColumns, fragments: Fragments, demand: Demand, rows: Ints) -> Worth:
    """Where the least is left, CPU and GPU weighing the same."""
    cpu = (columns.cpu[rows] - demand.cpu) / LARGEST_CPU
    gpu = (columns.gpu[rows].sum(axis=1) - demand.total) / LARGEST_GPU
    return (_whole(100 * (1 - (cpu + gpu) / 2)),), _tightest(columns, demand, rows)


def dotprod(columns: GpuColumns, fragments: Fragments, demand: Demand, rows: Ints) -> Worth:
    """Where what is free points least in the direction of what is asked."""
    cpu = columns.cpu[rows] / LARGEST_CPU * demand.cpu / LARGEST_CPU
    gpu = columns.gpu[rows].sum(axis=1) / LARGEST_GPU * demand.total / LARGEST_GPU
    return (_whole(100 * (1 - (cpu + gpu) / 2)),), _tightest(columns, demand, rows)


def _tightest(columns: GpuColumns, demand: Demand, rows: Ints) -> Ints:
    """The device with the least that is free and enough; -1 where no part of one is asked for."""
    if not demand.shared:
        return np.full(len(rows), -1)
    free = columns.gpu[rows]
    found: Ints = np.where(free >= demand.milli, free, 2 * MILLI).argmin(axis=1)
    return found


def _left(columns: GpuColumns, demand: Demand, rows: Ints, devices: Ints) -> Ints:
    """What is free on the devices once the pod is there."""
    if not demand.shared:
        return without(columns.gpu[rows], demand)
    left = columns.gpu[rows]
    left[np.arange(len(rows)), devices] -= demand.milli
    return left


def _whole(worth: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ints:
    return np.trunc(worth).astype(np.int64)


POLICIES: Mapping[str, Policy] = {
    "argosy": argosy,
    "fgd": fgd,
    "bestfit": bestfit,
    "dotprod": dotprod,
}
