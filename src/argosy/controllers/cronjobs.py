"""The CronJob controller: makes jobs by a clock, forgets those that are over, keeps few of them.

`cronplan` decides, `schedules` knows the times. A job's name is that of its minute: whoever was
interrupted after making one makes no second. Source: kube-controller-manager's cronjob controller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from argosy.api.batch import CronJob, CronJobStatus, Job
from argosy.api.meta import ObjectMeta, PartialObject
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers import cronplan as plan
from argosy.controllers.podcontrol import lost, namespace_going
from argosy.controllers.schedules import Schedule, parse
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/cronjobs"
COMPONENT = "cronjob-controller"
UTC_NAME = "UTC"
TOO_MANY = (
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
)
FORBIDDEN = "Not starting job because prior execution is running and concurrency policy is Forbid"
UNSUPPORTED = (
    'CRON_TZ or TZ used in schedule "{}" is not officially supported, see '
    "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)


@dataclass(slots=True)
class Schedules:
    """Since when schedules are as they are, as far as was seen: what a new one would have done
    before nobody makes up for.
    """

    _known: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)

    def since(self, cron: CronJob, now: datetime) -> datetime | None:
        """When the schedule changed; None where it was not seen to."""
        text = f"{cron.spec.time_zone} {cron.spec.schedule}"
        before = self._known.get(cron.metadata.uid)
        if before is None or before[0] != text:
            self._known[cron.metadata.uid] = (text, None if before is None else now)
        return self._known[cron.metadata.uid][1]

    def forget(self, cron: CronJob) -> None:
        """It is gone."""
        self._known.pop(cron.metadata.uid, None)


@dataclass(frozen=True)
class CronJobs:
    """Makes jobs by a clock."""

    client: Client
    clock: Clock
    crons: Informer[CronJob]
    jobs: Informer[Job]
    events: EventRecorder
    schedules: Schedules
    doubtful: set[str] = field(default_factory=set)  # uids of those whose job may have been made

    async def reconcile(self, cron: CronJob) -> Result:
        """Begin what is due, and tell what became of what was begun."""
        await self._make_certain(cron)
        now = self.clock.now()
        jobs = self.jobs.owned_by(cron.metadata.uid)
        surplus = await self._delete(cron, plan.history(cron, jobs))
        status, notes = plan.observed(cron, jobs, await self._missing(cron))
        for note in notes:
            await self.events.record(cron, note)
        status = plan.forgotten(status, surplus)
        fault: StatusError | ConnectionError | None = None
        after: float | None = None
        try:
            status, after = await self._begin(cron, status, now)
        except (StatusError, ConnectionError) as error:
            fault = error
        await self._write(cron, status)
        if fault is not None:
            raise fault
        return DONE if after is None else Result(max(after, 0.0))

    async def _make_certain(self, cron: CronJob) -> None:
        """Where an answer got lost, wait until the cache shows all jobs that the server has."""
        meta = cron.metadata
        if meta.uid not in self.doubtful:
            return
        listed = await self.client.list(PartialObject, meta.namespace, resource=Job.resource)
        for job in listed.items:
            if job.controller is not None and job.controller.uid == meta.uid:
                await self.jobs.reached(job.metadata.resource_version)
        self.doubtful.discard(meta.uid)

    async def _missing(self, cron: CronJob) -> dict[str, str]:
        """The active jobs that are not there, uid to name: as the server says."""
        gone: dict[str, str] = {}
        for item in cron.status.active:
            if (known := self.jobs.get(item.namespace, item.name)) is None:
                known = await self.client.find(Job, item.name, item.namespace)
            if known is None or known.metadata.uid != item.uid:
                gone[item.uid] = item.name
        return gone

    async def _begin(
        self, cron: CronJob, status: CronJobStatus, now: datetime
    ) -> tuple[CronJobStatus, float | None]:
        """The status after what is due was begun, and the seconds until the next time."""
        schedule = await self._schedule(cron)
        if schedule is None:
            return status, None
        since = plan.began(cron, self.schedules.since(cron, now))
        try:
            found = plan.unmet(cron, since, now, schedule)
            after = plan.pause(since, now, schedule)
        except ValueError as error:
            message = f"invalid schedule: {cron.spec.schedule} : {error}"
            await self._tell(cron, "InvalidSchedule", message)
            return status, None
        if found.moment is None:
            return status, after
        if found.missed > plan.MANY:
            await self._tell(cron, "TooManyMissedTimes", TOO_MANY)
        if await self._allowed(cron, status, found.moment, now):
            status = await self._start(cron, status, found.moment)
            after = plan.pause(found.moment, now, schedule)
        return status, after

    async def _schedule(self, cron: CronJob) -> Schedule | None:
        """The schedule, where there is one to be kept."""
        spec = cron.spec
        if cron.metadata.deletion_timestamp is not None:
            return None
        try:
            zone = ZoneInfo(spec.time_zone or UTC_NAME)
        except (ValueError, KeyError, OSError) as error:
            message = f'invalid timeZone: "{spec.time_zone}": {error}'
            await self._tell(cron, "UnknownTimeZone", message)
            return None
        if spec.suspend:
            return None
        if "TZ" in spec.schedule:
            await self._tell(cron, "UnsupportedSchedule", UNSUPPORTED.format(spec.schedule))
        try:
            return parse(spec.schedule, zone)
        except (ValueError, KeyError, OSError) as error:
            message = f'unparseable schedule: "{spec.schedule}" : {error}'
            await self._tell(cron, "UnparseableSchedule", message)
            return None

    async def _allowed(
        self, cron: CronJob, status: CronJobStatus, moment: datetime, now: datetime
    ) -> bool:
        """Whether a job may begin; says why where it may not."""
        limit = cron.spec.starting_deadline_seconds
        if limit is not None and (now - moment).total_seconds() > limit:
            shown = moment.strftime("%a, %d %b %Y %H:%M:%S %z")
            message = f"Missed scheduled time to start a job: {shown}"
            await self._tell(cron, "MissSchedule", message)
            return False
        name = plan.job_name(cron, moment)
        active = any(item.name == name for item in status.active)
        if active or status.last_schedule_time == timestamp(moment):
            return False
        if cron.spec.concurrency_policy == "Forbid" and self._busy(cron, status, name):
            await self.events.record(cron, Note("JobAlreadyActive", FORBIDDEN))
            return False
        return True

    def _busy(self, cron: CronJob, status: CronJobStatus, name: str) -> bool:
        """Whether a job but that of this name runs, also one that nobody lived to write down."""
        jobs = self.jobs.owned_by(cron.metadata.uid)
        others = (job for job in jobs if job.metadata.name != name)
        return bool(status.active) or any(job.ended is None for job in others)

    async def _start(self, cron: CronJob, status: CronJobStatus, moment: datetime) -> CronJobStatus:
        """Make the job of `moment`. Raises StatusError."""
        if cron.spec.concurrency_policy == "Replace":
            running = [self.jobs.get(item.namespace, item.name) for item in status.active]
            gone = await self._delete(cron, [job for job in running if job is not None])
            status = plan.forgotten(status, gone)
            if status.active:
                raise StatusError(
                    code=409, reason="Conflict", message="could not replace the running job"
                )
        job = await self._create(cron, moment)
        if job is None or any(item.uid == job.uid for item in status.active):
            return status
        return msgspec.structs.replace(
            status,
            active=(*status.active, plan.reference_to(job)),
            last_schedule_time=timestamp(moment),
        )

    async def _create(self, cron: CronJob, moment: datetime) -> ObjectMeta | None:
        """The metadata of the job, made now or before; None where the one there is somebody's."""
        zone = ZoneInfo(cron.spec.time_zone or UTC_NAME)
        body = plan.job_for(cron, moment, zone)
        name = body["metadata"]["name"]
        try:
            written = await self.client.create(Job.resource, body)
        except (StatusError, ConnectionError) as error:
            if isinstance(error, StatusError) and error.reason == "AlreadyExists":
                there = await self.client.find(Job, name, cron.metadata.namespace)
                owner = there.controller if there is not None else None
                mine = owner is not None and owner.uid == cron.metadata.uid
                return there.metadata if there is not None and mine else None
            if lost(error):
                self.doubtful.add(cron.metadata.uid)
            if not namespace_going(error):
                await self._tell(cron, "FailedCreate", f"Error creating job: {error}")
            raise
        await self.jobs.reached(written["metadata"]["resourceVersion"])
        await self.events.record(cron, Note("SuccessfulCreate", f"Created job {name}"))
        return msgspec.convert(written["metadata"], ObjectMeta)

    async def _delete(self, cron: CronJob, jobs: Sequence[Job]) -> list[str]:
        """Delete the jobs with their pods; the uids of those where that went well."""
        gone = []
        for job in jobs:
            meta = job.metadata
            if meta.deletion_timestamp is not None:
                gone.append(meta.uid)
                continue
            try:
                await self.client.delete(
                    job.resource,
                    meta.name,
                    meta.namespace,
                    uid=meta.uid,
                    propagation="Background",
                )
            except (StatusError, ConnectionError) as error:
                await self._tell(cron, "FailedDelete", f"Deleted job: {error}")
                continue
            gone.append(meta.uid)
            note = Note("SuccessfulDelete", f"Deleted job {meta.name}")
            await self.events.record(cron, note)
        return gone

    async def _write(self, cron: CronJob, status: CronJobStatus) -> None:
        if status == cron.status:
            return
        meta = cron.metadata
        absent = dict.fromkeys(CronJobStatus.__struct_encode_fields__)
        body = {
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "status": {**absent, **msgspec.to_builtins(status)},
        }
        try:
            written = await self.client.merge(
                cron.resource, meta.name, meta.namespace, body, subresource="status"
            )
        except StatusError as error:
            if error.code != 404:
                raise
            return
        await self.crons.reached(written["metadata"]["resourceVersion"])

    def forget(self, old: CronJob | None, new: CronJob | None) -> None:
        """For the informer: what is gone is forgotten."""
        if old is not None and new is None:
            self.schedules.forget(old)
            self.doubtful.discard(old.metadata.uid)

    async def _tell(self, cron: CronJob, reason: str, message: str) -> None:
        await self.events.record(cron, Note(reason, message, "Warning"))


def cron_jobs(manager: Manager) -> Controller[CronJob]:
    """The controller, on the manager's caches."""
    crons, jobs = manager.informer(CronJob), manager.informer(Job)
    client, schedules = manager.client_as(NAME), Schedules()
    events = EventRecorder(client, manager.clock, COMPONENT)
    controller = CronJobs(client, manager.clock, crons, jobs, events, schedules)
    crons.subscribe(controller.forget)
    return Controller(name=NAME, informer=crons, reconcile=controller.reconcile, owns=(jobs,))
