"""Two instances without a leader: what one has counted the other does not count again."""

import asyncio

from argosy.api.core import Pod
from argosy.controllers.jobs.job import jobs
from argosy.runtime.manager import Manager
from tests.controllers.faults import LAG, Lagging, with_faults
from tests.controllers.jobs.kit import Work, add_jobs


async def test_a_pod_that_another_instance_has_counted() -> None:
    async with with_faults(Lagging, jobs) as (scene, _):
        manager = Manager(scene.client, scene.clock)
        add_jobs(manager)
        other = asyncio.create_task(manager.run())
        it = Work(scene.client, scene.clock, manager)
        await it.start(completions=50, parallelism=1)
        for count in range(1, 6):
            await it.clock.advance(3 * LAG)
            running = await it.pods("Pending")
            await it.end(running[0])
            # The one that lags hears of the count at once, and of the pod later.
            await it.clock.advance(3 * LAG)
            succeeded = (await it.job()).status.succeeded
            assert succeeded == len(await it.pods("Succeeded")) == count
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


async def test_a_pod_that_leaves_with_its_finalizer_is_counted_once() -> None:
    """The write that lets it go is its end, and the cache shows it as held for a while."""
    async with with_faults(Lagging, jobs) as (scene, _):
        it = Work(scene.client, scene.clock, scene.manager)
        await it.start(completions=50, parallelism=1)
        for count in range(1, 4):
            await it.clock.advance(3 * LAG)
            [running] = await it.pods("Pending")
            await it.client.delete(Pod.resource, running.metadata.name, "default")
            await it.end(running)
            for _ in range(30):
                await it.clock.advance(LAG / 10)
                assert (await it.job()).status.succeeded <= count
            assert (await it.job()).status.succeeded == count
