"""What to do next with a Deployment: a pure function of what is there.

As kube-controller-manager's: each look takes one step (a new ReplicaSet, or a change of scale), and
what comes of it leads to the next look. While a Deployment is paused, or its number of replicas has
changed, sets are only scaled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from argosy.api.core import Pod
from argosy.api.replicas import Deployment, DeploymentStatus, ReplicaSet
from argosy.base.clock import timestamp
from argosy.controllers.deployments import conditions as cond
from argosy.controllers.deployments.drafts import Draft, Json, Scaling, blank, body_of, draft, total
from argosy.controllers.deployments.revisions import (
    REVISION,
    annotations_of,
    by_revision,
    find_new,
    next_revision,
    oldest_first,
)
from argosy.controllers.deployments.scaling import grown, rescale, roll, scaled
from argosy.controllers.deployments.status import complete, counted, look_again, rolled
from argosy.runtime.events import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A set to make, patches of sets, sets to delete; then the revision and status to tell."""

    create: Json | None = None
    change: Sequence[tuple[ReplicaSet, Json]] = ()
    delete: Sequence[ReplicaSet] = ()
    revision: str | None = None
    status: DeploymentStatus
    notes: Sequence[Note] = ()
    after: float | None = None


@dataclass(slots=True)
class _Look:
    """One look at a Deployment, as far as it is decided."""

    deployment: Deployment
    now: datetime
    sets: list[ReplicaSet]
    newest: ReplicaSet | None
    drafts: list[Draft]
    new: Draft | None
    scaling: Scaling
    conditions: cond.Conditions
    delete: list[ReplicaSet] = field(default_factory=list)

    @property
    def old(self) -> list[Draft]:
        """All but the newest set, the oldest first."""
        return [item for item in self.drafts if item is not self.new]


def make_plan(
    deployment: Deployment,
    sets: Sequence[ReplicaSet],
    pods_of: Callable[[ReplicaSet], Sequence[Pod]],
    now: datetime,
) -> Plan:
    """The next step for `deployment`, whose ReplicaSets are `sets`."""
    look = _begin(deployment, sets, now)
    if deployment.metadata.deletion_timestamp is not None:
        return _plan(look)
    look.conditions = cond.switched(deployment, timestamp(now))
    _note_newest(look)
    if deployment.spec.paused or scaled(look.scaling, look.drafts):
        rescale(look.scaling, look.new, look.old)
        if deployment.spec.paused:
            _clean(look)
        return _plan(look)
    if deployment.spec.strategy.type == "Recreate":
        _recreate(look, pods_of)
    else:
        _roll(look)
    return _plan(look, rollout=True)


def refused(deployment: Deployment, name: str, answer: str, now: datetime) -> DeploymentStatus:
    """The status where a new set can't be made."""
    status = deployment.status
    if not cond.has_deadline(deployment):
        return status
    text = f'Failed to create new replica set "{name}": {answer}'
    news = cond.told(cond.PROGRESSING, "False", cond.NOT_CREATED, text, timestamp(now))
    return msgspec.structs.replace(status, conditions=cond.put(status.conditions, news))


def collided(deployment: Deployment) -> DeploymentStatus:
    """The status where another template has the name that the new set would have."""
    count = (deployment.status.collision_count or 0) + 1
    return msgspec.structs.replace(deployment.status, collision_count=count)


def _begin(deployment: Deployment, sets: Sequence[ReplicaSet], now: datetime) -> _Look:
    ordered = oldest_first(sets)
    newest = find_new(deployment, ordered)
    drafts = [draft(item) for item in ordered]
    return _Look(
        deployment,
        now,
        ordered,
        newest,
        drafts,
        next((item for item in drafts if newest is not None and item.old is newest), None),
        Scaling(deployment),
        deployment.status.conditions,
    )


def _note_newest(look: _Look) -> None:
    """The newest set has the Deployment's annotations and the highest revision."""
    deployment, new = look.deployment, look.new
    if new is None:
        return
    number = next_revision(_old_sets(look))
    new.annotations = annotations_of(deployment, new.annotations, number)
    new.min_ready = deployment.spec.min_ready_seconds
    if cond.has_deadline(deployment) and cond.find(look.conditions, cond.PROGRESSING) is None:
        _found(look, new.name)


def _make_newest(look: _Look) -> Draft:
    """The newest set, which is made where it is not there."""
    if look.new is not None:
        return look.new
    deployment, new = look.deployment, blank(look.deployment)
    new.annotations = annotations_of(deployment, {}, next_revision(_old_sets(look)))
    look.scaling.annotate(new)
    new.replicas = grown(look.scaling, new, look.drafts)
    if new.replicas:
        look.scaling.note(f"Scaled up replica set {new.name} from 0 to {new.replicas}")
    look.drafts.append(new)
    look.new = new
    if cond.has_deadline(deployment):
        _progress(look, cond.CREATED, f'Created new replica set "{new.name}"')
    return new


def _found(look: _Look, name: str) -> None:
    """Tell of a newest set that is there and was not told of: it was made, or taken over."""
    since = look.deployment.metadata.creation_timestamp
    if since and look.newest and (look.newest.metadata.creation_timestamp or "") >= since:
        _progress(look, cond.CREATED, f'Created new replica set "{name}"')
    else:
        _progress(look, cond.FOUND, f'Found new replica set "{name}"')


def _progress(look: _Look, reason: str, message: str) -> None:
    news = cond.told(cond.PROGRESSING, "True", reason, message, timestamp(look.now))
    look.conditions = cond.put(look.conditions, news)


def _roll(look: _Look) -> None:
    new = _make_newest(look)
    if not roll(look.scaling, new, look.old):
        _clean_if_complete(look)


def _recreate(look: _Look, pods_of: Callable[[ReplicaSet], Sequence[Pod]]) -> None:
    """Take all old pods away; the newest set begins once the last of them is gone."""
    shrunk = [look.scaling.scale(item, 0) for item in look.old]
    if any(shrunk) or _running(_old_sets(look), pods_of):
        return
    look.scaling.scale(_make_newest(look), look.deployment.spec.replicas)
    _clean_if_complete(look)


def _running(old: Sequence[ReplicaSet], pods_of: Callable[[ReplicaSet], Sequence[Pod]]) -> bool:
    """Whether one of the sets has pods, or doesn't know yet that it is to have none."""
    return any(
        item.status.replicas > 0
        or item.status.observed_generation < item.metadata.generation
        or any(not pod.finished for pod in pods_of(item))
        for item in old
    )


def _old_sets(look: _Look) -> list[ReplicaSet]:
    return [item for item in look.sets if item is not look.newest]


def _clean_if_complete(look: _Look) -> None:
    if complete(look.deployment, look.deployment.status):
        _clean(look)


def _clean(look: _Look) -> None:
    """Delete the old sets above the limit, those of the lowest revisions, if they are empty."""
    limit = look.deployment.spec.revision_history_limit
    if limit is None or limit == cond.NEVER:
        return
    alive = [item for item in _old_sets(look) if item.metadata.deletion_timestamp is None]
    look.delete = [
        item for item in by_revision(alive)[: max(len(alive) - limit, 0)] if _empty(item)
    ]


def _empty(item: ReplicaSet) -> bool:
    idle = item.status.replicas == 0 and item.spec.replicas == 0
    return idle and item.metadata.generation <= item.status.observed_generation


def _plan(look: _Look, *, rollout: bool = False) -> Plan:
    deployment, new = look.deployment, look.new
    wanted = total(look.drafts)
    status = counted(deployment, look.sets, look.newest, wanted, look.conditions, look.now)
    after = None
    if rollout:
        names = (look.newest, new.name if new is not None else "")
        status = rolled(deployment, status, look.conditions, look.sets, names, look.now)
        after = look_again(deployment, status, look.now)
    revision = new.annotations.get(REVISION) if new is not None else None
    changes = [(item.old, item.change()) for item in look.drafts]
    return Plan(
        create=body_of(deployment, new) if new is not None and new.old is None else None,
        change=[(old, body) for old, body in changes if old is not None and body is not None],
        delete=look.delete,
        revision=revision if revision != deployment.metadata.annotations.get(REVISION) else None,
        status=status,
        notes=tuple(look.scaling.notes),
        after=after,
    )
