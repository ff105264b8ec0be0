"""One pod after the other to another node, on a copy of the cluster, and back.

A pod is taken off its node with the devices that it alone has, and placed by the scheduler's own
rules, as the pod that its controller makes in its stead would be. So each step fits as things are
at that step. Of the nodes that will do the fullest is taken, where least of GPUs is stranded: never
a free one, nor one that was freed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.api.dra import ClaimStatus, ResourceClaim
from argosy.scheduler.columns import Columns
from argosy.scheduler.defrag.ground import Ground
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    Mask,
    Plugin,
    Scores,
    Survey,
    UnschedulableError,
)
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.packing.worths import Known, best_of
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import Placer
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.shape import BASE
from argosy.scheduler.state import State

_MEASURED = [BASE.index("cpu"), BASE.index("memory")]


@dataclass(frozen=True, slots=True)
class Step:
    """A pod that was moved: off `source`, and placed anew. `released`: its claims before, after."""

    source: str
    occupant: Occupant
    released: tuple[tuple[ResourceClaim, ResourceClaim], ...]
    placement: Placement


@dataclass(frozen=True, slots=True)
class _Targets:
    """A survey: the rows that a moved pod may go to, the best of them first."""

    nodes: Columns
    mask: Mask
    known: Known | None

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """Nobody is told."""
        return {}

    def score(self, feasible: Mask) -> Scores | None:
        """100 where least is stranded; without GPUs it is how full a node is."""
        if self.known is None:
            return _fullness(self.nodes)
        scores: Scores = np.zeros(len(feasible), np.int64)
        rows = np.flatnonzero(feasible & self.known.fits)
        scores[best_of(self.known.worth, rows)] = HIGHEST_SCORE
        return scores


class Mover:
    """Moves pods of `state` by a table of plugins; `ground` is measured along."""

    def __init__(self, state: State, plugins: Sequence[Plugin], ground: Ground) -> None:
        self._state = state
        self._ground = ground
        self._closed: Mask = ~ground.usable
        self._barred = -1
        # Where a pod would best be is not asked but where it may be, and then what is best for all.
        rules = [
            replace(plugin, score=None, score_row=None, weight=0, preemption=None)
            for plugin in plugins
            if not plugin.prefers
        ]
        self._placer = Placer(state, [*rules, Plugin(name="Defrag", survey=self._survey)])

    def close(self, row: int) -> None:
        """No pod goes to this row any more."""
        self._closed[row] = True

    def move(self, occupants: Iterable[Occupant], row: int, *, within: bool) -> list[Step] | None:
        """All of `occupants` off the node of `row`, in this order; None, and nothing is changed,
        where one finds no place. `within`: other devices of the same node will do."""
        source = self._state.nodes.names[row]
        self._barred = -1 if within else row
        steps: list[Step] = []
        for occupant in occupants:
            step = self._step(occupant, source)
            if step is None:
                self.undo(steps)
                return None
            steps.append(step)
        return steps

    def undo(self, steps: Sequence[Step]) -> None:
        """All as it was before these steps, the last that were made."""
        row_of = self._state.nodes.row_of
        for step in reversed(steps):
            self._state.retract(step.placement)
            self._put_back(step.occupant, step.source, step.released)
            self._ground.moved(row_of[step.placement.node], row_of[step.source])

    def rows(self, steps: Iterable[Step]) -> list[int]:
        """Where the pods went."""
        return [self._state.nodes.row_of[step.placement.node] for step in steps]

    def _step(self, occupant: Occupant, source: str) -> Step | None:
        pod, row_of = occupant.pod, self._state.nodes.row_of
        self._state.nodes.drop_pod(pod.metadata.uid)
        released = self._release(pod)
        try:
            placement = self._placed(pod)
        except BaseException:
            self._put_back(occupant, source, released)
            raise
        if placement is None:
            self._put_back(occupant, source, released)
            return None
        self._state.assume(placement)
        self._ground.moved(row_of[source], row_of[placement.node])
        return Step(source, occupant, released, placement)

    def _placed(self, pod: Pod) -> Placement | None:
        """Where the pod goes that is made in this one's stead."""
        bare = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=""))
        try:
            return self._placer.attempt(self._placer.search(bare))
        except UnschedulableError:
            return None

    def _release(self, pod: Pod) -> tuple[tuple[ResourceClaim, ResourceClaim], ...]:
        """Give the devices back that no other pod has too, as they are once the pod is gone."""
        devices, uid = self._state.devices, pod.metadata.uid
        names = dict.fromkeys(claim_name(pod, entry) for entry in pod.spec.resource_claims)
        found = []
        for name in filter(None, names):
            claim = devices.claim(pod.metadata.namespace, name)
            if claim is None or any(user.uid != uid for user in claim.status.reserved_for):
                continue
            freed = msgspec.structs.replace(claim, status=ClaimStatus())
            devices.put_claim(claim, freed)
            found.append((claim, freed))
        return tuple(found)

    def _put_back(
        self,
        occupant: Occupant,
        source: str,
        released: tuple[tuple[ResourceClaim, ResourceClaim], ...],
    ) -> None:
        for claim, freed in released:
            self._state.devices.put_claim(freed, claim)
        self._state.nodes.put_pod(source, occupant)

    def _survey(self, state: State, pod: Pod) -> Survey:
        ground = self._ground
        mask: Mask = (ground.guests > 0) & ~self._closed
        if self._barred >= 0:
            mask[self._barred] = False
        known = ground.look(pod)
        if known is not None and pod.spec.resource_claims:
            mask &= known.fits  # to ask nodes for devices is dear
        return _Targets(state.nodes, mask, known)


def _fullness(nodes: Columns) -> Scores:
    """How much of cpu and memory is asked for on each row, in percent."""
    there = np.maximum(nodes.allocatable[: nodes.size, _MEASURED], 1)
    used = np.minimum(nodes.requested[: nodes.size, _MEASURED], there)
    found: Scores = (HIGHEST_SCORE * (used / there).mean(axis=1)).astype(np.int64)
    return found
