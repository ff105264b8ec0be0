"""The status of a StatefulSet: its pods, counted. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from argosy.api.core import Pod
from argosy.api.statefulsets import StatefulSet, StatefulSetStatus
from argosy.controllers.podstates import available, ready
from argosy.controllers.statefulsets import identity

ROLLING = "RollingUpdate"


def terminating(pod: Pod) -> bool:
    """Whether it is being deleted."""
    return pod.metadata.deletion_timestamp is not None


def counted(
    owner: StatefulSet, pods: Sequence[Pod], now: datetime, current: str, update: str
) -> StatefulSetStatus:
    """The pods, counted; `current` and `update` are the names of the revisions."""
    up = [pod for pod in pods if pod.status.phase == "Running" and ready(pod)]
    here = [pod for pod in pods if not terminating(pod)]
    least = owner.spec.min_ready_seconds
    return StatefulSetStatus(
        observed_generation=owner.metadata.generation,
        replicas=len(pods),
        ready_replicas=len(up),
        current_replicas=sum(1 for pod in here if identity.revision(pod) == current),
        updated_replicas=sum(1 for pod in here if identity.revision(pod) == update),
        available_replicas=sum(1 for pod in up if available(pod, least, now)),
        current_revision=current,
        update_revision=update,
        conditions=owner.status.conditions,
    )


def completed(owner: StatefulSet, told: StatefulSetStatus) -> StatefulSetStatus:
    """Where every replica is updated and ready, the update revision is the current one."""
    counts = {told.updated_replicas, told.ready_replicas, told.replicas}
    if owner.spec.update_strategy.type != ROLLING or counts != {owner.spec.replicas}:
        return told
    return msgspec.structs.replace(
        told, current_replicas=told.updated_replicas, current_revision=told.update_revision
    )
