"""Whether a job is over, and how. Pure functions.

What was said before is heard first, then what fails a job, then what makes it succeed.
"""

from collections.abc import Sequence
from datetime import datetime

from argosy.api.batch import Job, JobCondition
from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp, timestamp
from argosy.controllers.jobs import pods as of_pod
from argosy.controllers.jobs.picture import Picture
from argosy.controllers.jobs.policies import enough, meaning
from argosy.controllers.jobs.template import restart_policy

FAILING = "FailureTarget"
SUCCEEDING = "SuccessCriteriaMet"
REACHED = "Reached expected number of succeeded pods"


def said(kind: str, reason: str, message: str, now: datetime, status: str = "True") -> JobCondition:
    """A condition, as of now."""
    stamp = timestamp(now)
    return JobCondition(
        type=kind,
        status=status,
        last_probe_time=stamp,
        last_transition_time=stamp,
        reason=reason,
        message=message,
    )


def holds(job: Job, kind: str) -> JobCondition | None:
    """The condition of this type, where it is true."""
    found = (item for item in job.status.conditions if item.type == kind)
    return next((item for item in found if item.status == "True"), None)


def verdict(picture: Picture, now: datetime) -> JobCondition | None:
    """Why the job is to end, `FailureTarget` or `SuccessCriteriaMet`; None while it goes on."""
    job = picture.job
    told = holds(job, SUCCEEDING) or holds(job, FAILING)
    if told is not None:
        return told
    for pod in picture.pods if job.spec.pod_failure_policy else ():
        message = meaning(job, pod).message if of_pod.failed(pod, job) else ""
        if message:
            return said(FAILING, "PodFailurePolicy", message, now)
    failure = _limit(picture, now) or _indexes(picture)
    if failure is not None:
        return said(FAILING, *failure, now)
    if job.indexed and (message := enough(job, picture.done)):
        return said(SUCCEEDING, "SuccessPolicy", message, now)
    return None


def _limit(picture: Picture, now: datetime) -> tuple[str, str] | None:
    job = picture.job
    if picture.failed > job.spec.backoff_limit or _restarted(job, picture.pods):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    left = deadline(job, now)
    if left is not None and left <= 0:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _indexes(picture: Picture) -> tuple[str, str] | None:
    lost, spec = picture.lost, picture.job.spec
    if not lost:
        return None
    if spec.max_failed_indexes is not None and len(lost) > spec.max_failed_indexes:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return "MaxFailedIndexesExceeded", message
    if len(lost) + len(picture.done) >= (spec.completions or 0):
        return "FailedIndexes", "Job has failed indexes"
    return None


def deadline(job: Job, now: datetime) -> float | None:
    """Seconds that the job may still be active; None where it has no limit, or is suspended."""
    limit, start = job.spec.active_deadline_seconds, job.status.start_time
    if limit is None or job.spec.suspend:
        return None
    since = (now - parse_timestamp(start)).total_seconds() if start else 0.0
    return limit - since


def _restarted(job: Job, pods: Sequence[Pod]) -> bool:
    """Whether containers were restarted in place more often than pods may be."""
    if restart_policy(job) != "OnFailure":
        return False
    running = (pod for pod in pods if pod.status.phase in ("Running", "Pending"))
    count = sum(map(of_pod.restarts, running))
    limit = job.spec.backoff_limit
    return count > 0 if limit == 0 else count >= limit


def complete(picture: Picture, active: int) -> bool:
    """Whether as many pods succeeded as were asked for, and none is left."""
    wanted = picture.job.spec.completions
    if wanted is None:
        return picture.succeeded > 0 and active == 0
    return picture.succeeded >= wanted and active == 0
