"""Jobs and CronJobs: what has ended is counted, and counted once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from argosy.api.batch import CronJob, Job
from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.controllers.cronjobs import cron_jobs
from argosy.controllers.jobs.job import jobs
from argosy.controllers.jobs.orphans import job_orphans
from argosy.controllers.ttlafterfinished import ttl_after_finished
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import collect, conditions, finalizers, picked
from tests.simulation.world import Invariant, Json, Step, World, controller_uid

INDEX = "batch.kubernetes.io/job-completion-index"
TICK = "batch.kubernetes.io/cronjob-scheduled-timestamp"
COUNTS = ("succeeded", "failed", "active", "ready", "completedIndexes", "failedIndexes")


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(jobs(manager))
    manager.add(job_orphans(manager))
    manager.add(ttl_after_finished(manager))
    collect(manager, Pod.resource, Job.resource)


def _run_crons(manager: Manager, served: Sequence[Resource]) -> None:
    _run(manager, served)
    manager.add(cron_jobs(manager))


def _template(**spec: Any) -> Json:
    containers = [{"name": "c", "image": "i"}]
    return {"spec": {"containers": containers, "restartPolicy": "Never", **spec}}


def _job(**spec: Any) -> Json:
    return {
        "metadata": {"name": "j", "namespace": "default"},
        "spec": {"template": _template(), **spec},
    }


def _final(*fields: str) -> Callable[[World], Json]:
    def final(world: World) -> Json:
        found = [job["metadata"]["name"] for job in world.all(Job.resource)]
        return {
            "jobs": {
                job["metadata"]["name"]: picked(job, *fields) | conditions(job)
                for job in world.all(Job.resource)
            },
            "uncounted": [
                job["metadata"]["name"]
                for job in world.all(Job.resource)
                if any(job.get("status", {}).get("uncountedTerminatedPods", {}).values())
            ],
            "held": sum(bool(finalizers(pod)) for pod in world.all(Pod.resource)),
            "pods": bool(world.all(Pod.resource)) if found else len(world.all(Pod.resource)),
        }

    return final


def counted_once() -> Invariant:
    """No more pods are counted than have ended, and no count goes back."""
    ended: dict[tuple[str, str], set[str]] = {}

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource):
            for pod in (step.before, step.after):
                phase = pod["status"].get("phase") if pod is not None else None
                if pod is not None and phase in ("Succeeded", "Failed"):
                    of = ended.setdefault((controller_uid(pod), phase), set())
                    of.add(pod["metadata"]["uid"])
        if not step.concerns(Job.resource) or step.after is None:
            return
        before = (step.before or {}).get("status", {})
        after, uid = step.after.get("status", {}), step.after["metadata"]["uid"]
        for name in ("succeeded", "failed"):
            assert after.get(name, 0) >= before.get(name, 0), f"{name} went back"
        known = len(ended.get((uid, "Succeeded"), ()))
        assert after.get("succeeded", 0) <= known, f"{after} of {known} that succeeded"

    return check


def no_surplus(most: int) -> Invariant:
    """No more pods run at once than may."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource) and step.before is None:
            running = [
                pod
                for pod in world.all(Pod.resource)
                if pod["status"].get("phase") in ("Pending", "Running")
                and "deletionTimestamp" not in pod["metadata"]
            ]
            assert len(running) <= most, f"{len(running)} pods at once, {most} allowed"

    return check


async def _complete(user: User) -> None:
    await user.create(Job.resource, _job(completions=6, parallelism=3))
    await user.pause()
    if pods := user.world.all(Pod.resource):
        await user.delete(Pod.resource, pods[0]["metadata"]["name"])
    await user.pause()
    await user.merge(Job.resource, "j", {"spec": {"parallelism": 2}})


COMPLETE = {"Complete": "True CompletionsReached", "SuccessCriteriaMet": "True CompletionsReached"}
NOTHING_LEFT: Json = {"uncounted": [], "held": 0, "pods": True}

COMPLETIONS = Scenario(
    name="job-completions",
    controllers=_run,
    script=_complete,
    final=_final("succeeded", "active", "ready"),
    expected={"jobs": {"j": {"succeeded": 6, "ready": 0, **COMPLETE}}, **NOTHING_LEFT},
    invariants=(counted_once, lambda: no_surplus(3)),
    fate=lambda pod, age: "Succeeded" if age > 2 else "",
)


async def _index(user: User) -> None:
    body = _job(
        completions=5,
        parallelism=3,
        completionMode="Indexed",
        backoffLimitPerIndex=1,
        template=_template(),
    )
    await user.create(Job.resource, body)
    await user.pause()


def _third_fails(pod: Json, age: float) -> str:
    index = pod["metadata"].get("annotations", {}).get(INDEX)
    return ("Failed" if index == "2" else "Succeeded") if age > 2 else ""


FAILED_INDEXES = {
    "Failed": "True FailedIndexes",
    "FailureTarget": "True FailedIndexes",
}

INDEXED = Scenario(
    name="job-indexed",
    controllers=_run,
    script=_index,
    final=_final(*COUNTS),
    expected={
        "jobs": {
            "j": {
                "succeeded": 4,
                "failed": 2,
                "ready": 0,
                "completedIndexes": "0,1,3,4",
                "failedIndexes": "2",
                **FAILED_INDEXES,
            }
        },
        **NOTHING_LEFT,
    },
    invariants=(counted_once, lambda: no_surplus(3)),
    fate=_third_fails,
)


async def _fail(user: User) -> None:
    await user.create(Job.resource, _job(backoffLimit=2))
    await user.pause()


BACKOFF = Scenario(
    name="job-backoff",
    controllers=_run,
    script=_fail,
    final=_final(*COUNTS),
    expected={
        "jobs": {
            "j": {
                "failed": 3,
                "ready": 0,
                "Failed": "True BackoffLimitExceeded",
                "FailureTarget": "True BackoffLimitExceeded",
            }
        },
        **NOTHING_LEFT,
    },
    invariants=(counted_once, lambda: no_surplus(1)),
    fate=lambda pod, age: "Failed" if age > 1 else "",
)


async def _suspend(user: User) -> None:
    await user.create(Job.resource, _job(completions=4, parallelism=2))
    for suspended in (True, False, True, False):
        await user.pause(10)
        await user.merge(Job.resource, "j", {"spec": {"suspend": suspended}})


SUSPENDED = Scenario(
    name="job-suspend",
    controllers=_run,
    script=_suspend,
    final=lambda world: _without_suspended(_final("succeeded", "ready")(world)),
    expected={"jobs": {"j": {"succeeded": 4, "ready": 0, **COMPLETE}}, **NOTHING_LEFT},
    invariants=(counted_once, lambda: no_surplus(2)),
    fate=lambda pod, age: "Succeeded" if age > 8 else "",
)


def _without_suspended(final: Json) -> Json:
    """Whether it was ever seen suspended is a matter of luck."""
    for job in final["jobs"].values():
        job.pop("Suspended", None)
    return final


async def _expire(user: User) -> None:
    await user.create(Job.resource, _job(completions=3, ttlSecondsAfterFinished=20))
    await user.pause()


TTL = Scenario(
    name="job-ttl",
    controllers=_run,
    script=_expire,
    final=_final(*COUNTS),
    expected={"jobs": {}, "uncounted": [], "held": 0, "pods": 0},
    invariants=(counted_once,),
    fate=lambda pod, age: "Succeeded" if age > 2 else "",
)


async def _delete(user: User) -> None:
    await user.create(Job.resource, _job(completions=5, parallelism=2))
    await user.until(lambda: user.world.get(Job.resource, "j") is not None)
    await user.pause(10)
    policy = user.random.choice(("Background", "Foreground"))
    await user.delete(Job.resource, "j", policy)


DELETED = Scenario(
    name="job-deleted",
    controllers=_run,
    script=_delete,
    final=_final(*COUNTS),
    expected={"jobs": {}, "uncounted": [], "held": 0, "pods": 0},
    fate=lambda pod, age: "Succeeded" if age > 4 else "",
)


def one_a_tick() -> Invariant:
    """No two jobs are ever made for one tick."""
    ticks: set[str] = set()

    def check(world: World, step: Step) -> None:
        if step.concerns(Job.resource) and step.before is None and step.after is not None:
            tick = step.after["metadata"]["annotations"][TICK]
            assert tick not in ticks, f"another job for {tick}"
            ticks.add(tick)

    return check


def _over(job: Json) -> bool:
    said = conditions(job)
    return "Complete" in said or "Failed" in said


def never_beside() -> Invariant:
    """Forbid: none begins while another runs."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Job.resource) and step.before is None:
            running = [job for job in world.all(Job.resource) if not _over(job)]
            assert len(running) <= 1, f"{len(running)} jobs at once"

    return check


def _cron(policy: str) -> Callable[[User], Any]:
    async def script(user: User) -> None:
        body = {
            "metadata": {"name": "c", "namespace": "default"},
            "spec": {
                "schedule": "*/1 * * * *",
                "concurrencyPolicy": policy,
                "successfulJobsHistoryLimit": 2,
                "jobTemplate": {"spec": {"template": _template()}},
            },
        }
        await user.create(CronJob.resource, body)
        await user.until(lambda: sum(map(_over, user.world.all(Job.resource))) >= 2)
        await user.clock.sleep(120 + user.random.random() * 120)
        await user.merge(CronJob.resource, "c", {"spec": {"suspend": True}})

    return script


def _crons(world: World) -> Json:
    cron = world.get(CronJob.resource, "c") or {}
    return {
        "active": len(cron.get("status", {}).get("active") or ()),
        "jobs": [conditions(job) for job in world.all(Job.resource)],
        "held": sum(bool(finalizers(pod)) for pod in world.all(Pod.resource)),
        "pods": len(world.all(Pod.resource)),
    }


def _cron_scenario(policy: str, seconds: float, *invariants: Callable[[], Invariant]) -> Scenario:
    return Scenario(
        name=f"cronjob-{policy.lower()}",
        controllers=_run_crons,
        script=_cron(policy),
        final=_crons,
        expected={"active": 0, "jobs": [COMPLETE] * 2, "held": 0, "pods": 2},
        invariants=(one_a_tick, counted_once, *invariants),
        fate=lambda pod, age: "Succeeded" if age > seconds else "",
    )


FORBID = _cron_scenario("Forbid", 70, never_beside)
ALLOW = _cron_scenario("Allow", 90)
REPLACE = _cron_scenario("Replace", 20)

ENDED = replace(
    INDEXED,
    final=_final("completedIndexes", "failedIndexes"),
    expected={
        "jobs": {"j": {"completedIndexes": "0,1,3,4", "failedIndexes": "2", **FAILED_INDEXES}},
        **NOTHING_LEFT,
    },
)
"""As `INDEXED`, however many pods it took."""


def _ticked(world: World) -> Json:
    return {name: told for name, told in _crons(world).items() if name != "pods"}


TICKED = replace(
    FORBID,
    final=_ticked,
    expected={"active": 0, "jobs": [COMPLETE] * 2, "held": 0},
)
"""As `FORBID`, however many pods it took."""

JOBS = (COMPLETIONS, INDEXED, BACKOFF, SUSPENDED, TTL, DELETED, FORBID, ALLOW, REPLACE)
