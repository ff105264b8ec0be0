"""How many pods of a group each domain of a label has room for, from the columns alone.

For every shape among the pods it is worked out how many each node holds, and summed by domain. The
sums are upper bounds: what the columns don't hold (devices, other pods' rules), and that shapes
compete, is seen when the pods are placed. For pods of one shape that ask for resources alone they
are exact.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.framework import Mask, UnschedulableError
from argosy.scheduler.placing import Placer, Search
from argosy.scheduler.shape import LARGEST, Shape, shape_of
from argosy.scheduler.state import State
from argosy.scheduler.topology import Topology
from argosy.scheduler.yielding import claims

MOST_SHAPES = 32
"""Pods of further shapes are taken to have room everywhere."""
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Room:
    """By domain (0 stands for no domain): `most` of the pods that can be placed, and how many
    `times` over its room is enough for all of them."""

    most: Counts
    times: Counts


def room(
    state: State,
    placer: Placer,
    pods: Sequence[Pod],
    *,
    topology: Topology,
    rows: Mask,
    exempt: Collection[str],
) -> Room:
    """The room for `pods` on those `rows`; `exempt` are uids that they need not yield to."""
    most = np.zeros(topology.count + 1)
    times = np.zeros(topology.count + 1)
    shapes, rest = _by_shape(pods)
    for few in shapes:
        each = _held(state, placer, few[0], exempt)
        if each is None:
            rest += len(few)
            continue
        found = topology.by_domain(each * rows)
        most += np.minimum(found, len(few))
        times += found / len(few)
    return Room(most + rest, times)


def _by_shape(pods: Sequence[Pod]) -> tuple[list[list[Pod]], int]:
    """The pods of each shape, and how many are left out."""
    found: dict[Shape, list[Pod]] = {}
    rest = 0
    for pod in pods:
        try:
            shape = shape_of(pod)
        except ValueError:  # told when it is placed
            rest += 1
            continue
        if shape in found or len(found) < MOST_SHAPES:
            found.setdefault(shape, []).append(pod)
        else:
            rest += 1
    return list(found.values()), rest


def _held(state: State, placer: Placer, pod: Pod, exempt: Collection[str]) -> Counts | None:
    """How many such pods each row holds; None where that can't be said."""
    try:
        search = placer.search(pod, exempt)
    except UnschedulableError:
        return None
    feasible = search.ranking.feasible()
    if search.shape.ports:  # which a node has once
        return feasible.astype(np.float64)
    return np.where(feasible, _times(state, placer, search), 0.0)


def _times(state: State, placer: Placer, search: Search) -> Counts:
    """How often what the pod asks for is left of each row."""
    nodes, size = state.nodes, state.nodes.size
    asked = np.array(placer.asked(search.shape), dtype=np.intp)
    want = nodes.vector(search.shape.request)[asked]
    asked, want = asked[want > 0], want[want > 0]
    if not len(asked):
        return np.full(size, float(LARGEST))
    left = nodes.allocatable[:size].T[asked] - nodes.requested[:size].T[asked]
    claimed = claims(nodes, asked, search.pod.spec.priority, search.exempt)
    if claimed is not None:
        left[:, claimed.rows] -= claimed.amounts
    found: Counts = np.maximum((left // want[:, None]).min(axis=0), 0).astype(np.float64)
    return found
