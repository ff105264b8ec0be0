"""What there is of a job: its pods, sorted by what they mean. A pure function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from argosy.api.batch import Job, Uncounted
from argosy.api.core import Pod
from argosy.controllers.jobs import pods as of_pod
from argosy.controllers.jobs.backoff import Backoff
from argosy.controllers.jobs.intervals import NONE, Indexes, of, parse
from argosy.controllers.jobs.policies import meaning
from argosy.controllers.podstates import active, ready, terminating


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A job and its pods; the counts are those that the pods that have ended lead to."""

    job: Job
    pods: Sequence[Pod]
    active: Sequence[Pod]
    terminating: int
    ready: int
    succeeded: int
    failed: int
    done_before: Indexes = NONE
    done: Indexes = NONE
    lost: Indexes | None = None
    """Indexes that are given up; None where the job has no limit by index."""
    kept: Mapping[int, Pod]
    """By index, the failed pod that tells its successor how often it failed."""
    backoff: Backoff


def look(job: Job, pods: Sequence[Pod], backoff: Backoff) -> Picture:
    """What there is. `backoff` is what was known of failures before."""
    running = [pod for pod in pods if active(pod)]
    uncounted = job.status.uncounted_terminated_pods or Uncounted()
    good = _new(job, pods, uncounted.succeeded, lambda pod: pod.status.phase == "Succeeded")
    bad = _new(job, pods, uncounted.failed, lambda pod: of_pod.failed(pod, job))
    counted = sum(1 for pod in bad if meaning(job, pod).counted)
    before, done, lost = _indexes(job, pods)
    succeeded = job.status.succeeded + len(good) + len(uncounted.succeeded)
    return Picture(
        job=job,
        pods=pods,
        active=running,
        terminating=sum(1 for pod in pods if terminating(pod)),
        ready=sum(1 for pod in running if ready(pod)),
        succeeded=len(done) if job.indexed else succeeded,
        failed=job.status.failed + counted + len(uncounted.failed),
        done_before=before,
        done=done,
        lost=lost,
        kept=_kept(job, pods, running, done | lost) if lost is not None else {},
        backoff=backoff.after(good, bad),
    )


def _new(
    job: Job, pods: Sequence[Pod], known: Sequence[str], fits: Callable[[Pod], bool]
) -> list[Pod]:
    """Pods that are in no count, nor on the way there."""
    seen = frozenset(known)
    return [
        pod
        for pod in pods
        if of_pod.tracked(pod)
        and pod.metadata.uid not in seen
        and fits(pod)
        and (not job.indexed or of_pod.indexed_below(pod, job) is not None)
    ]


def _indexes(job: Job, pods: Sequence[Pod]) -> tuple[Indexes, Indexes, Indexes | None]:
    """The indexes that had succeeded, those that have, and those that are given up."""
    if not job.indexed:
        return NONE, NONE, None
    below = job.spec.completions or 0
    mine = [(item, pod) for pod in pods if (item := of_pod.indexed_below(pod, job)) is not None]
    fresh = [(item, pod) for item, pod in mine if of_pod.tracked(pod)]
    before = parse(job.status.completed_indexes, below)
    done = before | of({item for item, pod in fresh if pod.status.phase == "Succeeded"})
    if job.spec.backoff_limit_per_index is None:
        return before, done, None
    lost = parse(job.status.failed_indexes or "", below)
    return before, done, lost | of({item for item, pod in fresh if _gives_up(job, pod)})


def _gives_up(job: Job, pod: Pod) -> bool:
    """Whether the index of `pod` gets no other."""
    if not of_pod.failed(pod, job):
        return False
    found = meaning(job, pod)
    limit = job.spec.backoff_limit_per_index or 0
    return found.action == "FailIndex" or (found.counted and of_pod.index_failures(pod) >= limit)


def _kept(job: Job, pods: Sequence[Pod], running: Sequence[Pod], over: Indexes) -> dict[int, Pod]:
    busy = {of_pod.index(pod) for pod in running}
    kept: dict[int, Pod] = {}
    for pod in pods:
        place = of_pod.indexed_below(pod, job)
        if place is None or place in over or place in busy:
            continue
        if of_pod.tracked(pod) and of_pod.failed(pod, job):
            last = kept.get(place)
            if last is None or _follows(pod, last):
                kept[place] = pod
    return kept


def _follows(pod: Pod, last: Pod) -> bool:
    counts = of_pod.all_index_failures
    return counts(last) <= counts(pod) and of_pod.finished_at(pod) >= of_pod.finished_at(last)
