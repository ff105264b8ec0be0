"""DaemonSets on the embedded server: nodes, tolerations, updates, failures, history."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api import nodeaffinity
from argosy.api.core import Event, Node, Pod
from argosy.api.daemonsets import DaemonSet, DaemonSetStatus
from argosy.api.revisions import ControllerRevision
from argosy.base.clock import timestamp
from argosy.controllers.daemonsets.daemonset import daemon_sets
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
LABELS = {"app": "agent"}
CONTAINERS = [{"name": "c", "image": "one"}]


@asynccontextmanager
async def daemons(*nodes: str) -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(daemon_sets(manager))) as it:
        for name in nodes:
            await node(it, name)
        yield it


async def turn() -> None:
    await settle(600)


async def node(it: Scene, name: str, *, taints: Any = (), **labels: str) -> None:
    body = {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}}
    await it.client.create(Node.resource, body)
    await turn()


async def alter(it: Scene, name: str, patch: Json) -> None:
    await it.client.merge(Node.resource, name, "", patch)
    await turn()


async def make(it: Scene, *, pod: Json | None = None, **spec: Any) -> DaemonSet:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": CONTAINERS, **(pod or {})}}
    given = {"selector": {"matchLabels": LABELS}, "template": template, **spec}
    body = {"metadata": {"name": "agent", "namespace": "default"}, "spec": given}
    await it.client.create(DaemonSet.resource, body)
    await turn()
    return await it.client.get(DaemonSet, "agent", "default")


async def image(it: Scene, name: str) -> None:
    template = {"spec": {"containers": [{"name": "c", "image": name}]}}
    patch = {"spec": {"template": template}}
    await it.client.merge(DaemonSet.resource, "agent", "default", patch)
    await turn()


async def pods(it: Scene) -> list[Pod]:
    """All of them, by the node that they are for."""
    found = (await it.client.list(Pod, "default")).items
    return sorted(found, key=lambda pod: (nodeaffinity.pinned(pod.spec.affinity), pod.key))


async def where(it: Scene) -> list[str]:
    return [nodeaffinity.pinned(pod.spec.affinity) for pod in await pods(it)]


async def images(it: Scene) -> list[str]:
    return [pod.spec.containers[0].image for pod in await pods(it)]


async def say(it: Scene, pod: Pod, *, ready: bool = True, phase: str = "Running") -> None:
    """The node tells how a pod is."""
    since = timestamp(it.clock.now())
    told = {"type": "Ready", "status": str(ready), "lastTransitionTime": since}
    patch = {"status": {"phase": phase, "conditions": [told]}}
    name = pod.metadata.name
    await it.client.merge(Pod.resource, name, "default", patch, subresource="status")
    await turn()


async def all_up(it: Scene) -> None:
    """Pods become ready as soon as they are there."""
    while waiting := [pod for pod in await pods(it) if pod.status.phase == "Pending"]:
        for pod in waiting:
            await say(it, pod)


async def status(it: Scene) -> DaemonSetStatus:
    await turn()
    return (await it.client.get(DaemonSet, "agent", "default")).status


async def test_every_node_gets_a_pod_and_a_new_one_too() -> None:
    async with daemons("a", "b") as it:
        made = await make(it)
        assert await where(it) == ["a", "b"]
        await node(it, "c")
        assert await where(it) == ["a", "b", "c"]
        [pod, *_] = await pods(it)
        assert pod.metadata.generate_name == "agent-"
        assert pod.controller is not None and pod.controller.uid == made.metadata.uid
        [revision] = (await it.client.list(ControllerRevision, "default")).items
        hashed = revision.metadata.name.removeprefix("agent-")
        assert revision.metadata.labels == {**LABELS, "controller-revision-hash": hashed}
        assert pod.metadata.labels == {
            **LABELS,
            "controller-revision-hash": hashed,
            "pod-template-generation": "1",
        }
        tolerated = {(t.key.split("/")[-1], t.effect) for t in pod.spec.tolerations}
        assert tolerated == {
            ("not-ready", "NoExecute"),
            ("unreachable", "NoExecute"),
            ("disk-pressure", "NoSchedule"),
            ("memory-pressure", "NoSchedule"),
            ("pid-pressure", "NoSchedule"),
            ("unschedulable", "NoSchedule"),
        }


async def test_the_status_counts_nodes() -> None:
    async with daemons("a", "b") as it:
        await make(it, minReadySeconds=10)
        told = await status(it)
        assert (told.desired_number_scheduled, told.current_number_scheduled) == (2, 2)
        assert (told.number_ready, told.number_unavailable) == (0, 2)
        await say(it, (await pods(it))[0])
        told = await status(it)
        assert (told.number_ready, told.number_available) == (1, 0)
        await it.clock.advance(10)
        told = await status(it)
        assert (told.number_available, told.number_unavailable) == (1, 1)
        assert (told.updated_number_scheduled, told.number_misscheduled) == (2, 0)
        assert told.observed_generation == 1


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, ["plain", "red"]),
        ({"nodeSelector": {"color": "red"}}, ["red"]),
        ({"nodeName": "plain"}, ["plain"]),
        ({"tolerations": [{"key": "k", "operator": "Exists"}]}, ["plain", "red", "tainted"]),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        REQUIRED: {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "color", "operator": "Exists"}]}
                            ]
                        }
                    }
                }
            },
            ["red"],
        ),
    ],
)
async def test_only_nodes_that_take_the_pod(pod: Json, expected: list[str]) -> None:
    async with daemons("plain") as it:
        await node(it, "red", color="red")
        await node(it, "tainted", taints=[TAINT])
        await alter(it, "plain", {"spec": {"unschedulable": True}})
        made = await make(it, pod=pod)
        assert await where(it) == expected
        assert made.status.desired_number_scheduled == len(expected)


@pytest.mark.parametrize(
    ("effect", "stays", "misscheduled"), [("NoSchedule", True, 1), ("NoExecute", False, 0)]
)
async def test_a_node_that_is_tainted_later(effect: str, stays: bool, misscheduled: int) -> None:
    async with daemons("a", "b") as it:
        await make(it)
        await all_up(it)
        await alter(it, "b", {"spec": {"taints": [{**TAINT, "effect": effect}]}})
        assert await where(it) == ["a", "b"][: 1 + stays]
        told = await status(it)
        assert told.number_misscheduled == misscheduled
        assert told.desired_number_scheduled == 1
        await alter(it, "b", {"spec": {"taints": []}})
        assert await where(it) == ["a", "b"]
        assert (await status(it)).number_misscheduled == 0


async def test_a_pod_for_a_node_that_is_gone_goes() -> None:
    async with daemons("a", "b") as it:
        await make(it)
        await it.client.delete(Node.resource, "b")
        await turn()
        assert await where(it) == ["a"]
        assert (await status(it)).desired_number_scheduled == 1


async def test_an_update_replaces_as_many_as_may_be_unavailable() -> None:
    async with daemons("a", "b", "c") as it:
        await make(it)
        await all_up(it)
        await image(it, "two")
        assert await images(it) == ["two", "one", "one"]
        assert (await status(it)).updated_number_scheduled == 1
        await all_up(it)
        assert await images(it) == ["two"] * 3
        told = await status(it)
        assert (told.updated_number_scheduled, told.number_available) == (3, 3)


async def test_broken_pods_are_replaced_beyond_the_limit() -> None:
    async with daemons("a", "b", "c") as it:
        await make(it)
        await all_up(it)
        for pod in (await pods(it))[1:]:
            await say(it, pod, ready=False)
        await image(it, "two")
        assert await images(it) == ["one", "two", "two"]


async def test_a_surge_brings_the_new_pod_first() -> None:
    async with daemons("a", "b") as it:
        surge = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await make(it, updateStrategy=surge)
        await all_up(it)
        await image(it, "two")
        assert await where(it) == ["a", "a", "b"]
        assert sorted((await images(it))[:2]) == ["one", "two"]
        fresh = next(pod for pod in await pods(it) if pod.status.phase == "Pending")
        await say(it, fresh)
        assert await where(it) == ["a", "b", "b"]
        await all_up(it)
        assert await images(it) == ["two", "two"]


async def test_on_delete_updates_what_somebody_deletes() -> None:
    async with daemons("a", "b") as it:
        await make(it, updateStrategy={"type": "OnDelete"})
        await all_up(it)
        await image(it, "two")
        assert await images(it) == ["one", "one"]
        await it.client.delete(Pod.resource, (await pods(it))[0].metadata.name, "default")
        await turn()
        assert await images(it) == ["two", "one"]


async def test_failed_pods_are_replaced_ever_more_slowly() -> None:
    async with daemons("a") as it:
        await make(it)
        [first] = await pods(it)
        await say(it, first, ready=False, phase="Failed")
        [second] = await pods(it)
        assert second.metadata.uid != first.metadata.uid
        await say(it, second, ready=False, phase="Failed")
        assert [pod.metadata.uid for pod in await pods(it)] == [second.metadata.uid]
        await it.clock.advance(1)
        await turn()
        [third] = await pods(it)
        assert third.metadata.uid != second.metadata.uid
        events = [e for e in (await it.client.list(Event)).items if e.reason == "FailedDaemonPod"]
        name = f"default/{first.metadata.name}"
        message = f"Found failed daemon pod {name} on node a, will try to kill it"
        assert message in [event.message for event in events]


async def test_a_pod_that_succeeded_is_replaced_at_once() -> None:
    async with daemons("a") as it:
        await make(it)
        [first] = await pods(it)
        await say(it, first, ready=False, phase="Succeeded")
        [second] = await pods(it)
        assert second.metadata.uid != first.metadata.uid


async def test_a_revision_that_comes_back_is_the_newest_again() -> None:
    async with daemons("a") as it:
        await make(it)
        await all_up(it)
        await image(it, "two")
        await all_up(it)
        await image(it, "one")
        await all_up(it)
        found = (await it.client.list(ControllerRevision, "default")).items
        assert sorted(item.revision for item in found) == [2, 3]
        newest = max(found, key=lambda item: item.revision)
        [pod] = await pods(it)
        label = "controller-revision-hash"
        assert pod.metadata.labels[label] == newest.metadata.labels[label]


async def test_history_is_as_long_as_it_may_be() -> None:
    async with daemons("a") as it:
        await make(it, revisionHistoryLimit=1)
        for name in ("two", "three", "four"):
            await all_up(it)
            await image(it, name)
        await all_up(it)
        found = (await it.client.list(ControllerRevision, "default")).items
        assert sorted(item.revision for item in found) == [3, 4]


async def test_orphans_are_adopted_and_strangers_released() -> None:
    async with daemons("a") as it:
        made = await make(it)
        [pod] = await pods(it)
        name = pod.metadata.name
        patch: Json = {"metadata": {"ownerReferences": None}}
        await it.client.merge(Pod.resource, name, "default", patch)
        await turn()
        [pod] = await pods(it)
        assert pod.controller is not None and pod.controller.uid == made.metadata.uid
        await it.client.merge(
            Pod.resource, name, "default", {"metadata": {"labels": {"app": "mine"}}}
        )
        await turn()
        found = {item.metadata.name: item for item in await pods(it)}
        assert found[name].controller is None and len(found) == 2


async def test_a_set_that_is_going_makes_nothing() -> None:
    async with daemons("a") as it:
        await make(it)
        keep = {"metadata": {"finalizers": ["example.com/keep"]}}
        await it.client.merge(DaemonSet.resource, "agent", "default", keep)
        await it.client.delete(DaemonSet.resource, "agent", "default")
        await node(it, "b")
        assert await where(it) == ["a"]


async def test_a_node_that_only_tells_of_itself_changes_nothing() -> None:
    async with daemons("a") as it:
        await make(it)
        before = (await it.client.get(DaemonSet, "agent", "default")).metadata.resource_version
        patch = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        await it.client.merge(Node.resource, "a", "", patch, subresource="status")
        await turn()
        after = (await it.client.get(DaemonSet, "agent", "default")).metadata.resource_version
        assert after == before and await where(it) == ["a"]
