"""The job controller: reads, lets the pure modules beside it decide, writes.

A step: who is there (`picture`), whether it is over (`verdict`), who comes and goes (`staffing`),
and who comes into the counts (`tracking`). Source: kube-controller-manager's job controller.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from argosy.api.batch import Job, JobCondition, JobStatus
from argosy.api.core import Pod
from argosy.api.validation.selectors import parsed
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.base.selectors import Selector
from argosy.client.client import Client
from argosy.controllers.claiming import adopters
from argosy.controllers.jobs.memory import Memory
from argosy.controllers.jobs.orphans import let_go
from argosy.controllers.jobs.picture import Picture, look
from argosy.controllers.jobs.pods import FINALIZER
from argosy.controllers.jobs.staffing import Staffing, staffing
from argosy.controllers.jobs.template import pod_for
from argosy.controllers.jobs.tracking import (
    Staffed,
    as_patch,
    finished,
    held,
    settled,
    suspension,
    track,
)
from argosy.controllers.jobs.verdict import (
    REACHED,
    SUCCEEDING,
    complete,
    deadline,
    said,
    verdict,
)
from argosy.controllers.podcontrol import RECHECK, PodControl, pod_control
from argosy.controllers.podstates import ready
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/jobs"
COMPONENT = "job-controller"


@dataclass(frozen=True, slots=True)
class _Step:
    """What became of the pods: what there is now, whether the job ends, and what went wrong."""

    staffed: Staffed
    end: JobCondition | None = None
    fault: Exception | None = None
    after: float | None = None


@dataclass(frozen=True)
class Jobs:
    """Runs pods to their end."""

    client: Client
    clock: Clock
    jobs: Informer[Job]
    control: PodControl
    events: EventRecorder
    memory: Memory

    async def reconcile(self, job: Job) -> Result:
        """Bring `job` one step on. Raises what the pods' writes raised, after the status."""
        if job.foreign or job.ended is not None:
            return DONE
        if not await self.control.settled(job):
            return Result(RECHECK)
        now = self.clock.now()
        pods = await self._pods(job)
        if any(pod.controller is None for pod in pods):
            return Result(RECHECK)  # adopted: the cache shows them in a moment
        picture = look(job, pods, self.memory.backoff(job))
        step = await self._staff(picture, now)
        again = await self._track(picture, step, now)
        if step.fault is not None:
            raise step.fault
        left = deadline(job, now) if step.end is None else None
        waits = [wait for wait in (step.after, left, again) if wait is not None]
        return Result(max(min(waits), 0.0)) if waits else DONE

    async def _pods(self, job: Job) -> list[Pod]:
        """The job's pods, and those that it adopts."""
        known = self.control.candidates(job)
        selector = selector_of(job)
        mine = await self.control.claim(job, selector, known, finalizers=(FINALIZER,))
        return self.memory.present(mine)

    async def _staff(self, picture: Picture, now: datetime) -> _Step:
        """Make pods and take some away, as the verdict is."""
        end = verdict(picture, now)
        unchanged = Staffed(
            active=len(picture.active), ready=picture.ready, terminating=picture.terminating
        )
        plan = Staffing()
        if end is None and picture.job.metadata.deletion_timestamp is None:
            plan = staffing(picture, now)
        leaving = plan.delete if end is None else picture.active
        try:
            if end is None:
                await self._release_all(picture.job, leaving)
            await self.control.delete(picture.job, leaving)
            wanted = [pod_for(picture.job, index, picture.kept) for index in plan.create]
            await self.control.create(picture.job, wanted)
        except (StatusError, ConnectionError) as error:
            return _Step(unchanged, fault=error)
        staffed = Staffed(
            active=unchanged.active - len(leaving) + len(plan.create),
            ready=unchanged.ready - sum(map(ready, leaving)),
            terminating=unchanged.terminating + len(leaving),
        )
        if end is None and complete(picture, staffed.active):
            end = said(SUCCEEDING, "CompletionsReached", REACHED, now)
        return _Step(staffed, end, after=plan.after)

    async def _track(self, picture: Picture, step: _Step, now: datetime) -> float | None:
        """Bring the counts on; the seconds after which there is more to do."""
        job, status, news = picture.job, picture.job.status, ""
        if status.start_time is None and not job.spec.suspend:
            status = msgspec.structs.replace(status, start_time=timestamp(now))
        if step.end is None and step.fault is None and job.metadata.deletion_timestamp is None:
            status, news = suspension(status, job.spec.suspend, now)
        plan = track(picture, status, step.staffed, step.end)
        if plan.release and not self.memory.sure(job):
            self.control.expectations.doubt(job.metadata.uid)
            self.memory.wrote(job, job.metadata.resource_version)  # once the doubt is over
            return 0.0
        revision = await self._write(job, job.status, plan.status, job.metadata.resource_version)
        if not revision:
            return None
        self.memory.remember(job, picture.backoff)
        if news:
            await self.events.record(job, Note(news, f"Job {news.lower()}"))
        gone, fault = await self._release(job, plan.release)
        status = settled(plan.status, held(picture.pods) - gone)
        last = None
        if step.end is not None and fault is None and not plan.more:
            last = finished(job, status, step.end, now)
        await self._write(job, plan.status, last or status, revision)
        if fault is not None:
            raise fault
        if last is not None:
            await self._tell_end(job, last)
        return 0.0 if plan.more else None

    async def _write(self, job: Job, old: JobStatus, new: JobStatus, revision: str) -> str:
        """Write the status over the one of `revision`; the new revision, '' if the job is gone."""
        if old == new:
            return revision
        meta = job.metadata
        body = {
            "metadata": {"uid": meta.uid, "resourceVersion": revision},
            "status": as_patch(new),
        }
        try:
            written = await self.client.merge(
                job.resource, meta.name, meta.namespace, body, subresource="status"
            )
        except StatusError as error:
            if error.code != 404:
                raise
            return ""
        told = str(written["metadata"]["resourceVersion"])
        await self.jobs.reached(told)
        self.memory.wrote(job, told)
        return told

    async def _release_all(self, job: Job, pods: Sequence[Pod]) -> None:
        """Take the finalizer off pods that shall leave without being counted."""
        _, fault = await self._release(job, pods)
        if fault is not None:
            raise fault

    async def _release(self, job: Job, pods: Sequence[Pod]) -> tuple[set[str], Exception | None]:
        """The uids of those pods that have no finalizer now, and a failure, if there was one."""
        writes = (let_go(self.client, pod) for pod in pods)
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        gone: set[str] = set()
        fault: Exception | None = None
        for pod, outcome in zip(pods, outcomes, strict=True):
            if isinstance(outcome, StatusError | ConnectionError):
                fault = fault or outcome
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            gone.add(pod.metadata.uid)
            if outcome is None:
                self.memory.vanished(pod)
            else:
                self.control.expectations.wrote(job.metadata.uid, outcome)
        return gone, fault

    async def _tell_end(self, job: Job, status: JobStatus) -> None:
        end = status.conditions[-1]
        if end.type == "Failed":
            await self.events.record(job, Note(end.reason, end.message, "Warning"))
            return
        wanted = job.spec.completions
        if wanted is not None and status.succeeded > wanted:
            message = "Too many succeeded pods running after completion count reached"
            await self.events.record(job, Note("TooManySucceededPods", message, "Warning"))
        await self.events.record(job, Note("Completed", "Job completed"))


def selector_of(job: Job) -> Selector:
    """Which pods are the job's. The server lets no other selectors in than can be read."""
    selector = parsed(job.spec.selector)
    assert selector is not None
    return selector


def jobs(manager: Manager) -> Controller[Job]:
    """The controller, on the manager's caches."""
    informer, control = manager.informer(Job), pod_control(manager, NAME, COMPONENT)
    control.expectations.follow(informer)
    controller = Jobs(
        manager.client_as(NAME),
        manager.clock,
        informer,
        control,
        control.events,
        Memory(informer, control.pods),
    )
    return Controller(
        name=NAME,
        informer=informer,
        reconcile=controller.reconcile,
        owns=(control.pods,),
        watches=(Watch(control.pods, adopters(informer, selector_of)),),
    )
