"""A Deployment's conditions: how one is set, with upstream's two times."""

from collections.abc import Sequence

import msgspec

from argosy.api.meta import Condition
from argosy.api.replicas import Deployment, DeploymentCondition

AVAILABLE = "Available"
PROGRESSING = "Progressing"
FAILURE = "ReplicaFailure"

CREATED = "NewReplicaSetCreated"
FOUND = "FoundNewReplicaSet"
UPDATED = "ReplicaSetUpdated"
COMPLETE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"
NOT_CREATED = "ReplicaSetCreateError"

NEVER = 2**31 - 1
"""As a limit or a deadline: there is none."""

Conditions = tuple[DeploymentCondition, ...]


def find(conditions: Sequence[DeploymentCondition], kind: str) -> DeploymentCondition | None:
    """The condition of a type."""
    return next((item for item in conditions if item.type == kind), None)


def without(conditions: Conditions, kind: str) -> Conditions:
    """All but the condition of a type."""
    return tuple(item for item in conditions if item.type != kind)


def put(conditions: Conditions, new: DeploymentCondition) -> Conditions:
    """`new` in place of what was told; but the same status for the same reason is no news."""
    old = find(conditions, new.type)
    if old is not None and (old.status, old.reason) == (new.status, new.reason):
        return conditions
    if old is not None and old.status == new.status:
        new = msgspec.structs.replace(new, last_transition_time=old.last_transition_time)
    return (*without(conditions, new.type), new)


def told(kind: str, status: str, reason: str, message: str, now: str) -> DeploymentCondition:
    """A condition as of `now`, an RFC 3339 timestamp."""
    return DeploymentCondition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_update_time=now,
        last_transition_time=now,
    )


def taken_over(condition: Condition) -> DeploymentCondition:
    """A condition of a ReplicaSet as one of its Deployment."""
    since = condition.last_transition_time
    return DeploymentCondition(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        last_update_time=since,
        last_transition_time=since,
    )


def has_deadline(deployment: Deployment) -> bool:
    """Whether progress is watched at all."""
    return deployment.spec.progress_deadline_seconds not in (None, NEVER)


def switched(deployment: Deployment, now: str) -> Conditions:
    """The conditions after what is paused or resumed has been told."""
    conditions = deployment.status.conditions
    progress = find(conditions, PROGRESSING)
    if not has_deadline(deployment) or (progress is not None and progress.reason == TIMED_OUT):
        return conditions
    paused = progress is not None and progress.reason == PAUSED
    if deployment.spec.paused and not paused:
        text = "Deployment is paused"
        return put(conditions, told(PROGRESSING, "Unknown", PAUSED, text, now))
    if paused and not deployment.spec.paused:
        text = "Deployment is resumed"
        return put(conditions, told(PROGRESSING, "Unknown", RESUMED, text, now))
    return conditions
