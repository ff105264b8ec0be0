"""What to do next with a StatefulSet: a pure function of what is there.

Three passes, as upstream's: bring every replica about, in order; take away pods whose number is no
longer wanted, the highest first; replace pods of other revisions, the highest first. Of an ordered
set (`OrderedReady`) each pass stops at the first pod that is not available; a parallel one goes on.
What is already so is planned again without harm, so a plan may be made of a state that is a little
old.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.revisions import ControllerRevision
from argosy.api.statefulsets import StatefulSet, StatefulSetStatus
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.podstates import available, next_available
from argosy.controllers.revisions import template_of
from argosy.controllers.rollout import scaled
from argosy.controllers.statefulsets import identity, retention
from argosy.controllers.statefulsets.counting import ROLLING, completed, counted, terminating
from argosy.runtime.events import Note

Json = dict[str, Any]
PARALLEL = "Parallel"
BURST = 500
"""So many pods of a parallel set are made before the next look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is there of a set. `revisions` are all of them, by rising number."""

    current: ControllerRevision
    update: ControllerRevision
    revisions: Sequence[ControllerRevision] = ()
    collisions: int = 0
    pods: Sequence[Pod] = ()
    claim: Callable[[str], PersistentVolumeClaim | None]
    now: datetime


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A claim to make, for the pod of this name."""

    pod: str
    body: Json


@dataclass(frozen=True, slots=True)
class NewOwners:
    """A claim that shall have other owners."""

    claim: PersistentVolumeClaim
    references: retention.References


@dataclass(frozen=True, slots=True)
class NewLabels:
    """A pod that does not tell its identity."""

    pod: Pod
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided, in the order in which it is done. The status is that of before."""

    claims: Sequence[NewClaim] = ()
    owners: Sequence[NewOwners] = ()
    labels: Sequence[NewLabels] = ()
    delete: Sequence[Pod] = ()
    make: Sequence[Json] = ()
    status: StatefulSetStatus
    forget: Sequence[ControllerRevision] = ()
    notes: Sequence[Note] = ()
    after: float | None = None


def make_plan(owner: StatefulSet, seen: Seen) -> Plan:
    """The next step for a set that is to stay."""
    draft = _Draft(owner, seen)
    if not _bring_about(draft) and not _take_away(draft):
        _update(draft)
    there = counted(owner, seen.pods, seen.now, seen.current.metadata.name, draft.update)
    rest = there.current_replicas - draft.outdated
    told = msgspec.structs.replace(there, current_replicas=rest, collision_count=seen.collisions)
    return Plan(
        claims=tuple(draft.claims.values()),
        owners=tuple(draft.owners.values()),
        labels=draft.labels,
        delete=tuple(draft.delete.values()),
        make=draft.make,
        status=completed(owner, told),
        forget=_forgotten(owner, seen),
        notes=draft.notes,
        after=_next_look(owner, seen, told),
    )


def leaving(owner: StatefulSet, pods: Sequence[Pod], now: datetime) -> Plan:
    """Of a set that is being deleted only the status is kept up; the collector does the rest."""
    names = (owner.status.current_revision, owner.status.update_revision)
    there = counted(owner, pods, now, *names)
    kept = msgspec.structs.replace(there, collision_count=owner.status.collision_count)
    return Plan(status=kept)


def _forgotten(owner: StatefulSet, seen: Seen) -> list[ControllerRevision]:
    """The oldest revisions beyond the limit, of those that no pod is made of."""
    live = {identity.revision(pod) for pod in seen.pods}
    live |= {seen.current.metadata.name, seen.update.metadata.name}
    spare = [item for item in seen.revisions if item.metadata.name not in live]
    return spare[: max(len(spare) - owner.spec.revision_history_limit, 0)]


def _next_look(owner: StatefulSet, seen: Seen, told: StatefulSetStatus) -> float | None:
    least = owner.spec.min_ready_seconds
    if not least or told.ready_replicas == told.available_replicas:
        return None
    return next_available(seen.pods, least, seen.now) or float(least)


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    owner: StatefulSet
    seen: Seen
    claims: dict[str, NewClaim] = field(default_factory=dict)
    owners: dict[str, NewOwners] = field(default_factory=dict)
    labels: list[NewLabels] = field(default_factory=list)
    delete: dict[str, Pod] = field(default_factory=dict)
    make: list[Json] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    outdated: int = 0
    replicas: dict[int, Pod] = field(init=False)
    condemned: list[Pod] = field(init=False)

    def __post_init__(self) -> None:
        by_number = {identity.ordinal(pod): pod for pod in self.seen.pods}
        numbers = identity.wanted(self.owner)
        self.replicas = {number: pod for number, pod in by_number.items() if number in numbers}
        gone = sorted((n for n in by_number if n >= 0 and n not in numbers), reverse=True)
        self.condemned = [by_number[number] for number in gone]

    @property
    def ordered(self) -> bool:
        return self.owner.spec.pod_management_policy != PARALLEL

    @property
    def update(self) -> str:
        return self.seen.update.metadata.name

    def available(self, pod: Pod) -> bool:
        """Whether it has been ready for long enough, and stays."""
        least = self.owner.spec.min_ready_seconds
        return available(pod, least, self.seen.now) and not terminating(pod)

    def up(self, pod: Pod) -> bool:
        """Whether those after it may be touched."""
        return pod.status.phase == "Running" and self.available(pod)

    def drop(self, pod: Pod) -> None:
        self.delete[pod.metadata.uid] = pod


# the first pass


def _bring_about(draft: _Draft) -> bool:
    """See to every replica; whether an ordered set has to wait for one of them."""
    numbers, there = identity.wanted(draft.owner), draft.replicas
    if draft.ordered:
        return any(_see_to(draft, number, there.get(number)) for number in numbers)
    for number, pod in sorted(there.items()):
        _see_to(draft, number, pod)
    missing = (number for number in numbers if number not in there)
    for number in islice(missing, BURST):
        _see_to(draft, number, None)
    return False


def _see_to(draft: _Draft, number: int, pod: Pod | None) -> bool:
    """Make or keep one replica; whether those after it have to wait."""
    return _make(draft, number) if pod is None else _keep(draft, number, pod)


def _make(draft: _Draft, number: int) -> bool:
    """A pod that is missing, unless the storage of an earlier one is still on its way out."""
    owner, name = draft.owner, identity.pod_name(draft.owner, number)
    names = identity.claim_names(owner, number).values()
    there = [claim for claim in map(draft.seen.claim, names) if claim is not None]
    scaled_away = owner.spec.persistent_volume_claim_retention_policy.when_scaled == "Delete"
    if scaled_away and any(retention.stale(claim, name, "") for claim in there):
        return True
    going = [claim for claim in there if claim.metadata.deletion_timestamp is not None]
    if going:
        problem = f"pvc {going[0].metadata.name} is being deleted"
        draft.notes.append(failed("Create", owner, name, problem))
        return True
    _make_claims(draft, number)
    made_of = _made_of(draft, number)
    body = identity.pod(owner, template_of(made_of), made_of.metadata.name, number)
    draft.make.append(body)
    return True


def _made_of(draft: _Draft, number: int) -> ControllerRevision:
    """The revision for a new pod: that of the partition, or of the replicas not yet updated."""
    owner, index = draft.owner, number - draft.owner.spec.ordinals.start
    strategy = owner.spec.update_strategy
    if strategy.rolling_update is not None:
        old = index < strategy.rolling_update.partition
    else:
        old = strategy.type == ROLLING and index < owner.status.current_replicas
    return draft.seen.current if old else draft.seen.update


def _keep(draft: _Draft, number: int, pod: Pod) -> bool:
    """A pod that is there: one that has ended is replaced, the others keep identity and claims."""
    if pod.finished:
        if not terminating(pod):
            draft.drop(pod)
        return True
    if pod.status.phase == "Pending":
        _make_claims(draft, number)
        _set_owners(draft, number, pod)
    if draft.ordered and not draft.up(pod):
        return True
    _set_owners(draft, number, pod)
    shall = identity.labels(draft.owner, number)
    if pod.metadata.labels.get(identity.POD_NAME) != pod.metadata.name:
        draft.labels.append(NewLabels(pod, shall))
    return False


def _make_claims(draft: _Draft, number: int) -> None:
    names = identity.claim_names(draft.owner, number)
    for template in draft.owner.spec.volume_claim_templates:
        name = names[template["metadata"]["name"]]
        if draft.seen.claim(name) is None:
            body = identity.claim(draft.owner, template, number)
            draft.claims[name] = NewClaim(identity.pod_name(draft.owner, number), body)


def _set_owners(draft: _Draft, number: int, pod: Pod) -> None:
    for name in identity.claim_names(draft.owner, number).values():
        claim = draft.seen.claim(name)
        if claim is None or name in draft.owners:
            continue
        references = retention.references(draft.owner, pod, claim)
        if references is None:
            continue
        if retention.conflicting(draft.owner, pod, claim):
            draft.notes.append(Note("ConflictingController", _CONFLICT.format(name), "Warning"))
        draft.owners[name] = NewOwners(claim, references)


_CONFLICT = (
    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a managing controller, "
    "the retention policy is ignored for this claim"
)


def failed(verb: str, owner: StatefulSet, pod: str, problem: str) -> Note:
    """The event of a write to a pod that did not succeed."""
    message = f"{verb} Pod {pod} in StatefulSet {owner.metadata.name} failed error: {problem}"
    return Note(f"Failed{verb}", message, "Warning")


# the second pass


def _take_away(draft: _Draft) -> bool:
    """Delete pods that are not wanted any more; whether an ordered set has to wait for one."""
    for pod in draft.condemned:
        _set_owners(draft, identity.ordinal(pod), pod)
    lowest = next((pod for pod in reversed(draft.condemned) if not draft.available(pod)), None)
    for pod in draft.condemned:
        if terminating(pod):
            if draft.ordered:
                return True
            continue
        # One that is broken goes only where it is the last broken one: order is order.
        if draft.ordered and pod is not lowest and not draft.up(pod):
            return True
        draft.drop(pod)
        if draft.ordered:
            return True
    return False


# the third pass


def _update(draft: _Draft) -> None:
    """Delete pods of other revisions, as far as the strategy lets; they are made anew later."""
    strategy = draft.owner.spec.update_strategy
    if strategy.type != ROLLING:
        return
    rolling = strategy.rolling_update
    numbers = identity.wanted(draft.owner)
    above = numbers[rolling.partition if rolling else 0 :]
    if rolling is None or rolling.max_unavailable is None:
        _update_one(draft, above)
        return
    most = max(scaled(rolling.max_unavailable, draft.owner.spec.replicas), 1)
    up = sum(1 for pod in draft.replicas.values() if draft.available(pod))
    room = max(most - (len(numbers) - up), 0)
    outdated = [pod for number, pod in draft.replicas.items() if number in above]
    outdated = [pod for pod in outdated if _outdated(draft, pod)]
    for pod in sorted(outdated, key=identity.ordinal, reverse=True)[:room]:
        _replace(draft, pod)


def _update_one(draft: _Draft, numbers: range) -> None:
    """The highest pod that is not updated, once those above it are available."""
    for number in reversed(numbers):
        pod = draft.replicas.get(number)
        if pod is None:
            return
        if _outdated(draft, pod):
            _replace(draft, pod)
            return
        if not draft.available(pod):
            return


def _outdated(draft: _Draft, pod: Pod) -> bool:
    return identity.revision(pod) != draft.update and not terminating(pod)


def _replace(draft: _Draft, pod: Pod) -> None:
    draft.drop(pod)
    draft.outdated += identity.revision(pod) == draft.seen.current.metadata.name
