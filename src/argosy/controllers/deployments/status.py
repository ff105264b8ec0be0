"""A Deployment's status: its counts, and whether it is available, progresses or is stuck."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from argosy.api.meta import condition
from argosy.api.replicas import Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet
from argosy.base.clock import parse_timestamp, timestamp
from argosy.controllers.deployments import conditions as cond
from argosy.controllers.deployments.amounts import max_unavailable

SOON = 1.0


def counted(
    deployment: Deployment,
    sets: Sequence[ReplicaSet],
    new: ReplicaSet | None,
    wanted: int,
    conditions: cond.Conditions,
    now: datetime,
) -> DeploymentStatus:
    """The counts, as the sets tell them, and whether enough is available.

    `wanted` is what the sets are asked for together.
    """
    available = sum(item.status.available_replicas for item in sets)
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=sum(item.status.replicas for item in sets),
        updated_replicas=new.status.replicas if new is not None else 0,
        ready_replicas=sum(item.status.ready_replicas for item in sets),
        available_replicas=available,
        unavailable_replicas=max(wanted - available, 0),
        terminating_replicas=_terminating(sets),
        collision_count=deployment.status.collision_count,
        conditions=cond.put(conditions, _availability(deployment, available, now)),
    )


def _terminating(sets: Iterable[ReplicaSet]) -> int | None:
    """How many pods go, where all sets tell; one that nobody looked at yet has none."""
    looked = [item.status for item in sets if item.status.observed_generation]
    counts = [status.terminating_replicas for status in looked]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _availability(deployment: Deployment, available: int, now: datetime) -> DeploymentCondition:
    stamp = timestamp(now)
    if available >= deployment.spec.replicas - max_unavailable(deployment):
        reason, text = "MinimumReplicasAvailable", "Deployment has minimum availability."
        return cond.told(cond.AVAILABLE, "True", reason, text, stamp)
    reason, text = "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    return cond.told(cond.AVAILABLE, "False", reason, text, stamp)


def complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Whether all that is asked for is there, of the newest template, and available."""
    wanted = deployment.spec.replicas
    counts = (status.updated_replicas, status.replicas, status.available_replicas)
    return counts == (wanted, wanted, wanted) and (
        status.observed_generation >= deployment.metadata.generation
    )


def rolled(
    deployment: Deployment,
    status: DeploymentStatus,
    before: cond.Conditions,
    sets: Sequence[ReplicaSet],
    new: tuple[ReplicaSet | None, str],
    now: datetime,
) -> DeploymentStatus:
    """The status with what a rollout adds: how it progresses, and which pods can't be made.

    `before` are the conditions as this look found them; `new` is the newest set and its name.
    """
    found = status.conditions
    if not cond.has_deadline(deployment):
        found = cond.without(found, cond.PROGRESSING)
    else:
        found = _progress(deployment, status, cond.find(before, cond.PROGRESSING), new[1], now)
    failure = _failure(sets, new[0])
    if failure is None:
        found = cond.without(found, cond.FAILURE)
    else:
        found = cond.put(found, failure)
    return msgspec.structs.replace(status, conditions=found)


def _progress(
    deployment: Deployment,
    status: DeploymentStatus,
    current: DeploymentCondition | None,
    name: str,
    now: datetime,
) -> cond.Conditions:
    found, stamp = status.conditions, timestamp(now)
    ended = current is not None and current.reason == cond.COMPLETE
    if ended and status.replicas == status.updated_replicas:
        return found  # pods that fail after the rollout are no rollout
    whose = f'ReplicaSet "{name}"' if name else f'Deployment "{deployment.metadata.name}"'
    if complete(deployment, status):
        text = f"{whose} has successfully progressed."
        return cond.put(found, cond.told(cond.PROGRESSING, "True", cond.COMPLETE, text, stamp))
    if _progresses(deployment.status, status):
        news = cond.told(cond.PROGRESSING, "True", cond.UPDATED, f"{whose} is progressing.", stamp)
        if current is not None and current.status == "True":
            since = current.last_transition_time
            news = msgspec.structs.replace(news, last_transition_time=since)
        return (*cond.without(found, cond.PROGRESSING), news)  # its update time moves each time
    if _timed_out(deployment, cond.find(found, cond.PROGRESSING), now):
        text = f"{whose} has timed out progressing."
        return cond.put(found, cond.told(cond.PROGRESSING, "False", cond.TIMED_OUT, text, stamp))
    return found


def _progresses(old: DeploymentStatus, new: DeploymentStatus) -> bool:
    return (
        new.updated_replicas > old.updated_replicas
        or new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        or new.ready_replicas > old.ready_replicas
        or new.available_replicas > old.available_replicas
    )


def _timed_out(deployment: Deployment, progress: DeploymentCondition | None, now: datetime) -> bool:
    if progress is None or progress.reason == cond.COMPLETE:
        return False
    return progress.reason == cond.TIMED_OUT or _deadline(deployment, progress) < now


def _deadline(deployment: Deployment, progress: DeploymentCondition) -> datetime:
    since = parse_timestamp(progress.last_update_time or "1970-01-01T00:00:00Z")
    return since + timedelta(seconds=deployment.spec.progress_deadline_seconds or 0)


def look_again(deployment: Deployment, status: DeploymentStatus, now: datetime) -> float | None:
    """In how many seconds a rollout is over its deadline, if it can be."""
    progress = cond.find(status.conditions, cond.PROGRESSING)
    if not cond.has_deadline(deployment) or progress is None or complete(deployment, status):
        return None
    if progress.reason == cond.TIMED_OUT:
        return None
    left = (_deadline(deployment, progress) - now).total_seconds()
    return max(left, 0.0) + SOON


def _failure(sets: Sequence[ReplicaSet], new: ReplicaSet | None) -> DeploymentCondition | None:
    """Why pods can't be made: of the newest set, or else of any."""
    first = () if new is None else (new,)
    found = (condition(item.status.conditions, cond.FAILURE) for item in (*first, *sets))
    return next((cond.taken_over(item) for item in found if item is not None), None)
