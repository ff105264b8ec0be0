"""What to do next with a set of replicas, and what to tell of it: pure functions.

As kube-controller-manager's `replicaset` decides, for ReplicaSets and ReplicationControllers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Condition, condition
from argosy.api.replicas import ReplicaSet, ReplicaStatus, ReplicationController
from argosy.base.clock import timestamp
from argosy.controllers.podcontrol import BURST
from argosy.controllers.podstates import available, first_to_go, next_available, ready

Replicated = ReplicaSet | ReplicationController
FAILURE = "ReplicaFailure"


class TemplateMeta(msgspec.Struct, frozen=True):
    """The labels that a template gives."""

    labels: dict[str, str] = {}


class TemplateLabels(msgspec.Struct, frozen=True):
    """Of a template no more than that."""

    metadata: TemplateMeta = TemplateMeta()


_labels = msgspec.json.Decoder(TemplateLabels)


@dataclass(frozen=True, slots=True)
class Step:
    """So many pods to make, or these to delete."""

    create: int = 0
    delete: Sequence[Pod] = ()


def next_step(
    owner: Replicated, pods: Sequence[Pod], related: Iterable[Pod], now: datetime
) -> Step:
    """What is missing, or too much, of `owner`, whose active pods are `pods`.

    `related` are all pods of those that have the same controller.
    """
    if owner.metadata.deletion_timestamp is not None:
        return Step()
    excess = len(pods) - owner.spec.replicas
    if excess < 0:
        return Step(create=min(-excess, BURST))
    if excess > 0:
        return Step(delete=first_to_go(pods, related, min(excess, BURST), now))
    return Step()


def status_of(
    owner: Replicated,
    pods: Sequence[Pod],
    terminating: int | None,
    failure: Exception | None,
    now: datetime,
) -> ReplicaStatus:
    """The status of `owner`, whose active pods are `pods`; `failure` is of the step just done."""
    labels = _labels.decode(owner.spec.template).metadata.labels.items()
    takes_work = [pod for pod in pods if ready(pod)]
    wait = owner.spec.min_ready_seconds
    return ReplicaStatus(
        replicas=len(pods),
        fully_labeled_replicas=sum(labels <= pod.metadata.labels.items() for pod in pods),
        ready_replicas=len(takes_work),
        available_replicas=sum(available(pod, wait, now) for pod in takes_work),
        terminating_replicas=terminating,
        observed_generation=owner.metadata.generation,
        conditions=_conditions(owner, len(pods), failure, now),
    )


def _conditions(
    owner: Replicated, count: int, failure: Exception | None, now: datetime
) -> tuple[Condition, ...]:
    told = owner.status.conditions
    if failure is None:
        return tuple(item for item in told if item.type != FAILURE)
    if condition(told, FAILURE) is not None:
        return told
    excess = count - owner.spec.replicas
    reason = "FailedCreate" if excess < 0 else "FailedDelete" if excess > 0 else ""
    problem = Condition(
        type=FAILURE,
        status="True",
        reason=reason,
        message=str(failure),
        last_transition_time=timestamp(now),
    )
    return (*told, problem)


def look_again(
    owner: Replicated, status: ReplicaStatus, pods: Sequence[Pod], now: datetime
) -> float | None:
    """In how many seconds a pod that is ready becomes available, if one does."""
    wait = owner.spec.min_ready_seconds
    if wait <= 0 or status.ready_replicas == status.available_replicas:
        return None
    soonest = next_available(pods, wait, now)
    return float(wait) if soonest is None else soonest
