"""The decision on one unit: a pod, or the pods of a gang as a whole.

Pure over the state: what is assumed on the way is taken back where the unit fails, so a decision
leaves either nothing or a whole placement. (Assuming and taking back touches the rows of the gang
alone; a copy of all columns would cost the more the larger the cluster is.)
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.scheduling import PodGroup
from argosy.scheduler.framework import (
    BusyError,
    Lack,
    Plugin,
    Reserver,
    UnschedulableError,
)
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.placement import Placement
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.ranking import Ranking, Rankings, Surveys
from argosy.scheduler.shape import Shape, shape_of
from argosy.scheduler.state import State

UNSCHEDULABLE = "Unschedulable"
GATED = "SchedulingGated"

FEW = 64
"""So few nodes are looked up by name; more are picked out on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is decided at once. `pods` wait; `bound` pods of the gang are on nodes already.

    A unit of one pod has no `gang` name. `group` is the gang's PodGroup, None until it exists.
    """

    pods: tuple[Pod, ...]
    gang: str = ""
    group: PodGroup | None = None
    bound: int = 0

    @property
    def least(self) -> int:
        """How many pods must be on nodes for any of them to be; 0 outside of gangs."""
        policy = self.group.spec.scheduling_policy.gang if self.group else None
        return policy.min_count if policy else 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a pod was not placed: a condition's reason and message."""

    pod: Pod
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a unit. `busy`: ask again soon, whatever happens.

    `release`: claims that are allocated for pods that can't be placed; others may have them.
    """

    placements: tuple[Placement, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    release: tuple[ResourceClaim, ...] = ()
    busy: bool = False

    @property
    def waiting(self) -> bool:
        """Whether a pod is left that a change in the cluster may help."""
        return any(refusal.reason != GATED for refusal in self.refusals)


class Decider:
    """Decides by a table of plugins over one state."""

    def __init__(self, state: State, plugins: Sequence[Plugin]) -> None:
        self._state = state
        self._plugins = plugins
        self._rankings = Rankings(state.nodes, plugins)

    def decide(self, unit: Unit) -> Decision:
        """Place the unit and assume the placements, or tell why not."""
        gated = [Refusal(pod, GATED, text) for pod in unit.pods if (text := self._gate(pod))]
        stopped = {refusal.pod.metadata.uid for refusal in gated}
        pods = [pod for pod in unit.pods if pod.metadata.uid not in stopped]
        missing = _missing(unit, len(pods))
        if missing:
            refusals = [Refusal(pod, UNSCHEDULABLE, missing) for pod in pods]
            return self._failed(pods, (*gated, *refusals))
        placements, reasons, busy = self._place_all(pods)
        if unit.bound + len(placements) < unit.least:
            for placement in reversed(placements):
                self._state.retract(placement)
            text = _gang_message(unit, len(placements), reasons)
            refusals = [Refusal(pod, UNSCHEDULABLE, text) for pod in pods]
            return self._failed(pods, (*gated, *refusals), busy=busy)
        refusals = [Refusal(pod, UNSCHEDULABLE, text) for pod, text in reasons]
        rest = self._failed([pod for pod, _ in reasons], (*gated, *refusals), busy=busy)
        return Decision(
            placements=tuple(placements), refusals=rest.refusals, release=rest.release, busy=busy
        )

    def _gate(self, pod: Pod) -> str | None:
        gates = (plugin.gate(pod) for plugin in self._plugins if plugin.gate)
        return next((text for text in gates if text), None)

    def _place_all(
        self, pods: Sequence[Pod]
    ) -> tuple[list[Placement], list[tuple[Pod, str]], bool]:
        """Place as many of `pods` as there is room for, the largest first."""
        placements: list[Placement] = []
        reasons: list[tuple[Pod, str]] = []
        hopeless: dict[Hashable, str] = {}
        busy = False
        try:
            for pod in _largest_first(pods):
                try:
                    placement = self._place(pod, hopeless)
                except UnschedulableError as error:
                    reasons.append((pod, str(error)))
                    busy = busy or isinstance(error, BusyError)
                else:
                    self._state.assume(placement)
                    placements.append(placement)
        except BaseException:
            # A plugin's fault: nothing of the unit may stay assumed.
            for placement in reversed(placements):
                self._state.retract(placement)
            raise
        return placements, reasons, busy

    def _place(self, pod: Pod, hopeless: dict[Hashable, str]) -> Placement:
        """The best node for `pod`, and its claims there. Raises UnschedulableError.

        `hopeless` tells what failed before in this unit: within it, room only shrinks.
        """
        shape = _shape(pod)
        refusals = (plugin.refuse(pod) for plugin in self._plugins if plugin.refuse)
        for text in refusals:
            if text:
                raise UnschedulableError(text)
        made = (p.reserver(self._state.devices, pod) for p in self._plugins if p.reserver)
        reservers = [reserver for reserver in made if reserver is not None]
        surveys = self._surveys(pod)
        # What a survey says is of this pod alone.
        kind = None if surveys else (shape, *(reserver.kind for reserver in reservers))
        if kind in hopeless:
            raise UnschedulableError(hopeless[kind])
        try:
            return self._choose(pod, shape, surveys, reservers)
        except UnschedulableError as error:
            if kind is not None:
                hopeless[kind] = str(error)
            raise

    def _surveys(self, pod: Pod) -> Surveys:
        made = ((p, p.survey(self._state, pod)) for p in self._plugins if p.survey)
        return [(plugin, survey) for plugin, survey in made if survey is not None]

    def _choose(
        self, pod: Pod, shape: Shape, surveys: Surveys, reservers: Sequence[Reserver]
    ) -> Placement:
        ranking = self._rankings.of(shape)
        if reservers:
            return self._reserve(pod, shape, ranking, surveys, reservers)
        row = ranking.best(surveys)
        if row is None:
            raise UnschedulableError(self._sentence(ranking.explain(surveys)))
        return Placement(pod, self._state.nodes.names[row], occupant_of(pod, shape.request))

    def _reserve(
        self,
        pod: Pod,
        shape: Shape,
        ranking: Ranking,
        surveys: Surveys,
        reservers: Sequence[Reserver],
    ) -> Placement:
        """The best node on which every reserver gets what the pod needs."""
        nodes = self._state.nodes
        wanted = frozenset.intersection(*(reserver.nodes for reserver in reservers))
        within = None
        if len(wanted) <= FEW:
            rows = sorted(nodes.row_of[name] for name in wanted if name in nodes.row_of)
            within = np.array(rows, dtype=np.intp)
        lacks: list[Lack] = []
        for row in ranking.ordered(within, surveys):
            name = nodes.names[row]
            if name not in wanted:
                continue
            answers = [reserver.reserve(name) for reserver in reservers]
            lack = next((answer for answer in answers if isinstance(answer, Lack)), None)
            if lack is None:
                grants = tuple(g for a in answers if not isinstance(a, Lack) for g in a)
                return Placement(pod, name, occupant_of(pod, shape.request), grants)
            lacks.append(lack)
        reasons = ranking.explain(surveys)
        unasked = int(ranking.feasible(surveys).sum()) - len(lacks)
        if unasked:
            reasons[reservers[0].elsewhere()] += unasked
        raise UnschedulableError(self._sentence(reasons, lacks))

    def _sentence(self, reasons: Counter[str], lacks: Sequence[Lack] = ()) -> str:
        """Why no node has room, in kube-scheduler's manner; one node's lack in brackets."""
        count = self._state.nodes.count
        if count == 0:
            return "no nodes available to schedule pods"
        total = Counter(reasons)
        details: dict[str, str] = {}
        for lack in lacks:
            total[lack.reason] += 1
            details.setdefault(lack.reason, lack.detail)
        parts = [
            f"{number} {reason}{_bracket(details.get(reason, ''), number)}"
            for reason, number in total.items()
        ]
        return f"0/{count} nodes are available: {', '.join(sorted(parts))}."

    def _failed(
        self, pods: Sequence[Pod], refusals: Sequence[Refusal], *, busy: bool = False
    ) -> Decision:
        release = () if busy else self._unused_claims(pods)
        return Decision(refusals=tuple(refusals), release=release, busy=busy)

    def _unused_claims(self, pods: Sequence[Pod]) -> tuple[ResourceClaim, ...]:
        """Claims that are allocated for none but these pods, which don't run."""
        uids = {pod.metadata.uid for pod in pods}
        found: dict[str, ResourceClaim] = {}
        ledger = self._state.devices.ledger
        for pod in pods:
            names = [claim_name(pod, entry) for entry in pod.spec.resource_claims]
            for name in filter(None, names):
                claim = self._state.devices.claim(pod.metadata.namespace, name)
                if claim is None or claim.status.allocation is None:
                    continue
                used = any(item.uid not in uids for item in claim.status.reserved_for)
                if not used and claim.metadata.uid not in ledger.in_flight:
                    found[claim.metadata.uid] = claim
        return tuple(found.values())


def _shape(pod: Pod) -> Shape:
    try:
        return shape_of(pod)
    except ValueError as error:
        raise UnschedulableError(str(error)) from error


def _largest_first(pods: Sequence[Pod]) -> list[Pod]:
    """What is hard to place comes first; among equals by name."""

    def size(pod: Pod) -> tuple[int, int, str]:
        try:
            amounts = dict(shape_of(pod).request.amounts)
        except ValueError:  # told when the pod's turn comes
            amounts = {}
        return (-amounts.get("cpu", 0), -amounts.get("memory", 0), pod.metadata.name)

    return sorted(pods, key=size) if len(pods) > 1 else list(pods)


def _missing(unit: Unit, pods: int) -> str:
    """Why a gang can't even be tried; empty where it can."""
    if unit.gang and unit.group is None:
        return f'gang "{unit.gang}": waiting for the pod group to be created'
    there = unit.bound + pods
    if there < unit.least:
        return f'gang "{unit.gang}": waiting for pods, {there} of {unit.least} are there'
    return ""


def _gang_message(unit: Unit, placed: int, reasons: Sequence[tuple[Pod, str]]) -> str:
    first = reasons[0][1] if reasons else ""
    return f'gang "{unit.gang}": {unit.bound + placed} of {unit.least} pods can be placed: {first}'


def _bracket(detail: str, number: int) -> str:
    if not detail:
        return ""
    return f" ({detail})" if number == 1 else f" (e.g. {detail})"
