"""What a CronJob has to do: when it was due last, which of its jobs are over. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from argosy.api.batch import ActiveJob, CronJob, CronJobStatus, Job
from argosy.api.meta import ObjectMeta, owned
from argosy.base.clock import parse_timestamp
from argosy.controllers.schedules import Schedule
from argosy.runtime.events import Note

STAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp"
MANY = 100
"""Missed times beyond which it is told that something is wrong."""
PADDING = 0.1
"""Seconds after a moment at which to look: clocks are put right in small steps."""


@dataclass(frozen=True, slots=True)
class Due:
    """The last time that was due and is not over, and about how many were missed."""

    since: datetime
    moment: datetime | None = None
    missed: int = 0


def due(since: datetime, now: datetime, schedule: Schedule) -> Due:
    """What was due after `since`. Raises ValueError where the schedule never is."""
    first = schedule.next(since)
    second = schedule.next(first) if first is not None else None
    if first is not None and now < first:
        return Due(since)
    if first is not None and second is not None and now < second:
        return Due(since, first)
    pause = round((second - first).total_seconds()) if first and second else 0
    if first is None or pause < 1:
        raise ValueError("time difference between two schedules is less than 1 second")
    # As many as would have been if all pauses were like the first; then step by step.
    missed = int((now - first).total_seconds()) // pause + 1
    step = schedule.next(first + timedelta(seconds=(missed - 2) * pause))
    last: datetime | None = None
    while step is not None and step <= now:
        last, step = step, schedule.next(step)
    return Due(since, last, missed)


def began(cron: CronJob, changed: datetime | None) -> datetime:
    """From when on times count: since the last one, and since the schedule is what it is."""
    known = cron.status.last_schedule_time or cron.metadata.creation_timestamp
    assert known is not None
    since = parse_timestamp(known)
    return max(since, changed) if changed is not None else since


def unmet(cron: CronJob, since: datetime, now: datetime, schedule: Schedule) -> Due:
    """What is to be begun now: nothing that is older than the deadline."""
    limit = cron.spec.starting_deadline_seconds
    if limit is not None:
        since = max(since, now - timedelta(seconds=limit))
    return due(since, now, schedule)


def pause(since: datetime, now: datetime, schedule: Schedule) -> float | None:
    """Seconds until the next time; None where there is none."""
    found = due(since, now, schedule)
    last = found.moment or (now if found.missed else found.since)
    coming = schedule.next(last)
    return None if coming is None else (coming - now).total_seconds() + PADDING


def job_name(cron: CronJob, moment: datetime) -> str:
    """One name for each minute, so that nothing begins twice."""
    return f"{cron.metadata.name}-{int(moment.timestamp()) // 60}"


def job_for(cron: CronJob, moment: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The job of that time."""
    template: dict[str, Any] = msgspec.json.decode(cron.spec.job_template)
    given = template.get("metadata") or {}
    stamp = moment.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")
    meta = {
        "name": job_name(cron, moment),
        "namespace": cron.metadata.namespace,
        "labels": given.get("labels") or {},
        "annotations": {**(given.get("annotations") or {}), STAMP: stamp},
        "ownerReferences": [owned(cron)],
    }
    resource = Job.resource
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": meta,
        "spec": template.get("spec") or {},
    }


def reference_to(meta: ObjectMeta) -> ActiveJob:
    """The job of this metadata as the status names it."""
    resource = Job.resource
    return ActiveJob(
        api_version=resource.api_version,
        kind=resource.kind,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
    )


def forgotten(status: CronJobStatus, uids: Iterable[str]) -> CronJobStatus:
    """Without these jobs among the active ones."""
    gone = frozenset(uids)
    kept = tuple(item for item in status.active if item.uid not in gone)
    return msgspec.structs.replace(status, active=kept)


def observed(
    cron: CronJob, jobs: Sequence[Job], missing: Mapping[str, str]
) -> tuple[CronJobStatus, list[Note]]:
    """The status with what became of its jobs; `missing` are those that are gone, uid to name."""
    status, notes = cron.status, []
    known = {item.uid for item in status.active}
    for job in jobs:
        name, end = job.metadata.name, job.ended
        if end is None and job.metadata.uid not in known:
            message = f"Saw a job that the controller did not create or forgot: {name}"
            notes.append(Note("UnexpectedJob", message, "Warning"))
        if end is None:
            continue
        if job.metadata.uid in known:
            message = f"Saw completed job: {name}, condition: {end.type}"
            notes.append(Note("SawCompletedJob", message))
        if end.type == "Complete":
            status = _succeeded(status, job)
    for name in missing.values():
        notes.append(Note("MissingJob", f"Active job went missing: {name}"))
    over = (job.metadata.uid for job in jobs if job.ended is not None)
    return forgotten(status, (*over, *missing)), notes


def _succeeded(status: CronJobStatus, job: Job) -> CronJobStatus:
    """Stamps of one form: the later one sorts last."""
    end, known = job.status.completion_time, status.last_successful_time
    if end is None or (known is not None and end <= known):
        return status
    return msgspec.structs.replace(status, last_successful_time=end)


def history(cron: CronJob, jobs: Sequence[Job]) -> list[Job]:
    """The jobs beyond those that are kept, the oldest first."""
    limits = (
        ("Complete", cron.spec.successful_jobs_history_limit),
        ("Failed", cron.spec.failed_jobs_history_limit),
    )
    surplus: list[Job] = []
    for kind, limit in limits:
        ended = [job for job in jobs if job.ended is not None and job.ended.type == kind]
        if limit is not None and len(ended) > limit:
            surplus += sorted(ended, key=_start)[: len(ended) - limit]
    return surplus


def _start(job: Job) -> tuple[bool, str, str]:
    start = job.status.start_time
    return (start is None, start or "", job.metadata.name)
