"""Jobs go some time after their end."""

from argosy.api.batch import Job
from argosy.controllers.ttlafterfinished import ttl_after_finished
from argosy.runtime.manager import Manager
from tests.controllers.jobs.kit import Work, add_jobs
from tests.controllers.kit import controlled


def add(manager: Manager) -> None:
    add_jobs(manager)
    manager.add(ttl_after_finished(manager))


async def there(it: Work, name: str = "j") -> bool:
    """Whether the job is there, and stays."""
    await it.quiet()
    job = await it.client.find(Job, name, "default")
    return job is not None and job.metadata.deletion_timestamp is None


async def test_when_its_time_is_over() -> None:
    async with controlled(add) as scene:
        it = Work(scene.client, scene.clock, scene.manager)
        await it.start(ttlSecondsAfterFinished=100)
        await it.clock.advance(500)
        assert await there(it)
        await it.end((await it.pods())[0])
        await it.clock.advance(99)
        assert await there(it)
        await it.clock.advance(2)
        assert not await there(it)
        job = await it.client.get(Job, "j", "default")
        assert job.metadata.finalizers == ("foregroundDeletion",)  # with its pods


async def test_more_time_is_given() -> None:
    async with controlled(add) as scene:
        it = Work(scene.client, scene.clock, scene.manager)
        await it.start(ttlSecondsAfterFinished=100, completions=0)
        await it.clock.advance(90)
        await it.change(ttlSecondsAfterFinished=200)
        await it.clock.advance(50)
        assert await there(it)
        await it.clock.advance(61)
        assert not await there(it)


async def test_none_and_at_once() -> None:
    async with controlled(add) as scene:
        it = Work(scene.client, scene.clock, scene.manager)
        await it.start("stays", completions=0)
        await it.start("goes", completions=0, ttlSecondsAfterFinished=0)
        await it.clock.advance(1e6)
        assert await there(it, "stays") and not await there(it, "goes")
