"""What is known beside what is written, and that it is forgotten again."""

from typing import Any

from argosy.api.batch import Job, JobCondition, JobStatus
from argosy.api.core import Pod
from argosy.api.meta import ObjectMeta
from argosy.controllers.jobs.backoff import Backoff
from argosy.controllers.jobs.memory import Memory
from argosy.runtime.informer import Informer
from argosy.testing.clock import EPOCH, FakeClock
from argosy.testing.cluster import cluster
from tests.controllers.jobs.kit import Work, working

META = ObjectMeta(name="j", namespace="n", uid="1")
JOB = Job(metadata=META)
POD = Pod(metadata=META)
OVER = Job(
    metadata=META, status=JobStatus(conditions=(JobCondition(type="Complete", status="True"),))
)


async def test_failures_until_the_end() -> None:
    async with cluster(clock=FakeClock()) as running:
        told: list[Any] = []
        jobs, pods = running.manager.informer(Job), running.manager.informer(Pod)
        jobs.subscribe = told.append  # type: ignore[assignment,method-assign]
        pods.subscribe = told.append  # type: ignore[assignment,method-assign]
        memory = Memory(jobs, pods)
        of_job, of_pod = told
        failed = Backoff(3, EPOCH)
        assert memory.backoff(JOB) == Backoff()
        for end in (OVER, None):
            memory.remember(JOB, failed)
            of_job(JOB, JOB)
            assert memory.backoff(JOB) == failed
            of_job(JOB, end)
            assert memory.backoff(JOB) == Backoff()
        memory.remember(JOB, failed)
        memory.remember(JOB, Backoff())
        assert memory.backoff(JOB) == Backoff()
        assert memory.present([POD]) == [POD]
        memory.vanished(POD)
        assert memory.present([POD]) == []
        of_pod(POD, None)
        assert memory.present([POD]) == [POD]


async def test_a_pod_that_is_gone_before_it_is_let_go() -> None:
    """The cache has it still when the patch is refused: it is counted once."""
    async with working() as it:
        await it.start(completions=2)
        (pod,) = await it.pods()
        await slow(it, it.manager.informer(Pod), pod)
        job = await it.job()
        assert (job.status.succeeded, job.status.failed) == (0, 1)


async def slow(it: Work, pods: Informer[Pod], pod: Pod) -> None:
    """The pod fails and goes for good, and of that the cache hears the failure only."""
    meta, take = pod.metadata, pods._take
    await it.client.bind(meta.name, "default", "node")
    await it.quiet()
    kept: list[Any] = []

    def lag(event: Any) -> None:
        if event.object.metadata.name == meta.name and not event.object.metadata.finalizers:
            kept.append(event)
        else:
            take(event)

    pods._take = lag  # type: ignore[method-assign]
    await it.client.merge(
        Pod.resource, meta.name, "default", {"status": {"phase": "Failed"}}, subresource="status"
    )
    patch = {"metadata": {"finalizers": None}}
    await it.client.merge(Pod.resource, meta.name, "default", patch)
    await it.client.delete(Pod.resource, meta.name, "default", grace=0)
    await it.quiet()
    await it.clock.advance(5)
    assert kept
    pods._take = take  # type: ignore[method-assign]
    for event in kept:
        take(event)
    await it.quiet()
