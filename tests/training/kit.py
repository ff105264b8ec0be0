"""A cluster whose TrainJobs are run; the tests play the node's and the scheduler's part."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Event, Pod, Service
from argosy.api.meta import condition
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import TrainingRuntime, TrainJob
from argosy.client.client import Client
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.podgroupprotection import pod_group_protection
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from argosy.training.trainjob import train_jobs
from tests.training.builders import runtime_json


@dataclass
class Scene:
    """A cluster whose TrainJobs are run."""

    running: Cluster
    clock: FakeClock

    @property
    def client(self) -> Client:
        return self.running.client

    async def make_runtime(self, name: str = "r", **options: Any) -> None:
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": runtime_json(**options)}
        await self.client.create(TrainingRuntime.resource, body)

    async def make_job(self, name: str = "j", **spec: Any) -> None:
        known = {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}, **spec}
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": known}
        await self.client.create(TrainJob.resource, body)
        await settle()

    async def job(self, name: str = "j") -> TrainJob:
        await settle()
        return await self.client.get(TrainJob, name, "default")

    async def pods(self) -> list[str]:
        await settle()
        listed = (await self.client.list(Pod, "default")).items
        return [pod.metadata.name + "!" * bool(pod.metadata.deletion_timestamp) for pod in listed]

    async def bind(self, *names: str) -> None:
        for name in names:
            await self.client.bind(name, "default", "n1")

    async def report(self, name: str, phase: str, **status: Any) -> None:
        """What the node says of a pod."""
        patch = {"status": {"phase": phase, **status}}
        await self.client.merge(Pod.resource, name, "default", patch, subresource="status")
        await settle()

    async def gone(self, name: str) -> None:
        """The node lets go of a pod."""
        await self.client.delete(Pod.resource, name, "default", grace=0)
        await settle()

    async def told(self, kind: str, name: str = "j") -> tuple[str, str, str] | None:
        found = condition((await self.job(name)).status.conditions, kind)
        return None if found is None else (found.status, found.reason, found.message)

    async def events(self) -> list[tuple[str, int]]:
        await settle()
        listed = (await self.client.list(Event, "default")).items
        return sorted((event.reason, event.count) for event in listed)


@asynccontextmanager
async def scene(*, collect: bool = False) -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        running.manager.add(pod_group_protection(running.manager, PodGroup.resource))
        running.manager.add(train_jobs(running.manager))
        if collect:
            kinds = (TrainJob, Pod, PodGroup, Service)
            collector = GarbageCollector(running.manager, [kind.resource for kind in kinds])
            running.manager.add_runner(collector.run)
        running.start()
        await settle()
        yield Scene(running, clock)
