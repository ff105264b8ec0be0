"""How pods that have ended come into the job's counts, each exactly once. Pure functions.

A pod has a finalizer until it is counted. First its uid is written into the status as uncounted,
then it loses the finalizer, then one write takes the uid away and raises the count. Whoever dies
in between leaves what the next one needs: a uid whose pod has no finalizer is to be counted, and a
pod with a finalizer is to be written down, unless it is already. The indexes that succeeded are
written at once: an index counts once, however often it is written.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.batch import Job, JobCondition, JobStatus, Uncounted
from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.controllers.jobs import pods as of_pod
from argosy.controllers.jobs.picture import Picture
from argosy.controllers.jobs.policies import meaning
from argosy.controllers.jobs.verdict import FAILING, SUCCEEDING, holds, said

MOST = 500
"""Pods that are on their way into the counts at a time: what bounds the size of the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffed:
    """What there is after pods were made and taken away."""

    active: int
    ready: int
    terminating: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """The status to write, and the pods that lose their finalizer once it is written."""

    status: JobStatus
    release: Sequence[Pod]
    more: bool = False
    """Whether pods are left for the next time."""


def settled(status: JobStatus, held: Set[str]) -> JobStatus:
    """Count those uncounted pods that are not held, by uid, by their finalizers any more."""
    known = status.uncounted_terminated_pods or Uncounted()
    good = tuple(uid for uid in known.succeeded if uid in held)
    bad = tuple(uid for uid in known.failed if uid in held)
    return msgspec.structs.replace(
        status,
        succeeded=status.succeeded + len(known.succeeded) - len(good),
        failed=status.failed + len(known.failed) - len(bad),
        uncounted_terminated_pods=Uncounted(succeeded=good, failed=bad),
    )


def held(pods: Sequence[Pod]) -> set[str]:
    """The uids of the pods that have the finalizer."""
    return {pod.metadata.uid for pod in pods if of_pod.tracked(pod)}


def track(
    picture: Picture, status: JobStatus, staffed: Staffed, end: JobCondition | None
) -> Tracked:
    """What to write down first. `end` is the verdict; `status` has the other changes already."""
    job = picture.job
    status = settled(status, held(picture.pods))
    walk = _Walk(picture, status, end)
    walk.go()
    status = msgspec.structs.replace(
        status,
        active=staffed.active,
        ready=staffed.ready,
        terminating=staffed.terminating,
        uncounted_terminated_pods=Uncounted(succeeded=tuple(walk.good), failed=tuple(walk.bad)),
    )
    if job.indexed:
        status = msgspec.structs.replace(
            status,
            succeeded=len(picture.done),
            completed_indexes=str(picture.done),
            failed_indexes=None if picture.lost is None else str(picture.lost),
        )
    if end is not None and holds(job, end.type) is None:
        status = msgspec.structs.replace(status, conditions=(*status.conditions, end))
    return Tracked(status, walk.release, walk.more)


class _Walk:
    """One walk over the pods that are held: which are let go, and which are written down."""

    def __init__(self, picture: Picture, status: JobStatus, end: JobCondition | None) -> None:
        known = status.uncounted_terminated_pods or Uncounted()
        self._picture, self._end = picture, end
        self._known = frozenset((*known.succeeded, *known.failed))
        self._known_failed = frozenset(known.failed)
        self._indexes = 0
        self.good = list(known.succeeded)
        self.bad = list(known.failed)
        self.release: list[Pod] = []
        self.more = False

    def go(self) -> None:
        pods = [pod for pod in self._picture.pods if of_pod.tracked(pod)]
        if self._picture.job.indexed:
            pods.sort(key=lambda pod: -1 if (place := of_pod.index(pod)) is None else place)
        for pod in pods:
            if not self._free(pod):
                continue
            if self._indexes + len(self.good) + len(self.bad) >= MOST:
                self.more = True
                return
            self.release.append(pod)
            self._note(pod)

    def _free(self, pod: Pod) -> bool:
        """Whether nothing is to be learned from the pod any more."""
        job = self._picture.job
        if job.metadata.deletion_timestamp is not None or self._end is not None:
            return True
        if pod.status.phase == "Succeeded":
            return True
        if not of_pod.failed(pod, job):
            return False
        place = of_pod.index(pod)
        kept = None if place is None else self._picture.kept.get(place)
        return kept is None or kept.metadata.uid != pod.metadata.uid

    def _note(self, pod: Pod) -> None:
        job, uid = self._picture.job, pod.metadata.uid
        if pod.status.phase == "Succeeded" and uid not in self._known_failed:
            self._note_success(pod)
            return
        failing = self._end is not None and self._end.type == FAILING
        if not (of_pod.failed(pod, job) or failing) or uid in self._known_failed:
            return
        mine = not job.indexed or of_pod.indexed_below(pod, job) is not None
        if mine and meaning(job, pod).counted:
            self.bad.append(uid)

    def _note_success(self, pod: Pod) -> None:
        job, uid = self._picture.job, pod.metadata.uid
        if not job.indexed:
            if uid not in self._known:
                self.good.append(uid)
            return
        place = of_pod.indexed_below(pod, job)
        if place is not None and place not in self._picture.done_before:
            self._indexes += 1


def finished(job: Job, status: JobStatus, end: JobCondition, now: datetime) -> JobStatus | None:
    """The status of a job that is over; None while pods are to be counted, or are still going."""
    left = status.uncounted_terminated_pods or Uncounted()
    if left.succeeded or left.failed or status.terminating:
        return None
    kind = "Complete" if end.type == SUCCEEDING else "Failed"
    last = said(kind, end.reason, end.message, now)
    return msgspec.structs.replace(
        status,
        conditions=(*(item for item in status.conditions if item.type != kind), last),
        completion_time=timestamp(now) if kind == "Complete" else status.completion_time,
    )


def suspension(status: JobStatus, suspended: bool, now: datetime) -> tuple[JobStatus, str]:
    """The condition `Suspended`, and when the job began to be active; with what is new, if any."""
    known = next((item for item in status.conditions if item.type == "Suspended"), None)
    if suspended:
        new, told = said("Suspended", "JobSuspended", "Job suspended", now), "Suspended"
    else:
        new = said("Suspended", "JobResumed", "Job resumed", now, status="False")
        told = "Resumed"
    same = known is not None and known.status == new.status
    if same or (known is None and not suspended):
        return status, ""
    rest = (new if item.type == "Suspended" else item for item in status.conditions)
    conditions = (*status.conditions, new) if known is None else tuple(rest)
    start = None if suspended else timestamp(now)
    return msgspec.structs.replace(status, conditions=conditions, start_time=start), told


def as_patch(status: JobStatus) -> dict[str, Any]:
    """The status as a merge patch that leaves nothing else."""
    absent = dict.fromkeys(JobStatus.__struct_encode_fields__)
    uncounted = status.uncounted_terminated_pods or Uncounted()
    left = {
        "succeeded": list(uncounted.succeeded) or None,
        "failed": list(uncounted.failed) or None,
    }
    return {**absent, **msgspec.to_builtins(status), "uncountedTerminatedPods": left}
