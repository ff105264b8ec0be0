"""Reservations: claims forget the pods that are done, and those alone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.meta import Object
from argosy.controllers.reservations import reservations
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.controllers.test_resourceclaims import DEVICES
from tests.runtime.kit import faulty, watches

Json = dict[str, Any]
SHARED = {"name": "gpu", "resourceClaimName": "shared"}
RESULT = {"request": "gpu", "driver": "d", "pool": "n1", "device": "gpu-0"}
ALLOCATION = {"devices": {"results": [RESULT]}}


@asynccontextmanager
async def reserving() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(reservations(manager))) as it:
        yield it


def consumer(obj: Object, resource: str = "pods", **changes: str) -> Json:
    meta = obj.metadata
    return {"resource": resource, "name": meta.name, "uid": meta.uid, **changes}


async def reserve(it: Scene, *consumers: Json) -> None:
    """A claim that was allocated, and reserved for these."""
    body = {"metadata": {"name": "shared", "namespace": "default"}, "spec": {"devices": DEVICES}}
    await it.client.create(ResourceClaim.resource, body)
    patch = {"status": {"allocation": ALLOCATION, "reservedFor": list(consumers)}}
    await it.client.merge(ResourceClaim.resource, "shared", "default", patch, subresource="status")
    await settle()


async def state(it: Scene) -> tuple[list[str], bool]:
    """Who the claim is reserved for, and whether it is allocated."""
    await settle()
    status = (await it.client.get(ResourceClaim, "shared", "default")).status
    return [item.name for item in status.reserved_for], status.allocation is not None


async def test_who_has_ended_goes_and_with_the_last_one_the_devices() -> None:
    async with reserving() as it:
        pods = [await it.make_pod(name, SHARED) for name in ("a", "b")]
        await reserve(it, *map(consumer, pods))
        assert await state(it) == (["a", "b"], True)
        await it.end("a", "Failed")
        assert await state(it) == (["b"], True)
        await it.end("b")
        assert await state(it) == ([], False)


async def test_a_pod_that_is_gone_before_anybody_saw_its_end() -> None:
    async with reserving() as it:
        pod = await it.make_pod("a", SHARED)
        await reserve(it, consumer(pod))
        await it.client.delete(Pod.resource, "a", "default", grace=0)
        assert await state(it) == ([], False)


async def test_a_pod_made_again_under_its_name_is_another() -> None:
    async with reserving() as it:
        pod = await it.make_pod("a", SHARED)
        await reserve(it, consumer(pod))
        await it.client.delete(Pod.resource, "a", "default", grace=0)
        again = await it.make_pod("a", SHARED)
        assert await state(it) == ([], False)
        patch = {"status": {"allocation": ALLOCATION, "reservedFor": [consumer(again)]}}
        await it.client.merge(
            ResourceClaim.resource, "shared", "default", patch, subresource="status"
        )
        assert await state(it) == (["a"], True)


async def test_what_is_no_pod_is_not_judged() -> None:
    async with reserving() as it:
        pod = await it.make_pod("a", SHARED)
        await reserve(it, consumer(pod, resource="others", uid="x"))
        assert await state(it) == (["a"], True)


async def test_what_ended_while_nobody_looked_goes_at_the_start() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        ended, running_pod = await it.make_pod("a", SHARED), await it.make_pod("b", SHARED)
        await it.end("a")
        await reserve(it, consumer(ended), consumer(running_pod))
        running.manager.add(reservations(running.manager))
        running.start()
        assert await state(it) == (["b"], True)


async def test_a_pod_that_the_cache_has_not_seen_yet_keeps_its_claim() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(reservations(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()

        async def away(request: Request) -> Response | None:
            if "/pods" in request.path and watches(request):
                raise ConnectionError("reset")
            return None

        transport.fault = away
        transport.cut.append(ConnectionError("reset"))
        it = Scene(running.client, clock, running.manager)
        await it.make_pod("wakes-the-cut")
        pod = await it.make_pod("a", SHARED)
        assert manager.informer(Pod).get("default", "a") is None
        await reserve(it, consumer(pod))
        assert await state(it) == (["a"], True)


async def test_it_rests_while_all_run() -> None:
    async with reserving() as it:
        await reserve(it, consumer(await it.make_pod("a", SHARED)))
        before = await it.client.get(ResourceClaim, "shared", "default")
        await it.clock.advance(3600)
        after = await it.client.get(ResourceClaim, "shared", "default")
        assert before.metadata.resource_version == after.metadata.resource_version
