"""Whoever dies between any two writes neither loses a pod nor counts one twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.controllers.jobs.kit import Work, add_jobs, job_body, states

SENT = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Failing:
    """A way to the server that is cut after some writes."""

    client: Client
    left: int

    async def send(self, request: Request) -> Response:
        if request.method not in SENT:
            return await self.client.transport.send(request)
        if self.left <= 0:
            raise ConnectionError("cut")
        self.left -= 1
        return await self.client.transport.send(request)

    async def close(self) -> None:
        """It is the cluster's."""


@asynccontextmanager
async def lives(running: Cluster, way: Failing | None = None) -> AsyncGenerator[Work, None]:
    """A process with the controllers, until the block ends."""
    clock = running.manager.clock
    assert isinstance(clock, FakeClock)
    client = running.client if way is None else replace(running.client, transport=way)
    manager = Manager(client, clock)
    add_jobs(manager)
    task = asyncio.create_task(manager.run())
    await settle(100)
    try:
        yield Work(running.client, clock, manager)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


SHAPES: dict[str, dict[str, Any]] = {
    "plain": {"completions": 4, "parallelism": 4, "backoffLimit": 10},
    "indexed": {
        "completions": 4,
        "parallelism": 4,
        "backoffLimit": 10,
        "completionMode": "Indexed",
    },
    "by index": {
        "completions": 4,
        "parallelism": 4,
        "backoffLimitPerIndex": 3,
        "completionMode": "Indexed",
    },
}


async def crash(shape: str, writes: int) -> bool:
    """A process that dies after so many writes, and one that goes on; whether it did die."""
    async with cluster(clock=FakeClock()) as running:
        client = running.client
        async with lives(running) as it:
            await client.create(Job.resource, job_body(**SHAPES[shape]))
            pods = await it.pods()
            assert len(pods) == 4 and all(pod.metadata.finalizers for pod in pods)
        for i, pod in enumerate(pods):
            body = {"status": {"phase": "Failed" if i == 1 else "Succeeded"}}
            name = pod.metadata.name
            await client.merge(Pod.resource, name, "default", body, subresource="status")
        way = Failing(client, writes)
        async with lives(running, way) as it:
            await it.quiet()
        async with lives(running) as it:
            await finished(it)
        return way.left <= 0


async def finished(it: Work) -> None:
    """The job comes to its end; each pod was counted, once."""
    for _ in range(2):
        await it.clock.advance(700)
        for pod in await it.pods("Pending"):
            await it.end(pod)
    job = await it.job()
    assert "Complete" in states(job)
    assert (job.status.succeeded, job.status.failed) == (4, 1)
    found = await it.pods()
    assert len(found) == 5
    assert not any(pod.metadata.finalizers for pod in found)


@pytest.mark.parametrize("shape", SHAPES)
async def test_counted_once(shape: str) -> None:
    writes = 0
    while await crash(shape, writes):
        writes += 1
    assert writes > 4  # of the status, of the pods that are let go, of the status again


@dataclass
class Deaf(Failing):
    """A way on which each answer to a write is lost of which `left` are between two."""

    sent: int = 0

    async def send(self, request: Request) -> Response:
        answer = await self.client.transport.send(request)
        self.sent += request.method in SENT
        if request.method in SENT and self.sent % self.left == 0:
            raise ConnectionError("cut after the write")
        return answer


@pytest.mark.parametrize("every", [2, 3, 5])
@pytest.mark.parametrize("shape", SHAPES)
async def test_answers_that_are_lost(shape: str, every: int) -> None:
    async with cluster(clock=FakeClock()) as running:
        async with lives(running, Deaf(running.client, every)) as it:
            await running.client.create(Job.resource, job_body(**SHAPES[shape]))
            await it.clock.advance(120)
            for i in range(3):
                for j, pod in enumerate(await it.pods("Pending")):
                    await it.end(pod, "Failed" if i == j == 0 else "Succeeded")
                await it.clock.advance(300)
            job = await it.job()
            assert "Complete" in states(job)
            assert (job.status.succeeded, job.status.failed) == (4, 1)
            assert not any(pod.metadata.finalizers for pod in await it.pods())
