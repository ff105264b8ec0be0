"""The decision on one unit: a pod, or the pods of a gang as a whole.

Pure over the state: what is assumed on the way is taken back where the unit fails, so a decision
leaves either nothing or a whole placement. (Assuming and taking back touches the rows of the gang
alone; a copy of all columns would cost the more the larger the cluster is.)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.explain.headline import Headlines
from argosy.scheduler.framework import Plugin
from argosy.scheduler.gangs.choosing import Chooser, Outcome
from argosy.scheduler.gangs.clearing import clearable
from argosy.scheduler.gangs.filling import Failure, Filler, largest_first
from argosy.scheduler.gangs.tree import Gang, Groups, Part
from argosy.scheduler.placement import Placement
from argosy.scheduler.placing import Placer
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.preemption.gang import NO_ROOM, GangPreemptor
from argosy.scheduler.preemption.record import Preemption
from argosy.scheduler.preemption.single import Preemptor, Rescue
from argosy.scheduler.state import State

UNSCHEDULABLE = "Unschedulable"
GATED = "SchedulingGated"

Preemptions = tuple[Preemption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is decided at once. `pods` wait; `bound` pods of the gang are on nodes already.

    A unit of one pod has no `gang` name. `group` is the gang's PodGroup, None until it exists.
    `there` are the uids of the bound pods.
    `trouble`: why nobody can tell what the gang is.
    With `composite` it is a group of groups, made of `parts`; pods are those of all of them.
    """

    pods: tuple[Pod, ...]
    gang: str = ""
    group: PodGroup | None = None
    bound: int = 0
    there: tuple[str, ...] = ()
    trouble: str = ""
    composite: CompositePodGroup | None = None
    parts: tuple["Unit", ...] = ()

    @property
    def near(self) -> str | None:
        """The label of which all of the gang's nodes must have the same value; None for no rule."""
        return self.group.spec.topology_key if self.group else None

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
    """What becomes of a unit. `busy`: ask again soon, whatever happens; `hung`: but after the
    others, whom deciding on it held up.

    `release`: claims that are allocated for pods that can't be placed; others may have them.
    `preemptions`: who has to go for pods that can't be placed yet.
    `composites`: of groups of groups, why they are not placed; empty where they are.
    """

    placements: tuple[Placement, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    release: tuple[ResourceClaim, ...] = ()
    preemptions: tuple[Preemption, ...] = ()
    busy: bool = False
    hung: bool = False
    composites: tuple[tuple[CompositePodGroup, str], ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether a pod is left that a change in the cluster may help."""
        return any(refusal.reason != GATED for refusal in self.refusals)


class Decider:
    """Decides by a table of plugins over one state."""

    def __init__(self, state: State, plugins: Sequence[Plugin]) -> None:
        self._state = state
        self._plugins = plugins
        self._placer = Placer(state, plugins)
        self._filler = Filler(state, self._placer)
        self._chooser = Chooser(state, self._placer, self._filler)
        terms = next((plugin.preemption for plugin in plugins if plugin.preemption), None)
        self._preemptor = Preemptor(state, self._placer, terms) if terms else None
        placer = self._placer
        self._headlines = Headlines(state.nodes, plugins, lambda pod: placer.search(pod).surveys)

    def decide(self, unit: Unit) -> Decision:
        """Place the unit and assume the placements, or tell why not."""
        gated = [Refusal(pod, GATED, text) for pod in unit.pods if (text := self._gate(pod))]
        stopped = {refusal.pod.metadata.uid for refusal in gated}
        found = self._chooser.place(_part(unit, stopped))
        told = _composites(unit, found)
        if not found.whole:
            return replace(self._nobody(unit, gated, found), composites=told)
        if not gated and not found.failures and not found.parts:
            return Decision(placements=tuple(found.placements))
        return replace(self._some(gated, found), composites=told)

    def _nobody(self, unit: Unit, gated: Sequence[Refusal], found: Outcome) -> Decision:
        """Nothing is placed of a unit that can't be whole."""
        text, preemptions = self._rescue_gang(unit, found)
        told = [(pod, text) for pod in found.part.pods]
        refused = self._failed(gated, told, busy=found.busy)
        refusals = self._headed(refused.refusals, _causes(found))
        return replace(refused, refusals=refusals, preemptions=preemptions)

    def _some(self, gated: Sequence[Refusal], found: Outcome) -> Decision:
        """The unit is placed, but for some pods, or groups, beyond its least."""
        ends = list(found.ends())
        failures = [failure for end in ends if end.whole for failure in end.failures]
        short = [end for end in ends if not end.whole]
        try:
            told, made = self._rescue_each(failures, busy=found.busy)
        except BaseException:
            self._filler.retract(found.placements)
            raise
        told.extend((pod, end.text) for end in short for pod in end.part.pods)
        refused = self._failed(gated, told, busy=found.busy)
        causes = [(it.pod, it) for it in failures]
        causes.extend(cause for end in short for cause in _causes(end))
        refusals = self._headed(refused.refusals, causes)
        placements = tuple(found.placements)
        return replace(refused, placements=placements, refusals=refusals, preemptions=made)

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

    def _rescue_each(
        self, failures: Sequence[Failure], *, busy: bool
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
        self, refusals: Sequence[Refusal], failures: Sequence[tuple[Pod, Failure]]
    ) -> tuple[Refusal, ...]:
        """With the dominant reason in plain words, where it is nodes that a pod's unit lacks."""
        told = {
            pod.metadata.uid: self._headlines.of(failure.pod, failure.text)
            for pod, failure in failures
            if failure.room
        }
        return tuple(
            replace(refusal, headline=told.get(refusal.pod.metadata.uid, ""))
            for refusal in refusals
        )

    def _rescue(self, failure: Failure, *, busy: bool) -> tuple[str, Preemptions]:
        """Make room for a pod, if there is a way; what it is told, and who goes."""
        if self._preemptor is None or busy or not failure.room or not self._state.nodes.count:
            return failure.text, ()
        uid = failure.pod.metadata.uid
        rescue = self._preemptor.rescue(failure.pod, (uid,), failure.within)
        return _with_reason(failure.text, rescue)

    def _rescue_gang(self, unit: Unit, found: Outcome) -> tuple[str, Preemptions]:
        """The same for a whole gang."""
        hopeless = not any(failure.room for failure in found.failures)
        if self._preemptor is None or found.busy or hopeless or not self._state.nodes.count:
            return found.text, ()
        if not isinstance(found.part, Gang):
            return found.text, ()
        gang = GangPreemptor(self._state, self._placer, self._preemptor)
        uid = unit.group.metadata.uid if unit.group else ""
        pods, least = found.part.pods, found.part.needed
        if found.part.key is None:
            return _with_reason(found.text, gang.rescue(pods, uid=uid, least=least))
        for domain in clearable(self._state, self._placer, self._preemptor, found.part):
            rescue = gang.rescue(pods, uid=uid, least=least, within=domain)
            if rescue.preemption is not None or rescue.reason != NO_ROOM:
                break
        return _with_reason(found.text, rescue)

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


def _part(unit: Unit, stopped: Collection[str], *, single: bool = True) -> Part:
    """What is to be placed of the unit, but for the pods whose uids are `stopped`."""
    if unit.composite is not None:
        return _groups(unit, unit.composite, stopped)
    pods = [pod for pod in unit.pods if pod.metadata.uid not in stopped]
    key = unit.near
    return Gang(
        name=unit.gang,
        pods=tuple(largest_first(pods)),
        least=unit.least if single and key is None else max(unit.least, 1),
        bound=unit.bound,
        there=unit.there,
        key=key,
        missing=_missing(unit, len(pods)),
    )


def _groups(unit: Unit, composite: CompositePodGroup, stopped: Collection[str]) -> Groups:
    parts = tuple(_part(part, stopped, single=False) for part in unit.parts)
    if unit.trouble:
        missing = f'group of groups "{unit.gang}": {unit.trouble}'
        return Groups(name=unit.gang, parts=parts, missing=missing)
    policy = composite.spec.scheduling_policy.gang
    least = policy.min_group_count if policy else 1
    groups = Groups(name=unit.gang, parts=parts, least=least, key=composite.spec.topology_key)
    lacking = [part.missing for part in parts if part.missing]
    ready = len(parts) - len(lacking)
    if ready >= least:
        return groups
    first = "".join(f": {text}" for text in lacking[:1])
    text = f"{groups.title}: waiting for groups, {ready} of {least} are there{first}"
    return replace(groups, missing=text)


def _causes(short: Outcome) -> list[tuple[Pod, Failure]]:
    """What all pods of a part that isn't whole lack."""
    return [(pod, failure) for pod in short.part.pods for failure in short.failures[:1]]


def _composites(unit: Unit, found: Outcome) -> tuple[tuple[CompositePodGroup, str], ...]:
    """Why the groups of groups are not placed; of those below one that isn't, nothing is told."""
    if unit.composite is None:
        return ()
    below = {part.gang: part for part in unit.parts if part.composite is not None}
    parts = found.parts if found.whole else ()
    more = (_composites(below[it.part.name], it) for it in parts if isinstance(it.part, Groups))
    return ((unit.composite, found.text), *(item for items in more for item in items))


def _missing(unit: Unit, pods: int) -> str:
    """Why a gang can't even be tried; empty where it can."""
    if unit.trouble:
        return f'gang "{unit.gang}": {unit.trouble}'
    if unit.gang and unit.group is None:
        return f'gang "{unit.gang}": waiting for the pod group to be created'
    there = unit.bound + pods
    if there < unit.least:
        return f'gang "{unit.gang}": waiting for pods, {unit.least} are needed'
    return ""


def _with_reason(text: str, rescue: Rescue) -> tuple[str, Preemptions]:
    preemptions = () if rescue.preemption is None else (rescue.preemption,)
    return (f"{text} {rescue.reason}" if rescue.reason else text), preemptions
