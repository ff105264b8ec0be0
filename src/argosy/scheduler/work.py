"""What a pod tells of its work: with whom it runs, whether it trains, whether its work is saved.

A rank is a pod that computes together with others, its team: the pods of its scheduling group (or
of a group that others' labels tell of), those of an indexed Job, or those of a JobSet.

Work is saved where the pod carries the annotation `argosy.dev/checkpoint`: any value says that it
writes checkpoints, a time (RFC 3339) says when it wrote the latest one.
"""

from typing import NamedTuple

from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp
from argosy.scheduler.foreigngroups import FAMILIES, membership_of

CHECKPOINT = "argosy.dev/checkpoint"
INDEX = "batch.kubernetes.io/job-completion-index"
JOB = "batch.kubernetes.io/job-name"
JOBSET = "jobset.sigs.k8s.io/jobset-name"

_OWNERS = frozenset(
    (("batch", "Job"), ("jobset.x-k8s.io", "JobSet"), ("trainer.kubeflow.org", "TrainJob"))
)
_TELLING = frozenset(FAMILIES)
_NOT_SAVED = ("", "false")


class Team(NamedTuple):
    """Ranks that compute together; `kind` tells what it is that has the name."""

    namespace: str
    kind: str
    name: str


def team_of(pod: Pod) -> Team | None:
    """The team of a rank; None for a pod that works on its own.

    The pods of a Job without indexes are no ranks: they don't know each other.
    """
    meta, group = pod.metadata, pod.spec.scheduling_group
    if group is not None and group.pod_group_name:
        return Team(meta.namespace, "PodGroup", group.pod_group_name)
    if not (_TELLING.isdisjoint(meta.labels) and _TELLING.isdisjoint(meta.annotations)):
        if (told := membership_of(pod)) is not None:
            return Team(meta.namespace, *told)
    if INDEX not in meta.labels:
        return None
    for kind, label in (("JobSet", JOBSET), ("Job", JOB)):
        if name := meta.labels.get(label):
            return Team(meta.namespace, kind, name)
    return None


def trains(pod: Pod) -> bool:
    """Whether it is a rank, or belongs to something that runs to an end."""
    owner = pod.controller
    if owner is not None:
        group = owner.api_version.partition("/")[0]
        if (group, owner.kind) in _OWNERS:
            return True
    return team_of(pod) is not None


def saves(pod: Pod) -> bool:
    """Whether the pod says that it writes checkpoints."""
    return pod.metadata.annotations.get(CHECKPOINT, "") not in _NOT_SAVED


def saved_at(pod: Pod) -> float | None:
    """When its work was saved, in seconds; None where no time is told."""
    text = pod.metadata.annotations.get(CHECKPOINT)
    if not text:
        return None
    try:
        return parse_timestamp(text).timestamp()
    except (ValueError, OverflowError):
        return None
