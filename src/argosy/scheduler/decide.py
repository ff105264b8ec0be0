"""The decision on one unit: a pod, or the pods of a gang as a whole.

Pure over the state: what is assumed on the way is taken back where the unit fails, so a decision
leaves either nothing or a whole placement. (Assuming and taking back touches the rows of the gang
alone; a copy of all columns would cost the more the larger the cluster is.)
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.scheduling import PodGroup
from argosy.scheduler.explain.headline import Headlines
from argosy.scheduler.framework import BusyError, Plugin, UnschedulableError
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import NoRoomError, Placer
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.preemption.gang import GangPreemptor
from argosy.scheduler.preemption.record import Preemption
from argosy.scheduler.preemption.single import Preemptor, Rescue
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State

UNSCHEDULABLE = "Unschedulable"
GATED = "SchedulingGated"

Preemptions = tuple[Preemption, ...]


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
    """Why a pod was not placed: a condition's reason and message; and the node that it is nominated
    for all the same, if there is one."""

    pod: Pod
    reason: str
    message: str
    node: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a unit. `busy`: ask again soon, whatever happens.

    `release`: claims that are allocated for pods that can't be placed; others may have them.
    `preemptions`: who has to go for pods that can't be placed yet.
    """

    placements: tuple[Placement, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    release: tuple[ResourceClaim, ...] = ()
    preemptions: tuple[Preemption, ...] = ()
    busy: bool = False

    @property
    def waiting(self) -> bool:
        """Whether a pod is left that a change in the cluster may help."""
        return any(refusal.reason != GATED for refusal in self.refusals)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A pod that found no place; `room` tells that others stand in its way."""

    pod: Pod
    text: str
    room: bool


class Decider:
    """Decides by a table of plugins over one state."""

    def __init__(self, state: State, plugins: Sequence[Plugin]) -> None:
        self._state = state
        self._plugins = plugins
        self._placer = Placer(state, plugins)
        terms = next((plugin.preemption for plugin in plugins if plugin.preemption), None)
        self._preemptor = Preemptor(state, self._placer, terms) if terms else None
        placer = self._placer
        self._headlines = Headlines(state.nodes, plugins, lambda pod: placer.search(pod).surveys)

    def decide(self, unit: Unit) -> Decision:
        """Place the unit and assume the placements, or tell why not."""
        gated = [Refusal(pod, GATED, text) for pod in unit.pods if (text := self._gate(pod))]
        stopped = {refusal.pod.metadata.uid for refusal in gated}
        pods = [pod for pod in unit.pods if pod.metadata.uid not in stopped]
        missing = _missing(unit, len(pods))
        if missing:
            return self._failed(gated, [(pod, missing) for pod in pods])
        placements, failures, busy = self._place_all(pods)
        if unit.bound + len(placements) < unit.least:
            self._retract(placements)
            text = _gang_message(unit, len(placements), failures)
            text, preemptions = self._rescue_gang(unit, pods, failures, text, busy=busy)
            found = self._failed(gated, [(pod, text) for pod in pods], busy=busy)
            refusals = self._headed(found.refusals, failures[:1] * len(pods), pods)
            return replace(found, refusals=refusals, preemptions=preemptions)
        if not failures and not gated:
            return Decision(placements=tuple(placements))
        try:
            told, made = self._rescue_each(failures, busy=busy)
        except BaseException:
            self._retract(placements)
            raise
        found = self._failed(gated, told, busy=busy)
        refusals = self._headed(found.refusals, failures, [failure.pod for failure in failures])
        return replace(found, placements=tuple(placements), refusals=refusals, preemptions=made)

    def candidates(self, pod: Pod) -> list[str]:
        """The nodes that could have the pod just now, as far as filters and surveys know.

        Raises UnschedulableError where it can't be anywhere.
        """
        if self._gate(pod):
            return []
        search = self._placer.search(pod)
        names = self._state.nodes.names
        return [names[row] for row in search.ranking.feasible(search.surveys).nonzero()[0]]

    def _gate(self, pod: Pod) -> str | None:
        gates = (plugin.gate(pod) for plugin in self._plugins if plugin.gate)
        return next((text for text in gates if text), None)

    def _place_all(self, pods: Sequence[Pod]) -> tuple[list[Placement], list[_Failure], bool]:
        """Place as many of `pods` as there is room for, the largest first."""
        placements: list[Placement] = []
        failures: list[_Failure] = []
        hopeless: dict[Hashable, str] = {}
        exempt = frozenset(pod.metadata.uid for pod in pods)
        busy = False
        try:
            for pod in _largest_first(pods):
                try:
                    placement = self._placer.place(pod, hopeless, exempt)
                except UnschedulableError as error:
                    failures.append(_Failure(pod, str(error), isinstance(error, NoRoomError)))
                    busy = busy or isinstance(error, BusyError)
                else:
                    self._state.assume(placement)
                    placements.append(placement)
        except BaseException:
            # A plugin's fault: nothing of the unit may stay assumed.
            self._retract(placements)
            raise
        return placements, failures, busy

    def _retract(self, placements: Sequence[Placement]) -> None:
        for placement in reversed(placements):
            self._state.retract(placement)

    def _rescue_each(
        self, failures: Sequence[_Failure], *, busy: bool
    ) -> tuple[list[tuple[Pod, str]], Preemptions]:
        """What the pods are told, and who goes for them."""
        told: list[tuple[Pod, str]] = []
        made: list[Preemption] = []
        for failure in failures:
            text, preemptions = self._rescue(failure, busy=busy)
            told.append((failure.pod, text))
            made.extend(preemptions)
        return told, tuple(made)

    def _headed(
        self, refusals: Sequence[Refusal], failures: Sequence[_Failure], pods: Sequence[Pod]
    ) -> tuple[Refusal, ...]:
        """With the dominant reason in plain words, where it is nodes that are lacking; `failures`
        are those of `pods`."""
        told = {
            pod.metadata.uid: self._headlines.of(failure.pod, failure.text)
            for failure, pod in zip(failures, pods, strict=False)
            if failure.room
        }
        return tuple(
            replace(refusal, headline=told.get(refusal.pod.metadata.uid, ""))
            for refusal in refusals
        )

    def _rescue(self, failure: _Failure, *, busy: bool) -> tuple[str, Preemptions]:
        """Make room for a pod, if there is a way; what it is told, and who goes."""
        if self._preemptor is None or busy or not failure.room or not self._state.nodes.count:
            return failure.text, ()
        rescue = self._preemptor.rescue(failure.pod, (failure.pod.metadata.uid,))
        return _with_reason(failure.text, rescue)

    def _rescue_gang(
        self,
        unit: Unit,
        pods: Sequence[Pod],
        failures: Sequence[_Failure],
        text: str,
        *,
        busy: bool,
    ) -> tuple[str, Preemptions]:
        """The same for a whole gang."""
        hopeless = not any(failure.room for failure in failures)
        if self._preemptor is None or busy or hopeless or not self._state.nodes.count:
            return text, ()
        gang = GangPreemptor(self._state, self._placer, self._preemptor)
        uid = unit.group.metadata.uid if unit.group else ""
        rescue = gang.rescue(_largest_first(pods), uid=uid, least=unit.least - unit.bound)
        return _with_reason(text, rescue)

    def _failed(
        self, gated: Sequence[Refusal], told: Sequence[tuple[Pod, str]], *, busy: bool = False
    ) -> Decision:
        """Nobody is placed. What the pods are nominated for by now stands in the refusals."""
        release = () if busy else self._unused_claims([pod for pod, _ in told])
        node_of = self._state.nodes.nominated.node_of
        refusals = [
            Refusal(pod, UNSCHEDULABLE, text, node_of(pod.metadata.uid)) for pod, text in told
        ]
        return Decision(refusals=(*gated, *refusals), release=release, busy=busy)

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


def _gang_message(unit: Unit, placed: int, failures: Sequence[_Failure]) -> str:
    first = failures[0].text if failures else ""
    return f'gang "{unit.gang}": {unit.bound + placed} of {unit.least} pods can be placed: {first}'


def _with_reason(text: str, rescue: Rescue) -> tuple[str, Preemptions]:
    preemptions = () if rescue.preemption is None else (rescue.preemption,)
    return (f"{text} {rescue.reason}" if rescue.reason else text), preemptions
