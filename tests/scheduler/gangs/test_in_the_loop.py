"""Gangs in one domain, and groups of groups, against a whole API server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.client.client import Client
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.gangs.kit import BLOCK, RACK
from tests.scheduler.test_loop import go, make_node, make_pod, placed

ALPHA = "scheduling.k8s.io/v1alpha3=true"
GATES = "TopologyAwareWorkloadScheduling=true,CompositePodGroup=true,GenericWorkload=true"


@asynccontextmanager
async def racks() -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """Two racks of two nodes, the second with more room; a scheduler."""
    clock = FakeClock()
    async with cluster(clock=clock, runtime_config=ALPHA, feature_gates=GATES) as running:
        for name, cpu in (("a-0", 2), ("a-1", 2), ("b-0", 3), ("b-1", 2)):
            labels = {RACK: name[0], BLOCK: "x"}
            await make_node(running.client, name, allocatable={"cpu": cpu}, labels=labels)
        go(running)
        yield running, clock


async def make_group(client: Client, name: str, least: int, **spec: Any) -> None:
    await make(client, PodGroup, name, {"schedulingPolicy": {"gang": {"minCount": least}}, **spec})


async def make(client: Client, kind: Any, name: str, spec: dict[str, Any]) -> None:
    meta = {"name": name, "namespace": "default"}
    reference = {"workloadName": "w", "templateName": "t"}
    await client.create(
        kind.resource, {"metadata": meta, "spec": {"workloadRef": reference, **spec}}
    )


def near(key: str) -> dict[str, Any]:
    return {"schedulingConstraints": {"topology": [{"key": key}]}}


def told(text: str) -> Any:
    def check(obj: Any) -> bool:
        found = condition(obj.status.conditions, "PodScheduled")
        return found is not None and text in found.message

    return check


def group_is(kind: str, status: str, text: str) -> Any:
    def check(obj: Any) -> bool:
        found = condition(obj.status.conditions, kind)
        return found is not None and found.status == status and text in found.message

    return check


async def test_a_gang_is_in_one_rack() -> None:
    async with racks() as (running, _):
        client = running.client
        await make_group(client, "g", 5, **near(RACK))
        for i in range(5):
            await make_pod(client, f"p{i}", gang="g", requests={"cpu": 1})
        for i in range(5):
            found = await running.until(Pod, f"p{i}", "default", placed)
            assert found.spec.node_name.startswith("b-")
        # Another has no room there, and may not be elsewhere.
        await make_pod(client, "late", gang="g", requests={"cpu": 1})
        await running.until(Pod, "late", "default", told("0/4 nodes are available: "))


async def test_a_gang_that_has_no_rack_of_its_own_waits() -> None:
    async with racks() as (running, clock):
        client = running.client
        await make_group(client, "g", 3, **near(RACK))
        for i in range(3):
            await make_pod(client, f"p{i}", gang="g", requests={"cpu": 2})
        text = f'gang "g": 2 of 3 pods can be placed in the best of 2 domains of "{RACK}": '
        await running.until(Pod, "p0", "default", told(text))
        await make_node(client, "a-2", allocatable={"cpu": 2}, labels={RACK: "a"})
        await clock.advance(11)
        for i in range(3):
            found = await running.until(Pod, f"p{i}", "default", placed)
            assert found.spec.node_name.startswith("a-")


async def test_groups_of_groups_are_whole_or_absent() -> None:
    async with racks() as (running, clock):
        client = running.client
        kind = "CompositePodGroupInitiallyScheduled"
        for name in ("one", "two"):
            parent = {"parentCompositePodGroupName": "all"}
            await make_group(client, name, 2, **parent, **near(RACK))
            for i in range(2):
                await make_pod(client, f"{name}{i}", gang=name, requests={"cpu": 2})
        await running.until(Pod, "one0", "default", told("waiting for the composite pod group"))
        policy = {"schedulingPolicy": {"gang": {"minGroupCount": 2}}}
        await make(client, CompositePodGroup, "all", {**policy, **near(BLOCK)})
        racks_of = {}
        for name in ("one", "two"):
            found = [await running.until(Pod, f"{name}{i}", "default", placed) for i in range(2)]
            (racks_of[name],) = {it.spec.node_name[0] for it in found}
        assert sorted(racks_of.values()) == ["a", "b"]
        await running.until(CompositePodGroup, "all", "default", group_is(kind, "True", ""))
        for name in ("one", "two"):
            check = group_is("PodGroupInitiallyScheduled", "True", "")
            await running.until(PodGroup, name, "default", check)


async def test_a_tree_that_grows_upwards_is_placed_when_it_is_whole() -> None:
    async with racks() as (running, clock):
        client = running.client
        policy = {"schedulingPolicy": {"gang": {"minGroupCount": 1}}}
        await make_pod(client, "p", gang="leaf", requests={"cpu": 1})
        await running.until(Pod, "p", "default", told("waiting for the pod group to be created"))
        await make_group(client, "leaf", 1, parentCompositePodGroupName="mid")
        await running.until(Pod, "p", "default", told('gang "mid": waiting for the composite'))
        await make(
            client, CompositePodGroup, "mid", {**policy, "parentCompositePodGroupName": "top"}
        )
        await running.until(Pod, "p", "default", told('gang "top": waiting for the composite'))
        await make(client, CompositePodGroup, "top", policy)
        await running.until(Pod, "p", "default", placed)


async def test_groups_of_groups_that_find_no_room_are_told() -> None:
    async with racks() as (running, _):
        client = running.client
        policy = {"schedulingPolicy": {"gang": {"minGroupCount": 2}}}
        await make(client, CompositePodGroup, "all", {**policy, **near(RACK)})
        for name in ("one", "two"):
            await make_group(client, name, 2, parentCompositePodGroupName="all")
            for i in range(2):
                await make_pod(client, f"{name}{i}", gang=name, requests={"cpu": 2})
        where = f'in the best of 2 domains of "{RACK}"'
        text = f'group of groups "all": 1 of 2 groups can be placed {where}'
        await running.until(Pod, "two1", "default", told(text))
        for kind, name in ((CompositePodGroup, "all"), (PodGroup, "one")):
            check = group_is(f"{kind.resource.kind}InitiallyScheduled", "False", text)
            await running.until(kind, name, "default", check)
        pods = await client.list(Pod, "default")
        assert not any(placed(it) for it in pods.items)
