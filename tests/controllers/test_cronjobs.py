"""CronJobs through days and changes of the clock, in virtual time."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from argosy.api.batch import CronJob, Job
from argosy.api.core import Event
from argosy.api.meta import owned
from argosy.client.client import Client
from argosy.controllers.cronjobs import cron_jobs
from argosy.http.message import Request, Response
from argosy.testing.clock import EPOCH, FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.faults import Counting, with_faults
from tests.controllers.jobs.kit import job_body

Json = dict[str, Any]
HOUR = 3600.0


@dataclass
class Time:
    """A cluster with the controller, and its clock."""

    client: Client
    clock: FakeClock

    async def start(self, schedule: str = "0 * * * *", name: str = "c", **spec: Any) -> None:
        template = {"spec": job_body()["spec"], "metadata": {"labels": {"a": "b"}}}
        spec = {"schedule": schedule, "jobTemplate": template, **spec}
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        await self.client.create(CronJob.resource, body)
        await settle(200)

    async def jobs(self) -> list[Job]:
        await settle(200)
        return (await self.client.list(Job, "default")).items

    async def cron(self) -> CronJob:
        await settle(200)
        return await self.client.get(CronJob, "c", "default")

    async def change(self, **spec: Any) -> None:
        await self.client.merge(CronJob.resource, "c", "default", {"spec": spec})
        await settle(200)

    async def finish(self, job: Job, kind: str = "Complete") -> None:
        """The job comes to its end, as its controller says it."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        target = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind]
        conditions = [
            {"type": item, "status": "True", "reason": "R", "lastTransitionTime": now}
            for item in (target, kind)
        ]
        status: Json = {"conditions": conditions, "startTime": now}
        if kind == "Complete":
            status["completionTime"] = now
        meta = job.metadata
        await self.client.merge(
            job.resource, meta.name, "default", {"status": status}, subresource="status"
        )
        await settle(200)

    async def told(self) -> list[str]:
        await settle(200)
        events = (await self.client.list(Event, "default")).items
        return sorted({event.reason for event in events})


@asynccontextmanager
async def ticking(start: datetime = EPOCH) -> AsyncGenerator[Time, None]:
    clock = FakeClock(start)
    async with cluster(clock=clock) as running:
        running.manager.add(cron_jobs(running.manager))
        running.start()
        await settle(100)
        yield Time(running.client, clock)


def active(cron: CronJob) -> list[str]:
    return [item.name for item in cron.status.active]


async def test_a_job_each_hour() -> None:
    async with ticking() as it:
        await it.start()
        assert await it.jobs() == []
        await it.clock.advance(HOUR + 1)
        (job,) = await it.jobs()
        minute = int((EPOCH.timestamp() + HOUR) // 60)
        assert job.metadata.name == f"c-{minute}"
        assert job.metadata.labels == {"a": "b"}
        stamp = job.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        assert stamp == "2026-01-01T01:00:00Z"
        assert job.controller is not None and job.controller.name == "c"
        cron = await it.cron()
        assert active(cron) == [job.metadata.name]
        assert cron.status.last_schedule_time == "2026-01-01T01:00:00Z"
        assert cron.status.active[0].uid == job.metadata.uid
        await it.clock.advance(HOUR)
        assert len(await it.jobs()) == len((await it.cron()).status.active) == 2
        assert await it.told() == ["SuccessfulCreate"]


async def test_what_became_of_jobs() -> None:
    async with ticking() as it:
        await it.start()
        await it.clock.advance(HOUR + 60)
        (job,) = await it.jobs()
        await it.finish(job)
        cron = await it.cron()
        assert active(cron) == []
        assert cron.status.last_successful_time == "2026-01-01T01:01:00Z"
        await it.clock.advance(HOUR)
        last = (await it.jobs())[-1].metadata
        await it.client.delete(Job.resource, last.name, "default", propagation="Background")
        assert active(await it.cron()) == []
        told = await it.told()
        assert "SawCompletedJob" in told and "MissingJob" in told


async def test_history() -> None:
    async with ticking() as it:
        await it.start(successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0)
        for kind in ("Complete", "Complete", "Failed"):
            await it.clock.advance(HOUR + 1)
            await it.finish((await it.jobs())[-1], kind)
        jobs = [job for job in await it.jobs() if job.metadata.deletion_timestamp is None]
        assert [job.ended.type for job in jobs if job.ended] == ["Complete"]
        assert jobs[0].status.completion_time == "2026-01-01T02:00:02Z"
        assert "SuccessfulDelete" in await it.told()


async def test_forbid_waits_for_the_last_one() -> None:
    async with ticking() as it:
        await it.start(concurrencyPolicy="Forbid")
        await it.clock.advance(2 * HOUR + 1)
        (job,) = await it.jobs()
        assert "JobAlreadyActive" in await it.told()
        await it.clock.advance(60)
        await it.finish(job)
        assert len(await it.jobs()) == 2  # what was due meanwhile is made up for
        assert (await it.cron()).status.last_schedule_time == "2026-01-01T02:00:00Z"


async def test_replace_takes_the_last_one_away() -> None:
    async with ticking() as it:
        await it.start(concurrencyPolicy="Replace")
        await it.clock.advance(HOUR + 1)
        (first,) = await it.jobs()
        await it.clock.advance(HOUR)
        left = [job for job in await it.jobs() if job.metadata.deletion_timestamp is None]
        assert len(left) == 1 and left[0].metadata.name != first.metadata.name
        assert active(await it.cron()) == [left[0].metadata.name]


async def test_suspended() -> None:
    async with ticking() as it:
        await it.start(suspend=True)
        await it.clock.advance(3 * HOUR + 60)
        assert await it.jobs() == []
        await it.change(suspend=False)
        (job,) = await it.jobs()  # the last one that was missed, and only that
        assert (await it.cron()).status.last_schedule_time == "2026-01-01T03:00:00Z"


async def test_too_late() -> None:
    async with ticking() as it:
        await it.start(suspend=True, startingDeadlineSeconds=30)
        await it.clock.advance(HOUR + 60)
        await it.change(suspend=False)
        assert await it.jobs() == []
        await it.clock.advance(HOUR - 60 + 1)
        assert len(await it.jobs()) == 1


async def test_very_many_missed_ones() -> None:
    async with ticking() as it:
        await it.start("* * * * *", suspend=True)
        await it.clock.advance(101 * 60)
        assert "TooManyMissedTimes" not in await it.told()
        await it.clock.advance(120)
        await it.change(suspend=False)
        assert "TooManyMissedTimes" in await it.told()
        assert len(await it.jobs()) == 1


async def test_another_schedule_makes_up_for_nothing() -> None:
    async with ticking() as it:
        await it.start("0 0 * * *")
        await it.clock.advance(5 * HOUR + 60)
        await it.change(schedule="0 * * * *")
        assert await it.jobs() == []
        await it.clock.advance(HOUR)
        assert len(await it.jobs()) == 1


async def test_zones_and_changed_clocks() -> None:
    async with ticking(datetime(2026, 3, 28, 0, 0, tzinfo=UTC)) as it:
        await it.start("30 7 * * *", timeZone="Europe/Berlin")
        await it.clock.advance(48 * HOUR)
        stamps = [
            job.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
            for job in await it.jobs()
        ]
        assert stamps == ["2026-03-28T07:30:00+01:00", "2026-03-29T07:30:00+02:00"]


async def test_made_before_but_not_noted() -> None:
    """As after a crash between the job and the status."""
    async with ticking() as it:
        await it.start()
        await it.clock.advance(HOUR + 1)
        (job,) = await it.jobs()
        status = {"status": {"active": None, "lastScheduleTime": None}}
        await it.client.merge(CronJob.resource, "c", "default", status, subresource="status")
        cron = await it.cron()
        assert await it.jobs() == [job] and active(cron) == [job.metadata.name]
        assert cron.status.last_schedule_time == "2026-01-01T01:00:00Z"


async def test_forbid_knows_of_a_job_that_was_not_noted() -> None:
    """As after a crash between the job and the status, and a long time until the next start."""
    async with ticking() as it:
        await it.start(suspend=True)
        cron = await it.cron()
        made = job_body("c-1")
        made["metadata"]["ownerReferences"] = [owned(cron)]
        await it.client.create(Job.resource, made)
        await it.change(suspend=False, concurrencyPolicy="Forbid")
        await it.clock.advance(HOUR + 1)
        (job,) = await it.jobs()
        assert "JobAlreadyActive" in await it.told()
        await it.finish(job)
        await it.clock.advance(HOUR)
        assert len(await it.jobs()) == 2


class Losing(Counting):
    """The answer to the first new job gets lost, others can't be made for a while; and for five
    minutes the cache hears of no job.
    """

    made = 0

    async def send(self, request: Request) -> Response:
        jobs, now = request.path.endswith("/jobs"), self._clock.monotonic()
        if not jobs or request.method != "POST":
            response = await super().send(request)
            if not jobs or isinstance(response.body, bytes):
                return response
            return replace(response, body=self._held(response.body))
        if self.made and now < 115:
            raise ConnectionError("nobody listens")
        self.made += 1
        response = await super().send(request)
        if self.made == 1:
            raise ConnectionError("the connection broke")
        return response

    async def _held(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            await self._clock.sleep(300 - self._clock.monotonic())
            yield piece


async def test_an_answer_that_is_lost_makes_no_second_job() -> None:
    async with with_faults(Losing, cron_jobs) as (scene, way):
        it = Time(scene.client, scene.clock)
        await it.start("*/1 * * * *", concurrencyPolicy="Forbid")
        await scene.clock.advance(400)
        assert way.made == 1


async def test_a_job_that_is_in_the_way() -> None:
    async with ticking() as it:
        minute = int((EPOCH.timestamp() + HOUR) // 60)
        await it.client.create(Job.resource, job_body(f"c-{minute}"))
        await it.start()
        await it.clock.advance(HOUR + 1)
        assert len(await it.jobs()) == 1 and active(await it.cron()) == []


async def test_a_job_that_somebody_made() -> None:
    async with ticking() as it:
        await it.start()
        cron = await it.cron()
        body = job_body("by-hand")
        owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "controller": True}
        body["metadata"]["ownerReferences"] = [{**owner, "uid": cron.metadata.uid}]
        await it.client.create(Job.resource, body)
        assert "UnexpectedJob" in await it.told()
        assert active(await it.cron()) == []


async def test_a_day_that_never_comes() -> None:
    async with ticking() as it:
        await it.start("59 23 31 2 *")
        assert await it.told() == ["InvalidSchedule"] and await it.jobs() == []


async def test_a_template_that_is_refused() -> None:
    async with ticking() as it:
        quota = {"metadata": {"name": "q"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
        await it.client.call("POST", "/api/v1/namespaces/default/resourcequotas", {}, quota)
        await it.start()
        await it.clock.advance(HOUR + 10)
        assert await it.jobs() == [] and await it.told() == ["FailedCreate"]
        await it.client.call("DELETE", "/api/v1/namespaces/default/resourcequotas/q")
        await it.clock.advance(120)
        (job,) = await it.jobs()
        raw = json.loads(
            await it.client.call("GET", job.resource.path(job.metadata.name, "default"))
        )
        assert raw["spec"]["template"]["spec"]["containers"][0]["image"] == "i"
