"""What the job controller reads of one pod. Pure functions."""

from datetime import datetime, timedelta

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.base.clock import parse_timestamp
from argosy.controllers.podstates import PHASES, ready_since

FINALIZER = "batch.kubernetes.io/job-tracking"
"""Keeps a pod that has ended until it is in the job's counts."""
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
LARGEST = 2**31 - 1


def tracked(pod: Pod) -> bool:
    """Whether the pod is in no count yet."""
    return FINALIZER in pod.metadata.finalizers


def only_failed_are_replaced(job: Job) -> bool:
    """Whether a pod that was deleted is replaced only once it has ended."""
    spec = job.spec
    return spec.pod_replacement_policy == "Failed" or spec.pod_failure_policy is not None


def failed(pod: Pod, job: Job) -> bool:
    """Whether the pod has failed, or is taken to have."""
    if pod.status.phase == "Failed":
        return True
    if only_failed_are_replaced(job):
        return False
    return pod.metadata.deletion_timestamp is not None and pod.status.phase != "Succeeded"


def index(pod: Pod) -> int | None:
    """The completion index, if the pod has one that can be read."""
    text = pod.metadata.annotations.get(INDEX, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None


def indexed_below(pod: Pod, job: Job) -> int | None:
    """The completion index, if it is one of the job's."""
    found = index(pod)
    return found if found is not None and found < (job.spec.completions or 0) else None


def index_failures(pod: Pod) -> int:
    """How many pods of its index failed before it."""
    return _count(pod, FAILURES)


def all_index_failures(pod: Pod) -> int:
    """The same, with those failures that a policy ignores."""
    return _count(pod, FAILURES) + _count(pod, IGNORED_FAILURES)


def _count(pod: Pod, name: str) -> int:
    text = pod.metadata.annotations.get(name, "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
    return count if count <= LARGEST else 0


def restarts(pod: Pod) -> int:
    """How often its containers were restarted."""
    status = pod.status
    return sum(
        item.restart_count for item in (*status.init_container_statuses, *status.container_statuses)
    )


def finished_at(pod: Pod) -> datetime:
    """When it ended, by the best witness there is."""
    meta, status = pod.metadata, pod.status
    ends = [item.state.terminated for item in status.container_statuses]
    times = [end.finished_at for end in ends if end is not None and end.finished_at]
    if times and len(times) == len(ends):
        return max(map(parse_timestamp, times))
    told = condition(status.conditions, "Ready")
    if told is not None and told.status == "False" and told.last_transition_time:
        return parse_timestamp(told.last_transition_time)
    if meta.deletion_timestamp:
        grace = timedelta(seconds=meta.deletion_grace_period_seconds or 0)
        return parse_timestamp(meta.deletion_timestamp) - grace
    assert meta.creation_timestamp is not None
    return parse_timestamp(meta.creation_timestamp)


def dispensable(pod: Pod) -> tuple[bool, int, bool, float, int, float]:
    """A key by which the pod that is missed least comes first."""
    status = pod.status
    since = ready_since(pod)
    created = pod.metadata.creation_timestamp
    return (
        bool(pod.spec.node_name),
        PHASES.get(status.phase, 0),
        since is not None,
        -since.timestamp() if since else 0.0,
        -max((item.restart_count for item in status.container_statuses), default=0),
        -parse_timestamp(created).timestamp() if created else 0.0,
    )
