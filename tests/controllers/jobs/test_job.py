"""Jobs from their beginning to their end, with pods played by hand."""

import pytest

from argosy.api.core import Pod
from argosy.client.watching import WatchEvent
from tests.controllers.jobs.kit import states, working


async def test_completions_and_parallelism() -> None:
    async with working() as it:
        job = await it.start(completions=3, parallelism=2)
        assert job.status.active == 2 and job.status.ready == 0 and job.status.start_time
        assert job.status.uncounted_terminated_pods is not None
        first, second = await it.pods()
        assert first.metadata.finalizers == ("batch.kubernetes.io/job-tracking",)
        await it.end(first)
        job = await it.job()
        assert (job.status.active, job.status.succeeded) == (2, 1)
        assert (await it.pods("Succeeded"))[0].metadata.finalizers == ()
        for pod in await it.pods("Pending"):
            await it.end(pod)
        job = await it.job()
        assert (job.status.active, job.status.succeeded, job.status.failed) == (0, 3, 0)
        assert states(job) == {
            "SuccessCriteriaMet": "CompletionsReached",
            "Complete": "CompletionsReached",
        }
        assert job.status.completion_time is not None
        assert len(await it.pods()) == 3
        assert (await it.told()).count("SuccessfulCreate") == 3
        assert "Completed" in await it.told()


async def test_work_queue_ends_with_a_success() -> None:
    """Without `completions` one success is enough; the others are waited for, none is made."""
    async with working() as it:
        job = await it.start(parallelism=3)
        assert job.status.active == 3
        first, second, third = await it.pods()
        await it.end(first)
        assert (await it.job()).status.active == 2
        await it.end(second, "Failed")
        assert states(await it.job()) == {}
        await it.end(third)
        job = await it.job()
        assert "Complete" in states(job)
        assert (job.status.succeeded, job.status.failed) == (2, 1)


async def test_failures_wait_ever_longer_until_the_limit() -> None:
    async with working() as it:
        await it.start(backoffLimit=2)
        for pause in (10.0, 20.0):
            await it.exit((await it.pods("Pending"))[0], 1)
            assert await it.pods("Pending") == []
            await it.clock.advance(pause - 1)
            assert await it.pods("Pending") == []
            await it.clock.advance(2)
            assert len(await it.pods("Pending")) == 1
        await it.exit((await it.pods("Pending"))[0], 1)
        job = await it.job()
        assert states(job) == dict.fromkeys(("FailureTarget", "Failed"), "BackoffLimitExceeded")
        assert (job.status.failed, job.status.active) == (3, 0)
        assert job.status.completion_time is None
        assert "BackoffLimitExceeded" in await it.told()


async def test_a_success_takes_the_pause_away() -> None:
    async with working() as it:
        await it.start(completions=3, parallelism=1)
        await it.exit((await it.pods("Pending"))[0], 1)
        await it.clock.advance(11)
        await it.exit((await it.pods("Pending"))[0], 0)
        assert len(await it.pods("Pending")) == 1
        await it.clock.advance(5)
        await it.exit((await it.pods("Pending"))[0], 1)
        await it.clock.advance(11)
        assert len(await it.pods("Pending")) == 1  # the first pause again, not the second


async def test_failing_takes_what_runs_away_and_counts_it() -> None:
    async with working() as it:
        await it.start(parallelism=3, completions=3, backoffLimit=0)
        await it.exit((await it.pods())[0], 1)
        job = await it.job()
        assert states(job) == dict.fromkeys(("FailureTarget", "Failed"), "BackoffLimitExceeded")
        assert (job.status.failed, job.status.active, job.status.terminating) == (3, 0, 0)
        assert len(await it.pods()) == 1


async def test_the_end_waits_for_pods_that_are_going() -> None:
    async with working() as it:
        await it.start(parallelism=2, completions=2, backoffLimit=0)
        first, second = await it.pods()
        await it.client.bind(second.metadata.name, "default", "node")
        await it.say(second, phase="Running")
        await it.exit(first, 1)
        job = await it.job()
        assert states(job) == {"FailureTarget": "BackoffLimitExceeded"}
        assert job.status.terminating == 1
        await it.gone(second)
        job = await it.job()
        assert "Failed" in states(job) and job.status.failed == 2


async def test_deadline() -> None:
    async with working() as it:
        await it.start(activeDeadlineSeconds=60)
        await it.clock.advance(59)
        assert states(await it.job()) == {}
        await it.clock.advance(1)
        job = await it.job()
        assert states(job)["Failed"] == "DeadlineExceeded"
        assert await it.pods() == []


async def test_suspend_and_resume() -> None:
    async with working() as it:
        job = await it.start(parallelism=2, completions=2, activeDeadlineSeconds=60)
        began = job.status.start_time
        await it.clock.advance(50)
        job = await it.change(suspend=True)
        assert await it.pods() == []
        assert states(job) == {"Suspended": "JobSuspended"}
        assert (job.status.active, job.status.failed, job.status.start_time) == (0, 0, None)
        await it.clock.advance(500)
        job = await it.change(suspend=False)
        assert job.status.start_time is not None and job.status.start_time != began
        (told,) = job.status.conditions
        assert (told.status, told.reason, told.message) == ("False", "JobResumed", "Job resumed")
        assert job.status.active == len(await it.pods()) == 2
        told_of = await it.told()
        assert "Suspended" in told_of and "Resumed" in told_of


async def test_a_job_that_begins_suspended() -> None:
    async with working() as it:
        job = await it.start(suspend=True)
        assert job.status.start_time is None and await it.pods() == []
        assert states(job) == {"Suspended": "JobSuspended"}


async def test_fewer_at_a_time() -> None:
    async with working() as it:
        await it.start(parallelism=3, completions=5)
        await it.say((await it.pods())[1], phase="Running")
        job = await it.change(parallelism=1)
        assert job.status.active == 1 and job.status.failed == 0
        assert [pod.status.phase for pod in await it.pods()] == ["Running"]
        assert (await it.change(parallelism=4)).status.active == 4


async def test_managed_by_somebody_else() -> None:
    async with working() as it:
        job = await it.start(managedBy="example.com/other")
        assert await it.pods() == [] and job.status.start_time is None
        await it.start("mine", managedBy="kubernetes.io/job-controller")
        assert len(await it.pods()) == 1


@pytest.mark.parametrize(("policy", "count"), [("TerminatingOrFailed", 2), ("Failed", 1)])
async def test_pod_replacement(policy: str, count: int) -> None:
    async with working() as it:
        await it.start(podReplacementPolicy=policy)
        (pod,) = await it.pods()
        await it.client.bind(pod.metadata.name, "default", "node")
        await it.say(pod, phase="Running")
        await it.client.delete(Pod.resource, pod.metadata.name, "default")
        await it.quiet()
        await it.clock.advance(11)  # what was deleted counts as a failure, where it is replaced
        assert len(await it.pods()) == count
        job = await it.job()
        assert (job.status.terminating, job.status.active) == (1, count - 1)
        assert job.status.failed == count - 1
        await it.say(pod, phase="Failed")
        await it.gone(pod)
        await it.clock.advance(11)
        job = await it.job()
        assert (job.status.failed, job.status.active, job.status.terminating) == (1, 1, 0)


async def test_restarts_in_place_count() -> None:
    async with working() as it:
        await it.start(backoffLimit=2, policy="OnFailure")
        (pod,) = await it.pods()
        status = {"name": "c", "image": "i", "imageID": "", "ready": False, "state": {}}
        await it.say(pod, phase="Running", containerStatuses=[{**status, "restartCount": 1}])
        assert states(await it.job()) == {}
        await it.say(pod, phase="Running", containerStatuses=[{**status, "restartCount": 2}])
        assert states(await it.job())["Failed"] == "BackoffLimitExceeded"


async def test_nothing_to_do() -> None:
    async with working() as it:
        assert "Complete" in states(await it.start(completions=0))
        assert "Complete" not in states(await it.start("none", parallelism=0))


async def test_ready_pods() -> None:
    async with working() as it:
        await it.start(parallelism=2)
        ready = [{"type": "Ready", "status": "True"}]
        await it.say((await it.pods())[0], phase="Running", conditions=ready)
        assert (await it.job()).status.ready == 1


async def test_adopted_and_released() -> None:
    async with working() as it:
        await it.start(manualSelector=True, selector={"matchLabels": {"a": "b"}}, labels={"a": "b"})
        (pod,) = await it.pods()
        meta = {"name": "alone", "namespace": "default", "labels": {"a": "b"}}
        spec = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}
        await it.client.create(Pod.resource, {"metadata": meta, "spec": spec})
        await it.quiet()
        left = await it.pods()
        assert len(left) == 1 and left[0].metadata.finalizers  # one too many: one went
        assert (await it.job()).status.active == 1
        patch = {"metadata": {"labels": {"a": "c"}}}
        await it.client.merge(Pod.resource, left[0].metadata.name, "default", patch)
        first, second = await it.pods()
        assert first.controller is None and first.metadata.finalizers == ()
        assert second.controller is not None


async def test_orphans_lose_the_finalizer() -> None:
    async with working() as it:
        job = await it.start()
        body = {"propagationPolicy": "Orphan"}
        await it.client.call("DELETE", job.resource.path("j", "default"), {}, body)
        await it.client.merge(job.resource, "j", "default", {"metadata": {"finalizers": None}})
        await it.quiet()
        (pod,) = await it.pods()
        assert pod.metadata.finalizers == ()


async def test_a_refused_template_does_not_spin() -> None:
    async with working() as it:
        quota = {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "0"}}}
        await it.client.call("POST", "/api/v1/namespaces/default/resourcequotas", {}, quota)
        job = await it.start()
        assert job.status.active == 0 and await it.pods() == []
        assert "FailedCreate" in await it.told()
        version = job.metadata.resource_version
        await it.clock.advance(30)
        assert (await it.job()).metadata.resource_version == version
        await it.client.call("DELETE", "/api/v1/namespaces/default/resourcequotas/q")
        await it.clock.advance(60)
        assert (await it.job()).status.active == 1


async def test_a_cache_that_lags() -> None:
    """Nothing is made or counted a second time while the cache does not show the first."""
    async with working() as it:
        pods = it.manager.informer(Pod)
        held: list[WatchEvent[Pod]] = []
        take = pods._take
        pods._take = held.append  # type: ignore[method-assign,assignment]
        job = await it.start(parallelism=2, completions=5)
        assert job.status.active == len(await it.pods()) == 2
        await it.change(parallelism=3)
        await it.clock.advance(60)
        assert len(await it.pods()) == 2
        pods._take = take  # type: ignore[method-assign]
        for event in held:
            take(event)
        assert (await it.job()).status.active == len(await it.pods()) == 3
