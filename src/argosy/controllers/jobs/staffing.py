"""Which pods a job that goes on makes and takes away. Pure functions.

In one step pods are made or taken away, never both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from argosy.api.core import Pod
from argosy.controllers.jobs import pods as of_pod
from argosy.controllers.jobs.backoff import remaining_of_index
from argosy.controllers.jobs.intervals import of
from argosy.controllers.jobs.picture import Picture
from argosy.controllers.podstates import terminating

MOST = 500
"""Pods that are made or taken away in one step."""
SOONEST = 1.0
"""Seconds that a replacement waits at least."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """Pods to take away, and indexes (None: without one) of pods to make.

    `after`: seconds to wait for what may not be made yet.
    """

    delete: Sequence[Pod] = ()
    create: Sequence[int | None] = ()
    after: float | None = None


def staffing(picture: Picture, now: datetime) -> Staffing:
    """The next step for a job that is not over."""
    active = len(picture.active)
    if picture.job.spec.suspend:
        return Staffing(delete=_dispensable(picture, active))
    wanted = _wanted(picture)
    surplus = _dispensable(picture, max(0, active - wanted))
    if surplus:
        return Staffing(delete=surplus[:MOST])
    only_failed = of_pod.only_failed_are_replaced(picture.job)
    missing = wanted - active - (picture.terminating if only_failed else 0)
    return _hired(picture, min(missing, MOST), now) if missing > 0 else Staffing()


def _wanted(picture: Picture) -> int:
    """How many pods shall be active."""
    spec = picture.job.spec
    if spec.completions is not None:
        return max(0, min(spec.completions - picture.succeeded, spec.parallelism))
    return len(picture.active) if picture.succeeded > 0 else spec.parallelism


def _hired(picture: Picture, count: int, now: datetime) -> Staffing:
    by_index = picture.lost is not None
    pause = 0.0 if by_index else picture.backoff.remaining(now)
    if pause > 0:
        return Staffing(after=max(pause, SOONEST))
    if not picture.job.indexed:
        return Staffing(create=(None,) * count)
    pending = _pending(picture, count)
    if not by_index:
        return Staffing(create=pending)
    pauses = {item: remaining_of_index(picture.kept.get(item), now) for item in pending}
    ready = [item for item in pending if pauses[item] == 0]
    if ready or not pending:
        return Staffing(create=ready)
    return Staffing(after=max(min(pauses.values()), SOONEST))


def _pending(picture: Picture, count: int) -> list[int]:
    """The first indexes that nobody works on, and that are not over."""
    job = picture.job
    busy = {item for pod in picture.active if (item := of_pod.index(pod)) is not None}
    if of_pod.only_failed_are_replaced(job):
        leaving = (of_pod.index(pod) for pod in picture.pods if terminating(pod))
        busy |= {item for item in leaving if item is not None}
    taken = picture.done | of(busy)
    if picture.lost is not None:
        taken |= picture.lost
    return taken.missing(job.spec.completions or 0, count)


def _dispensable(picture: Picture, least: int) -> list[Pod]:
    """Pods of no use, and then as many more as make `least`."""
    left = sorted(picture.active, key=of_pod.dispensable)
    useless: list[Pod] = []
    if picture.job.indexed:
        best = {of_pod.indexed_below(pod, picture.job): pod for pod in left}
        best.pop(None, None)
        useless = [pod for pod in left if best.get(of_pod.index(pod)) is not pod]
        left = [pod for pod in left if best.get(of_pod.index(pod)) is pod]
    return useless + left[: max(0, least - len(useless))]
