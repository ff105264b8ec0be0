"""The scheduler against a whole API server in this process."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from argosy.api.core import Event, Node, Pod
from argosy.api.dra import ResourceClaim
from argosy.api.meta import condition
from argosy.api.scheduling import PodGroup
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.scheduler.loop import Scheduler
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import (
    DRIVER,
    claim,
    device_class,
    exactly,
    group,
    node,
    pod_body,
    resource_slice,
    shared_gpu,
)


@asynccontextmanager
async def scheduling(*, start: bool = True) -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """A cluster with one node and a scheduler."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        await make_node(running.client, "n1")
        if start:
            go(running)
        yield running, clock


def go(running: Cluster) -> None:
    running.manager.add_runner(Scheduler(running.manager).run)
    running.start()


async def make_node(client: Client, name: str, **options: Any) -> None:
    await make(client, node(name, **options))


async def make(client: Client, view: Any) -> None:
    """Create the object that the view tells of, and its status."""
    body = msgspec.to_builtins(view)
    for server_set in ("uid", "resourceVersion"):
        body["metadata"].pop(server_set, None)
    await client.create(view.resource, full(view, body))
    if "status" in body:
        meta = body["metadata"]
        patch = {"status": body["status"]}
        await client.merge(
            view.resource, meta["name"], meta.get("namespace", ""), patch, subresource="status"
        )


def full(view: Any, body: dict[str, Any]) -> dict[str, Any]:
    resource = view.resource
    return {"apiVersion": resource.api_version, "kind": resource.kind, **body}


async def make_pod(client: Client, name: str, **options: Any) -> None:
    body = pod_body(name, **options)
    body["metadata"] = {"name": name, "namespace": "default"}
    del body["status"]
    await client.create(Pod.resource, body)


def placed(pod: Pod) -> bool:
    return pod.spec.node_name != ""


def calm(message: str) -> str:
    """The message without what it says of preemption."""
    return message.partition(" preemption: ")[0]


def refused(text: str) -> Callable[[Pod], bool]:
    def check(pod: Pod) -> bool:
        found = condition(pod.status.conditions, "PodScheduled")
        return found is not None and found.status == "False" and calm(found.message) == text

    return check


async def events(client: Client, reason: str) -> list[str]:
    listed = await client.list(Event, "default")
    return [event.message for event in listed.items if event.reason == reason]


async def test_a_pod_is_bound_and_told() -> None:
    async with scheduling() as (running, _):
        await make_pod(running.client, "p", requests={"cpu": "1"})
        pod = await running.until(Pod, "p", "default", placed)
        assert pod.spec.node_name == "n1"
        await settle()
        assert await events(running.client, "Scheduled") == [
            "Successfully assigned default/p to n1"
        ]


async def test_a_pod_waits_for_room_that_another_gives_back() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "first", requests={"cpu": "3"})
        await running.until(Pod, "first", "default", placed)
        await make_pod(client, "second", requests={"cpu": "3"})
        text = "0/1 nodes are available: 1 Insufficient cpu."
        await running.until(Pod, "second", "default", refused(text))
        await settle()
        told = await events(client, "FailedScheduling")
        assert [calm(message) for message in told] == [text]
        done = {"status": {"phase": "Succeeded"}}
        await client.merge(Pod.resource, "first", "default", done, subresource="status")
        await settle()
        await clock.advance(1)
        await running.until(Pod, "second", "default", placed)


async def test_other_schedulers_pods_and_gated_pods_are_left_alone() -> None:
    async with scheduling() as (running, _):
        client = running.client
        await make_pod(client, "other", spec={"schedulerName": "else"})
        await make_pod(client, "gated", spec={"schedulingGates": [{"name": "g"}]})
        text = "Scheduling is blocked due to non-empty scheduling gates"
        await running.until(Pod, "gated", "default", refused(text))
        assert await events(client, "FailedScheduling") == []
        assert not placed(await client.get(Pod, "other", "default"))


async def make_gpu(client: Client, claims: int, **slices: Any) -> None:
    await make(client, device_class())
    await make(client, resource_slice([shared_gpu()], **slices))
    for i in range(claims):
        await make(client, claim(f"c{i}", [exactly(capacity={"compute": 50})]))


async def test_a_gang_shares_a_gpu_and_a_third_claim_is_refused() -> None:
    async with scheduling() as (running, _):
        client = running.client
        await make_gpu(client, 3)
        await make_pod(client, "p0", gang="g", claims={"gpu": "c0"})
        waiting = 'gang "g": waiting for the pod group to be created'
        await running.until(Pod, "p0", "default", refused(waiting))
        await make(client, group())
        await make_pod(client, "p1", gang="g", claims={"gpu": "c1"})
        for name in ("p0", "p1"):
            await running.until(Pod, name, "default", placed)
        await running.until(PodGroup, "g", "default", group_is("True", "Scheduled"))
        first = await client.get(ResourceClaim, "c0", "default")
        assert [item.name for item in first.status.reserved_for] == ["p0"]
        raw = msgspec.json.decode(
            await client.call("GET", ResourceClaim.resource.path("c0", "default"))
        )
        allocation = raw["status"]["allocation"]
        (result,) = allocation["devices"]["results"]
        assert (result["driver"], result["device"]) == (DRIVER, "gpu-0")
        assert result["consumedCapacity"] == {"compute": "50"}
        assert allocation["nodeSelector"]["nodeSelectorTerms"][0]["matchFields"] == [
            {"key": "metadata.name", "operator": "In", "values": ["n1"]}
        ]
        await make_pod(client, "third", claims={"gpu": "c2"})
        text = (
            "0/1 nodes are available: 1 cannot allocate all claims "
            f"({DRIVER}: compute 50 requested, 0 of 100 free on gpu-0)."
        )
        await running.until(Pod, "third", "default", refused(text))


def group_is(status: str, reason: str) -> Callable[[PodGroup], bool]:
    def check(found: PodGroup) -> bool:
        known = condition(found.status.conditions, "PodGroupInitiallyScheduled")
        return known is not None and (known.status, known.reason) == (status, reason)

    return check


async def test_a_gang_that_does_not_fit_leaves_nothing_behind() -> None:
    async with scheduling() as (running, _):
        client = running.client
        await make_gpu(client, 3)
        await make(client, group(least=3))
        for i in range(3):
            await make_pod(client, f"p{i}", gang="g", claims={"gpu": f"c{i}"})
        await running.until(PodGroup, "g", "default", group_is("False", "Unschedulable"))
        text = (
            'gang "g": 2 of 3 pods can be placed: 0/1 nodes are available: 1 cannot allocate all '
            f"claims ({DRIVER}: compute 50 requested, 0 of 100 free on gpu-0)."
        )
        for i in range(3):
            pod = await running.until(Pod, f"p{i}", "default", refused(text))
            assert not placed(pod)
        for found in (await client.list(ResourceClaim, "default")).items:
            assert found.status.allocation is None


async def test_after_a_crash_between_the_binds_the_rest_is_placed() -> None:
    async with scheduling(start=False) as (running, _):
        client = running.client
        await make(client, group())
        for i in range(2):
            await make_pod(client, f"p{i}", gang="g", requests={"cpu": "2"})
        await client.bind("p0", "default", "n1")
        go(running)
        await running.until(Pod, "p1", "default", placed)


async def test_what_a_crash_left_allocated_is_given_back_where_it_is_in_the_way() -> None:
    async with scheduling(start=False) as (running, clock):
        client = running.client
        await make_gpu(client, 1)
        await make_node(client, "n2")
        await make(client, resource_slice([shared_gpu()], node="n2"))
        await make_pod(client, "p", requests={"cpu": "3"}, claims={"gpu": "c0"})
        await make_pod(client, "full", requests={"cpu": "3"})
        await client.bind("full", "default", "n1")
        result = {"request": "r", "driver": DRIVER, "pool": "n1", "device": "gpu-0"}
        uid = (await client.get(Pod, "p", "default")).metadata.uid
        status = {
            "allocation": {"devices": {"results": [result]}},
            "reservedFor": [{"resource": "pods", "name": "p", "uid": uid}],
        }
        await client.merge(
            ResourceClaim.resource, "c0", "default", {"status": status}, subresource="status"
        )
        go(running)
        text = (
            "0/2 nodes are available: 1 Insufficient cpu, "
            "1 resourceclaim not available on the node."
        )
        await running.until(Pod, "p", "default", refused(text))
        await settle()
        await clock.advance(1)
        assert (await running.until(Pod, "p", "default", placed)).spec.node_name == "n2"


class Failing:
    """Stands in front of the server and fails chosen requests, before or after they are done."""

    def __init__(self, running: Cluster) -> None:
        self._inner = running.manager.client.transport
        self._faults: dict[tuple[str, str], list[str]] = {}
        object.__setattr__(running.manager.client, "transport", self)

    def fail(self, method: str, ending: str, *how: str) -> None:
        """Requests to a path with this ending fail like this, one after the other."""
        self._faults[method, ending] = list(how)

    async def send(self, request: Request) -> Response:
        for (method, ending), faults in self._faults.items():
            if faults and request.method == method and request.path.endswith(ending):
                return await self._fail(request, faults.pop(0))
        return await self._inner.send(request)

    async def _fail(self, request: Request, how: str) -> Response:
        if how == "lost answer":
            await self._inner.send(request)
        if how != "conflict":
            raise ConnectionError(how)
        error = StatusError(409, "Conflict", "the object has been modified")
        return Response(409, {}, msgspec.json.encode(error.status()))

    async def close(self) -> None:
        """There is nothing to let go of."""


@pytest.mark.parametrize("how", ["conflict", "no connection", "lost answer"])
@pytest.mark.parametrize("where", [("POST", "/pods/p1/binding"), ("PATCH", "/c1/status")])
async def test_a_gang_survives_a_failed_write(where: tuple[str, str], how: str) -> None:
    async with scheduling(start=False) as (running, clock):
        client = running.client
        Failing(running).fail(*where, how)
        await make_gpu(client, 2)
        await make(client, group())
        for i in range(2):
            await make_pod(client, f"p{i}", gang="g", claims={"gpu": f"c{i}"})
        go(running)
        for _ in range(4):
            await settle(200)
            await clock.advance(1)
        for i in range(2):
            assert placed(await client.get(Pod, f"p{i}", "default"))
            found = await client.get(ResourceClaim, f"c{i}", "default")
            assert [item.name for item in found.status.reserved_for] == [f"p{i}"]


async def test_an_unschedulable_pod_costs_no_writes_while_nothing_changes() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_pod(client, "p", requests={"cpu": "9"})
        text = "0/1 nodes are available: 1 Insufficient cpu."
        await running.until(Pod, "p", "default", refused(text))
        await settle()
        before = (await client.get(Pod, "p", "default")).metadata.resource_version
        for i in range(5):
            labels: Mapping[str, str] = {"turn": str(i)}
            await client.merge(Node.resource, "n1", "", {"metadata": {"labels": labels}})
            await settle()
            await clock.advance(10)
        after = (await client.get(Pod, "p", "default")).metadata.resource_version
        assert after == before
        (event,) = (await client.list(Event, "default")).items
        assert (calm(event.message), event.count) == (text, 1)


async def test_a_node_that_comes_later_takes_the_pod() -> None:
    async with scheduling() as (running, clock):
        await make_pod(running.client, "p", requests={"cpu": "9"})
        text = "0/1 nodes are available: 1 Insufficient cpu."
        await running.until(Pod, "p", "default", refused(text))
        await make_node(running.client, "big", allocatable={"cpu": "16"})
        await settle()
        await clock.advance(1)
        assert (await running.until(Pod, "p", "default", placed)).spec.node_name == "big"
