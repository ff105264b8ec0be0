"""Whatever happens, and in whichever order: attempts never overlap, and an end is an end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import TrainJob
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from argosy.training.trainjob import train_jobs
from tests.training.kit import Scene


@dataclass
class World:
    """A job in a world where anything may happen, and what must hold throughout."""

    it: Scene
    manager: asyncio.Task[None] | None = None
    final: Mapping[str, Any] | None = None

    async def restart(self) -> None:
        """The controller dies, and another takes over."""
        if self.manager is not None:
            self.manager.cancel()
            await asyncio.gather(self.manager, return_exceptions=True)
        manager = Manager(self.it.running.manager.client, self.it.clock)
        manager.add(train_jobs(manager))
        self.manager = asyncio.create_task(manager.run())

    async def stop(self) -> None:
        if self.manager is not None:
            self.manager.cancel()
            await asyncio.gather(self.manager, return_exceptions=True)

    async def step(self, action: str, which: int) -> None:
        pods = (await self.it.client.list(Pod, "default")).items
        if action == "restart":
            await self.restart()
        elif action == "wait":
            await self.it.clock.advance(2)
        elif action == "interleave":
            await settle(which)
        elif pods:
            await self.act(action, pods[which % len(pods)])

    async def act(self, action: str, pod: Pod) -> None:
        client, meta = self.it.client, pod.metadata
        if action == "delete":
            await client.delete(Pod.resource, meta.name, "default")
        elif action == "force":
            await client.delete(Pod.resource, meta.name, "default", grace=0)
        elif action == "bind":
            if not pod.spec.node_name and not meta.deletion_timestamp:
                await client.bind(meta.name, "default", "n1")
        elif not pod.finished:
            if meta.deletion_timestamp and action != "Failed":
                return
            patch = {"status": {"phase": action}}
            await client.merge(Pod.resource, meta.name, "default", patch, subresource="status")

    async def check(self, restarts: int) -> None:
        pods = (await self.it.client.list(Pod, "default")).items
        running = {
            pod.metadata.labels["training.argosy.dev/attempt"]
            for pod in pods
            if not pod.metadata.deletion_timestamp and not pod.finished
        }
        assert len(running) <= 1, "pods of two attempts at a time"
        groups = (await self.it.client.list(PodGroup, "default")).items
        failures = [
            int(item.metadata.annotations["training.argosy.dev/failures"]) for item in groups
        ]
        assert max(failures, default=0) <= restarts
        job = await self.it.client.get(TrainJob, "j", "default")
        ends = [c.type for c in job.status.conditions if c.type in ("Complete", "Failed")]
        assert len(ends) <= 1
        if self.final is not None:
            assert msgspec.to_builtins(job.status) == self.final, "an end is final"
        elif ends:
            self.final = msgspec.to_builtins(job.status)


WORLD = "bind Running Failed Failed Succeeded Succeeded delete force restart wait interleave"
ACTIONS = st.lists(
    st.tuples(st.sampled_from(WORLD.split()), st.integers(0, 7)),
    max_size=25,
)


@given(ACTIONS, st.integers(0, 2))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_no_order_of_events_makes_attempts_overlap_or_undoes_an_end(
    actions: list[tuple[str, int]], restarts: int
) -> None:
    async def play() -> None:
        clock = FakeClock()
        async with cluster(clock=clock) as running:
            world = World(Scene(running, clock))
            await world.it.make_runtime(restarts=restarts)
            await world.restart()
            await world.it.make_job()
            try:
                for action, which in actions:
                    await world.step(action, which)
                    await world.check(restarts)
                await finish(world, restarts)
            finally:
                await world.stop()

    asyncio.run(play())


async def finish(world: World, restarts: int) -> None:
    """From any state, once the nodes behave, the job comes to an end."""
    for _ in range(8):
        await world.it.clock.advance(5)
        for pod in (await world.it.client.list(Pod, "default")).items:
            if pod.metadata.deletion_timestamp:
                await world.act("force", pod)
            elif not pod.finished:
                await world.act("Succeeded", pod)
        await settle()
        await world.check(restarts)
    assert world.final is not None
