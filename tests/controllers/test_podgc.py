"""Pods that nobody else deletes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from argosy.api.core import (
    Node,
    NodeCondition,
    NodeSpec,
    NodeStatus,
    Pod,
    PodSpec,
    PodStatus,
    Taint,
)
from argosy.api.meta import ObjectMeta, condition
from argosy.controllers.podgc import OUT_OF_SERVICE, pod_collector, waste
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

GONE = "2026-01-01T00:00:00Z"


@asynccontextmanager
async def collecting(threshold: int = 12_500) -> AsyncGenerator[Scene, None]:
    async with controlled(
        lambda manager: manager.add_runner(pod_collector(manager, threshold=threshold).run)
    ) as it:
        yield it


async def names(it: Scene) -> list[str]:
    await settle(100)
    return sorted(pod.metadata.name for pod in (await it.client.list(Pod, "default")).items)


async def make_node(it: Scene, name: str) -> None:
    await it.client.create(Node.resource, {"metadata": {"name": name}})


async def test_the_oldest_of_too_many() -> None:
    async with collecting(threshold=2) as it:
        for name in ("d", "c", "b", "a"):
            await it.make_pod(name)
            await it.clock.advance(1)
            await it.end(name, "Failed" if name == "b" else "Succeeded")
        await it.make_pod("runs")
        await it.clock.advance(20)
        assert await names(it) == ["a", "b", "runs"]


async def test_pods_of_a_node_that_is_gone() -> None:
    async with collecting() as it:
        for node in ("n1", "n2"):
            await make_node(it, node)
        for name, node in (("one", "n1"), ("two", "n2"), ("held", "n1")):
            await it.make_pod(name, finalizers=["a.example/b"] if name == "held" else [])
            await it.client.bind(name, "default", node)
        await it.client.delete(Node.resource, "n1")
        await it.clock.advance(50)  # twice seen to be missing, but not long enough
        assert await names(it) == ["held", "one", "two"]
        await it.clock.advance(20)
        assert await names(it) == ["held", "two"]
        held = await it.client.get(Pod, "held", "default")
        told = condition(held.status.conditions, "DisruptionTarget")
        assert held.status.phase == "Failed" and told is not None
        assert (told.reason, told.message) == (
            "DeletionByPodGC",
            "PodGC: node no longer exists",
        )


async def test_a_node_that_comes_back_keeps_its_pods() -> None:
    async with collecting() as it:
        await make_node(it, "n")
        await it.make_pod("p")
        await it.client.bind("p", "default", "n")
        await it.client.delete(Node.resource, "n")
        await it.clock.advance(50)
        await make_node(it, "n")
        await it.clock.advance(100)
        await it.client.delete(Node.resource, "n")
        await it.clock.advance(45)
        assert await names(it) == ["p"]


async def test_deleted_before_it_had_a_node() -> None:
    async with collecting() as it:
        await it.make_pod("p", finalizers=["a.example/b"])
        await it.client.delete(Pod.resource, "p", "default")
        await it.clock.advance(20)
        assert (await it.client.get(Pod, "p", "default")).status.phase == "Failed"


def test_a_node_out_of_service() -> None:
    def node(ready: str, *taints: str) -> Node:
        told = NodeCondition(type="Ready", status=ready)
        spec = NodeSpec(taints=tuple(Taint(key=key) for key in taints))
        return Node(spec=spec, status=NodeStatus(conditions=(told,)))

    leaving = Pod(
        metadata=ObjectMeta(name="p", deletion_timestamp=GONE), spec=PodSpec(node_name="n")
    )
    stays = Pod(metadata=ObjectMeta(name="q"), spec=PodSpec(node_name="n"))
    for status, taints, found in (
        ("False", (OUT_OF_SERVICE,), ["p"]),
        ("True", (OUT_OF_SERVICE,), []),
        ("False", (), []),
    ):
        going = waste([leaving, stays], {"n": node(status, *taints)}, set(), 10)
        assert [item.pod.metadata.name for item in going] == found


def test_evicted_ones_go_first() -> None:
    def ended(name: str, created: str, reason: str = "") -> Pod:
        meta = ObjectMeta(name=name, creation_timestamp=created)
        return Pod(metadata=meta, status=PodStatus(phase="Failed", reason=reason))

    pods = [ended("old", "2026-01-01T00:00:00Z"), ended("new", GONE, "Evicted"), ended("b", GONE)]
    assert [item.pod.metadata.name for item in waste(pods, {}, set(), 2)] == ["new"]
    assert [item.pod.metadata.name for item in waste(pods, {}, set(), 1)] == ["new", "b"]
    assert waste(pods, {}, set(), 0) == []
