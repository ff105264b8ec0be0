"""Room for gangs through the API: who waits for it is told, and has it once it is free."""

from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.client.client import Client
from argosy.scheduler.config.reading import parsed
from argosy.scheduler.config.setup import made
from argosy.scheduler.loop import Scheduler
from argosy.scheduler.profiles import Setup
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster
from tests.scheduler.builders import group, pod_body
from tests.scheduler.test_loop import make, placed, refused, scheduling

RESERVED = "0/1 nodes are available: 1 node(s) had room reserved for gang default/g."


async def make_pod(client: Client, name: str, cpu: str, gang: str = "", **spec: Any) -> None:
    spec = {"restartPolicy": "Never", **spec}
    body = pod_body(name, requests={"cpu": cpu}, spec=spec, gang=gang)
    body["metadata"] = {"name": name, "namespace": "default"}
    del body["status"]
    await client.create(Pod.resource, body)


async def run(running: Cluster, name: str) -> None:
    """The pod runs from the beginning of time on."""
    await running.until(Pod, name, "default", placed)
    status = {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"}
    await running.client.merge(
        Pod.resource, name, "default", {"status": status}, subresource="status"
    )


async def make_gang(running: Cluster, cpu: str = "2") -> None:
    """Two pods that need all of the node."""
    await make(running.client, group())
    for name in ("g0", "g1"):
        await make_pod(running.client, name, cpu, gang="g")


def message(pod: Pod) -> str:
    found = condition(pod.status.conditions, "PodScheduled")
    return found.message if found is not None else ""


def says(text: str) -> Any:
    return lambda pod: text in message(pod)


async def test_who_leaves_room_for_a_gang_is_told_and_not_forgotten() -> None:
    async with scheduling(start=False) as (running, clock):
        client = running.client
        running.manager.add_runner(Scheduler(running.manager, Setup(patience=60)).run)
        running.start()
        await make_pod(client, "long", "2")
        await run(running, "long")
        await make_gang(running)
        told = says("Room that gets free on 1 node is reserved for it.")
        await running.until(Pod, "g0", "default", told)
        await make_pod(client, "small", "1")
        await running.until(Pod, "small", "default", refused(RESERVED))
        await settle()
        await clock.advance(40)
        assert not placed(await client.get(Pod, "small", "default"))
        # Nothing has come of it: now others may have the room.
        await pass_time(clock, 40)
        await running.until(Pod, "small", "default", placed)
        assert not placed(await client.get(Pod, "g0", "default"))


async def pass_time(clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        await clock.advance(1)


async def test_a_gang_starts_when_it_was_told_and_the_gaps_are_filled() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "long", "2", activeDeadlineSeconds=500)
        await run(running, "long")
        await make_gang(running)
        told = says("Room is reserved for it on 1 node, expected start: 2026-01-01T00:08:20Z.")
        await running.until(Pod, "g1", "default", told)
        await make_pod(client, "late", "1", activeDeadlineSeconds=600)
        await running.until(Pod, "late", "default", refused(RESERVED))
        await make_pod(client, "short", "1", activeDeadlineSeconds=400)
        await running.until(Pod, "short", "default", placed)
        for name in ("long", "short"):
            await client.merge(
                Pod.resource,
                name,
                "default",
                {"status": {"phase": "Succeeded"}},
                subresource="status",
            )
        await settle()
        await pass_time(clock, 12)
        for name in ("g0", "g1"):
            await running.until(Pod, name, "default", placed)
        assert not placed(await client.get(Pod, "late", "default"))


async def test_the_room_of_a_gang_that_is_gone_is_free_at_once() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "long", "2")
        await run(running, "long")
        await make_gang(running)
        await running.until(Pod, "g0", "default", says("is reserved for it"))
        await make_pod(client, "small", "1")
        await running.until(Pod, "small", "default", refused(RESERVED))
        for name in ("g0", "g1"):
            await client.delete(Pod.resource, name, "default")
        await settle()
        await pass_time(clock, 2)
        await running.until(Pod, "small", "default", placed)


async def test_a_gang_that_waits_costs_no_writes() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "long", "2", activeDeadlineSeconds=5000)
        await run(running, "long")
        await make_gang(running)
        await running.until(Pod, "g0", "default", says("is reserved for it"))
        await make_pod(client, "small", "1")
        await running.until(Pod, "small", "default", refused(RESERVED))
        await settle()
        await clock.advance(5)
        before = await versions(client)
        await clock.advance(1000)
        assert await versions(client) == before


async def versions(client: Client) -> dict[str, str]:
    pods = (await client.list(Pod, "default")).items
    return {pod.metadata.name: pod.metadata.resource_version for pod in pods}


IMPATIENT = b"""
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- plugins: {multiPoint: {enabled: [{name: GangReservation}]}}
  pluginConfig: [{name: GangReservation, args: {patienceSeconds: 0}}]
"""


async def test_room_is_reserved_for_nobody_without_patience() -> None:
    async with scheduling(start=False) as (running, clock):
        client = running.client
        setup = made(parsed(IMPATIENT), clock)
        running.manager.add_runner(Scheduler(running.manager, setup).run)
        running.start()
        await make_pod(client, "long", "2")
        await run(running, "long")
        await make_gang(running)
        await running.until(Pod, "g0", "default", says("1 of 2 pods can be placed"))
        await make_pod(client, "small", "1")
        await running.until(Pod, "small", "default", placed)
