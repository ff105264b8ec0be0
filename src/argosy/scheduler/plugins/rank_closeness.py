"""RankCloseness: ranks of one team go to nodes that are close to each other.

Not among the default plugins. How close nodes are is told by topology labels, from the widest (a
zone) to the narrowest (the host). At each level a node is worth the part of the team that would be
together in its domain: the ranks that are there, and those of the rest that the domain has room
for; twice as much where that is the whole team, which is as fast as its slowest link. So the first
rank goes where most of the team fits, and the others follow it. A domain is one within those of
the wider labels: racks of two zones may have one name.

The size of a team is its group's `minCount`. Where none is told, the first rank goes where most
pods like it fit, and the others go by the ranks that are placed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.names import qualified
from argosy.base.errors import FieldError, duplicate, required, too_many
from argosy.scheduler.copies import copies
from argosy.scheduler.framework import HIGHEST_SCORE, Mask, Plugin, Scores, Survey
from argosy.scheduler.pluginargs import Args, read, refuse
from argosy.scheduler.preferring import Preferring
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State
from argosy.scheduler.topology import Topology
from argosy.scheduler.work import Team, team_of

NAME = "RankCloseness"
KEYS = (
    "topology.kubernetes.io/zone",
    "cloud.provider.com/topology-block",
    "cloud.provider.com/topology-rack",
    "nvidia.com/gpu.clique",
    "kubernetes.io/hostname",
)
MOST_KEYS = 16

Numbers = NDArray[Any]


class RankClosenessArgs(Args, frozen=True, kw_only=True):
    """Labels of nodes, from the widest domain to the narrowest."""

    topology_keys: tuple[str, ...] = KEYS


@dataclass(frozen=True, slots=True)
class Close(Preferring):
    """The nodes as one rank sees them: how many of its team are `placed`, by row; how many pods
    like it each row has `room` for (None: it is the last one); `size` of the team, 0 if unknown,
    of which so many are `left`."""

    levels: Sequence[Topology]
    placed: Mapping[int, int]
    room: Numbers | None
    size: int
    left: int

    def score(self, feasible: Mask) -> Scores | None:
        """100 for the best node, others by how much of the team would be with them."""
        rows = np.flatnonzero(feasible)
        if not len(rows):
            return None
        room = None if self.room is None else self.room.take(rows).astype(np.float64)
        total = np.zeros(len(rows))
        for level in self.levels:
            together = self._together(level, level.ids.take(rows), room)
            most = together.max()
            if together.min() < most:  # it tells nodes apart
                share = together / (self.size or most)
                total += share + (share >= 1)
        highest = total.max()
        if highest == 0:
            return None
        scores = np.zeros(len(feasible), np.int64)
        scores[rows] = HIGHEST_SCORE * (total / highest)
        return scores

    def _together(self, level: Topology, ids: NDArray[np.intp], room: Numbers | None) -> Numbers:
        """How many of the team would be in each domain of `ids`, if this one were."""
        domains = level.count + 1
        found: Numbers = np.ones(domains)
        if room is not None:
            found = np.bincount(ids, weights=room, minlength=domains)
            found = np.minimum(found, self.left) if self.left else found
        if self.placed:
            there = level.ids.take(list(self.placed))
            found += np.bincount(there, weights=list(self.placed.values()), minlength=domains)
        found[0] = 1  # without the label a node is near to none
        together: Numbers = found.take(ids)
        return together


class Nesting:
    """Each label's domains within those of the labels before it; kept until a label changes."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self._given: Sequence[Topology] = ()
        self._nested: Sequence[Topology] = ()

    def levels(self, state: State) -> Sequence[Topology]:
        """The labels that nodes have, as `Columns.topology` tells their domains."""
        given = [state.nodes.topology(key) for key in self._keys]
        same = len(given) == len(self._given)
        if not same or any(a is not b for a, b in zip(given, self._given, strict=True)):
            self._given, self._nested = given, tuple(_nested(given))
        return self._nested


def _nested(places: Sequence[Topology]) -> Iterator[Topology]:
    outer: Topology | None = None
    for place in places:
        if not place.size:
            continue
        if outer is not None and not place.single:
            place = _within(outer, place)
        yield place
        outer = place


def _within(outer: Topology, inner: Topology) -> Topology:
    """The domains of `inner`, parted where they lie in several of `outer`."""
    pairs = np.where(inner.labelled, outer.ids * (inner.count + 1) + inner.ids, 0)
    known, ids = np.unique(pairs, return_inverse=True)
    if known[0] != 0:  # every row has the label: 0 stays for those without
        ids = ids + 1
    return Topology(ids, inner.labelled, int(ids.max()), inner.size)


def configured(args: Mapping[str, Any]) -> Plugin:
    """With RankClosenessArgs as JSON. Raises ValueError, which begins with the field's path."""
    given = read(args, RankClosenessArgs)
    refuse(_faults(given.topology_keys))
    nesting = Nesting(given.topology_keys)

    def survey(state: State, pod: Pod) -> Survey | None:
        team = team_of(pod)
        return None if team is None else _survey(state, pod, team, nesting.levels(state))

    return Plugin(name=NAME, survey=survey, prefers=True)


def _survey(state: State, pod: Pod, team: Team, levels: Sequence[Topology]) -> Survey | None:
    nodes = state.nodes
    tally = nodes.tallies.carried("team").get(team)
    placed = tally.rows if tally else {}
    number = sum(placed.values())
    told = state.least_of((team.namespace, team.name)) if team.kind == "PodGroup" else 0
    size = max(told, number + 1) if told or number else 0
    left = size - number if size else 0
    if not levels:
        return None
    room = None if left == 1 else copies(nodes, request_of(pod))
    return Close(levels, placed, room, size, left)


def _faults(keys: Sequence[str]) -> Iterator[FieldError]:
    path = "topologyKeys"
    if not keys:
        yield required(path, "at least one label must be named")
    if len(keys) > MOST_KEYS:
        yield too_many(path, len(keys), MOST_KEYS)
    for index, key in enumerate(keys):
        yield from qualified(key, f"{path}[{index}]")
        if key in keys[:index]:
            yield duplicate(f"{path}[{index}]", key)
