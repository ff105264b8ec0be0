"""Preemption against a whole API server: who goes, what is told, and who gets the room."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.meta import condition
from argosy.api.resources.scheduling import PRIORITY_CLASS
from argosy.client.client import Client
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster
from tests.scheduler.builders import group
from tests.scheduler.preemption.kit import budget
from tests.scheduler.test_loop import events, go, make, make_node, make_pod, placed, scheduling

FOREVER = {"metadata": {"finalizers": ["example.com/stays"]}}


@asynccontextmanager
async def ranking() -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """A cluster with a node of four processors and classes of priority; nothing is started."""
    async with scheduling(start=False) as (running, clock):
        for name, value in (("low", 1), ("mid", 5), ("high", 9)):
            body = {"metadata": {"name": name}, "value": value}
            await running.client.create(PRIORITY_CLASS, body)
        yield running, clock


async def make_ranked(client: Client, name: str, level: str, cpu: int, **options: Any) -> None:
    spec = {"priorityClassName": level, **options.pop("spec", {})}
    await make_pod(client, name, requests={"cpu": cpu}, spec=spec, **options)


async def bound(running: Cluster, name: str, level: str, cpu: int) -> None:
    """A pod of the node, which is there for good until `let_go`."""
    await make_ranked(running.client, name, level, cpu)
    await running.client.merge(Pod.resource, name, "default", FOREVER)
    await running.client.bind(name, "default", "n1")


async def let_go(client: Client, name: str) -> None:
    none = {"metadata": {"finalizers": None}}
    await client.merge(Pod.resource, name, "default", none)
    await client.delete(Pod.resource, name, "default", grace=0)


def nominated(pod: Pod) -> bool:
    return pod.status.nominated_node_name == "n1"


def leaving(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None


async def test_a_victim_is_told_and_goes_and_the_preemptor_has_its_room() -> None:
    async with ranking() as (running, clock):
        client = running.client
        await bound(running, "victim", "low", 3)
        go(running)
        await make_ranked(client, "p", "high", 3)
        waiting = await running.until(Pod, "p", "default", nominated)
        told = condition(waiting.status.conditions, "PodScheduled")
        assert told is not None and (told.status, told.reason) == ("False", "Unschedulable")
        upstream = "0/1 nodes are available: 1 Insufficient cpu."
        assert told.message.startswith(f"{upstream} Not enough cpu")
        victim = await running.until(Pod, "victim", "default", leaving)
        target = condition(victim.status.conditions, "DisruptionTarget")
        assert target is not None and target.status == "True"
        assert target.reason == "PreemptionByScheduler"
        assert target.message == (
            "default-scheduler: preempting to accommodate a higher priority pod"
        )
        await settle()
        assert not placed(await client.get(Pod, "p", "default"))
        await let_go(client, "victim")
        done = await running.until(Pod, "p", "default", placed)  # at once: no time has passed
        assert done.status.nominated_node_name == ""
        await clock.advance(10)
        await settle()
        uid = waiting.metadata.uid
        assert await events(client, "Preempted") == [f"Preempted by pod {uid} on node n1"]


async def test_a_lower_pod_does_not_take_the_room_that_was_made() -> None:
    async with ranking() as (running, clock):
        client = running.client
        await bound(running, "victim", "low", 4)
        go(running)
        await make_ranked(client, "p", "high", 4)
        await running.until(Pod, "p", "default", nominated)
        await running.until(Pod, "victim", "default", leaving)
        for i in range(3):
            await make_ranked(client, f"thief{i}", "mid", 2)
        await settle()
        await let_go(client, "victim")
        await running.until(Pod, "p", "default", placed)
        await clock.advance(20)
        await settle()
        for i in range(3):
            assert not placed(await client.get(Pod, f"thief{i}", "default"))


async def test_a_restart_in_between_keeps_the_room() -> None:
    """What another scheduler began is seen in the API alone."""
    async with ranking() as (running, _):
        client = running.client
        await make_ranked(client, "p", "high", 4)
        status = {"status": {"nominatedNodeName": "n1"}}
        await client.merge(Pod.resource, "p", "default", status, subresource="status")
        gates = {"schedulingGates": [{"name": "wait"}]}
        await make_ranked(client, "other", "high", 4, spec=gates)
        await make_ranked(client, "thief", "mid", 2)
        await client.merge(Pod.resource, "p", "default", FOREVER)
        go(running)
        assert (await running.until(Pod, "p", "default", placed)).spec.node_name == "n1"
        await settle()
        assert not placed(await client.get(Pod, "thief", "default"))


async def test_after_a_restart_nobody_is_evicted_twice() -> None:
    async with ranking() as (running, _):
        client = running.client
        await make_node(client, "n2")
        await bound(running, "victim", "low", 4)
        await make_ranked(client, "bystander", "low", 4)
        await client.bind("bystander", "default", "n2")
        told = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
        patch = {"status": {"conditions": [told]}}
        await client.merge(Pod.resource, "victim", "default", patch, subresource="status")
        await client.delete(Pod.resource, "victim", "default")
        await make_ranked(client, "p", "high", 4)
        status = {"status": {"nominatedNodeName": "n1"}}
        await client.merge(Pod.resource, "p", "default", status, subresource="status")
        go(running)
        await running.calm()
        assert not leaving(await client.get(Pod, "bystander", "default"))
        await let_go(client, "victim")
        assert (await running.until(Pod, "p", "default", placed)).spec.node_name == "n1"


async def test_a_higher_pod_takes_the_nomination() -> None:
    async with ranking() as (running, _):
        client = running.client
        await bound(running, "victim", "low", 4)
        go(running)
        await make_ranked(client, "p", "mid", 4)
        await running.until(Pod, "p", "default", nominated)
        await running.until(Pod, "victim", "default", leaving)
        await make_ranked(client, "chief", "high", 4)
        await running.until(Pod, "chief", "default", nominated)
        await running.until(Pod, "p", "default", lambda pod: not nominated(pod))
        await let_go(client, "victim")
        await running.until(Pod, "chief", "default", placed)
        await settle()
        assert not placed(await client.get(Pod, "p", "default"))


async def test_a_preemptor_that_goes_leaves_the_room_to_others() -> None:
    async with ranking() as (running, clock):
        client = running.client
        await bound(running, "victim", "low", 4)
        go(running)
        await make_ranked(client, "p", "high", 4)
        await running.until(Pod, "victim", "default", leaving)
        await client.delete(Pod.resource, "p", "default", grace=0)
        await let_go(client, "victim")
        await make_ranked(client, "next", "low", 4)
        await settle()
        await clock.advance(1)
        await running.until(Pod, "next", "default", placed)


async def test_the_budget_of_the_api_is_honoured() -> None:
    async with ranking() as (running, _):
        client = running.client
        await make_node(client, "n2")
        labels = {"metadata": {"labels": {"app": "a"}}}
        for name, node in (("guarded", "n1"), ("free", "n2")):
            await make_ranked(client, name, "low" if node == "n1" else "mid", 4)
            await client.merge(Pod.resource, name, "default", FOREVER)
            await client.bind(name, "default", node)
        await client.merge(Pod.resource, "guarded", "default", labels)
        view = budget("b", {"app": "a"}, 0)
        await make(client, view)
        await settle()
        assert await client.find(PodDisruptionBudget, "b", "default")
        go(running)
        await make_ranked(client, "p", "high", 4)
        await running.until(Pod, "free", "default", leaving)
        assert not leaving(await client.get(Pod, "guarded", "default"))


async def test_a_gang_makes_room_for_all_of_it() -> None:
    async with ranking() as (running, _):
        client = running.client
        await make_node(client, "n2")
        for name, node in (("v1", "n1"), ("v2", "n2")):
            await make_ranked(client, name, "low", 4)
            await client.bind(name, "default", node)
        go(running)
        await make(client, group(least=2))
        for i in range(2):
            await make_ranked(client, f"g{i}", "high", 4, gang="g")
        for name in ("v1", "v2"):
            await running.until(Pod, name, "default", leaving)
        assert not placed(await client.get(Pod, "g0", "default"))
        for name in ("v1", "v2"):
            await let_go(client, name)
        places = [await running.until(Pod, f"g{i}", "default", placed) for i in range(2)]
        assert sorted(pod.spec.node_name for pod in places) == ["n1", "n2"]
