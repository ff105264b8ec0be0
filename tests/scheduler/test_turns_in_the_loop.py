"""Whose turn it is: others have time between long decisions, a gang waits until it is there."""

from argosy.api.core import Pod
from argosy.scheduler.framework import Plugin, Survey
from argosy.scheduler.loop import Scheduler
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.profiles import DEFAULT_SCHEDULER, Profile, Setup
from argosy.scheduler.queue import QUIET
from argosy.scheduler.state import State
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import group
from tests.scheduler.test_loop import make, make_node, make_pod, placed, refused, scheduling

SLOW = 0.25


class SlowClock(FakeClock):
    """A clock by which every look of a plugin takes some time."""

    def spend(self, state: State, pod: Pod) -> Survey | None:
        self._elapsed += SLOW
        return None


async def bound(running: Cluster) -> int:
    return sum(placed(pod) for pod in (await running.client.list(Pod, "default")).items)


async def test_after_a_long_decision_others_have_as_much_time() -> None:
    clock = SlowClock()
    slow = Plugin(name="Slow", survey=clock.spend)
    setup = Setup(profiles=(Profile(DEFAULT_SCHEDULER, (*PLUGINS, slow)),))
    async with cluster(clock=clock) as running:
        await make_node(running.client, "n")
        for number in range(3):
            await make_pod(running.client, f"p{number}")
        running.manager.add_runner(Scheduler(running.manager, setup).run)
        running.start()
        await settle()
        assert await bound(running) == 1
        for number in (2, 3):
            await clock.advance(2 * SLOW)  # the rest, and the next look
            assert await bound(running) == number


async def test_a_gang_that_is_still_coming_is_not_told_what_is_missing() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make(client, group(least=3))
        for name in ("p0", "p1"):
            await make_pod(client, name, gang="g")
            await settle()
            await clock.advance(QUIET - 1)
        pod = await client.get(Pod, "p0", "default")
        assert not pod.status.conditions
        await clock.advance(1)
        text = 'gang "g": waiting for pods, 3 are needed'
        for name in ("p0", "p1"):
            await running.until(Pod, name, "default", refused(text))
        await make_pod(client, "p2", gang="g")
        for name in ("p0", "p1", "p2"):
            await running.until(Pod, name, "default", placed)
