"""Deleting a namespace: what is in it goes, and then it does, but not before."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Namespace, Pod, Service
from argosy.api.meta import Object
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.errors import StatusError
from argosy.controllers.namespaces import namespaces, pause
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene
from tests.runtime.kit import Faulty, faulty, no_fault

Json = dict[str, Any]
HELD = ["example.com/hold"]


@asynccontextmanager
async def emptied() -> AsyncGenerator[tuple[Scene, Faulty]]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(namespaces(manager, running.plane.resources))
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        await it.client.create(Namespace.resource, {"metadata": {"name": "a"}})
        await settle()
        yield it, transport


async def put(it: Scene, kind: type[Object], name: str, **meta: Any) -> None:
    specs: Json = {
        "Pod": {"spec": {"containers": [{"name": "c", "image": "i"}]}},
        "Service": {"spec": {"clusterIP": "None"}},
        "PersistentVolumeClaim": {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }
        },
    }
    body = {"metadata": {"name": name, "namespace": "a", **meta}}
    await it.client.create(kind.resource, body | specs.get(kind.resource.kind, {}))


async def free(it: Scene, kind: type[Object], name: str) -> None:
    await it.client.merge(kind.resource, name, "a", {"metadata": {"finalizers": None}})


async def end(it: Scene) -> None:
    await it.client.delete(Namespace.resource, "a")
    await settle(200)


async def read(it: Scene) -> Json | None:
    """The namespace, as far as it is there."""
    try:
        answer = await it.client.call("GET", Namespace.resource.path("a"))
    except StatusError as error:
        assert error.code == 404
        return None
    found: Json = json.loads(answer)
    return found


async def condition(it: Scene, kind: str) -> Json:
    found = await read(it)
    assert found is not None
    found_one: Json = next(one for one in found["status"]["conditions"] if one["type"] == kind)
    return found_one


async def test_an_empty_namespace_goes_at_once() -> None:
    async with emptied() as (it, _):
        assert (await read(it) or {})["spec"] == {"finalizers": ["kubernetes"]}
        await end(it)
        assert await read(it) is None


async def test_what_is_in_it_goes_first() -> None:
    async with emptied() as (it, _):
        for kind in (ConfigMap, Pod, Service, PersistentVolumeClaim):
            await put(it, kind, "one")
            await put(it, kind, "two")
        await end(it)
        assert await read(it) is None
        for kind in (ConfigMap, Pod, Service, PersistentVolumeClaim):
            assert (await it.client.list(kind)).items == [], kind


async def test_others_stay() -> None:
    async with emptied() as (it, _):
        await it.client.create(
            ConfigMap.resource, {"metadata": {"name": "mine", "namespace": "default"}}
        )
        await end(it)
        listed = (await it.client.list(ConfigMap)).items
        assert [item.metadata.name for item in listed] == ["mine"]


async def test_finalizers_are_waited_for_and_told() -> None:
    async with emptied() as (it, _):
        await put(it, ConfigMap, "held", finalizers=HELD)
        await put(it, ConfigMap, "free")
        await end(it)
        found = await read(it)
        assert found is not None
        assert found["status"]["phase"] == "Terminating"
        told = await condition(it, "NamespaceContentRemaining")
        assert told["message"] == (
            "Some resources are remaining: configmaps. has 1 resource instances"
        )
        told = await condition(it, "NamespaceFinalizersRemaining")
        assert told["message"].endswith(": example.com/hold in 1 resource instances")
        with pytest.raises(StatusError) as caught:
            await put(it, ConfigMap, "new")
        assert caught.value.details["causes"][0]["reason"] == "NamespaceTerminating"
        await it.clock.advance(60)
        assert await read(it) is not None
        await free(it, ConfigMap, "held")
        await it.clock.advance(8)
        await settle(200)
        assert await read(it) is None


async def test_pods_go_before_all_else_with_their_time() -> None:
    async with emptied() as (it, _):
        await put(it, Pod, "runs")
        await it.client.bind("runs", "a", "n1")
        await put(it, ConfigMap, "config")
        await end(it)
        pod = await it.client.get(Pod, "runs", "a")
        assert pod.metadata.deletion_grace_period_seconds == 30
        assert (await it.client.get(ConfigMap, "config", "a")).metadata.deletion_timestamp is None
        assert (await condition(it, "NamespaceContentRemaining"))["status"] == "True"
        # The node ends the pod; nobody waits for the next look.
        await it.client.delete(Pod.resource, "runs", "a", grace=0)
        await settle(300)
        assert await read(it) is None


async def test_a_namespace_with_finalizers_of_its_own_waits_for_them() -> None:
    async with emptied() as (it, _):
        patch: Json = {"metadata": {"finalizers": HELD}}
        await it.client.merge(Namespace.resource, "a", "", patch)
        await put(it, ConfigMap, "one")
        await end(it)
        found = await read(it)
        assert found is not None
        assert not found["spec"].get("finalizers")
        assert (await it.client.list(ConfigMap)).items == []
        await it.client.merge(Namespace.resource, "a", "", {"metadata": {"finalizers": None}})
        assert await read(it) is None


async def test_what_fails_is_told_and_tried_again() -> None:
    async with emptied() as (it, transport):
        await put(it, ConfigMap, "one")
        await put(it, Service, "two")

        async def refuse(request: Request) -> Response | None:
            if request.method == "DELETE" and request.path.endswith("/configmaps"):
                raise StatusError(500, "InternalError", "the disk is full")
            return None

        transport.fault = refuse
        await end(it)
        told = await condition(it, "NamespaceDeletionContentFailure")
        assert (told["status"], told["reason"]) == ("True", "ContentDeletionFailed")
        assert told["message"] == (
            "Failed to delete all resource types, 1 remaining: the disk is full"
        )
        assert (await it.client.list(Service)).items == []  # the others went all the same
        transport.fault = no_fault
        await it.clock.advance(60)
        await settle(200)
        assert await read(it) is None


async def test_what_will_not_go_is_an_error() -> None:
    async with emptied() as (it, transport):
        await put(it, ConfigMap, "one")

        async def ignore(request: Request) -> Response | None:
            gone = request.method == "DELETE" and request.path.endswith("/configmaps")
            return Response(200, {}, b"{}") if gone else None

        transport.fault = ignore
        await end(it)
        told = await condition(it, "NamespaceDeletionContentFailure")
        assert told["message"].endswith(
            "unexpected items still remain in namespace: a for gvr: /v1, Resource=configmaps"
        )
        transport.fault = no_fault
        await it.clock.advance(60)
        await settle(200)
        assert await read(it) is None


async def test_an_object_whose_creation_was_on_its_way_is_not_left_behind() -> None:
    async with emptied() as (it, transport):
        late: list[asyncio.Task[None]] = []

        async def slow(request: Request) -> Response | None:
            # It was admitted before the delete, and is written when the first look is over.
            if request.method == "PATCH" and request.path.endswith("/a/status") and not late:
                late.append(asyncio.create_task(sneak()))
                await late[0]
            return None

        async def sneak() -> None:
            objects: Any = it.client.transport.handler.__self__._objects  # type: ignore[attr-defined]
            key = ConfigMap.resource.key("a", "late")
            value = (
                b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"late","namespace":"a",'
                b'"uid":"u","resourceVersion":"1","creationTimestamp":"2026-01-01T00:00:00Z"}}'
            )
            await objects.store.write(key, lambda *_: value)

        transport.fault = slow
        await end(it)
        assert late
        assert await read(it) is None
        assert (await it.client.list(ConfigMap)).items == []


async def test_namespaces_that_were_going_at_the_start_go_on() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        await it.client.create(Namespace.resource, {"metadata": {"name": "a"}})
        await put(it, ConfigMap, "one")
        await end(it)
        assert await read(it) is not None
        running.manager.add(namespaces(running.manager, running.plane.resources))
        running.start()
        await settle(300)
        assert await read(it) is None


async def test_a_namespace_stored_without_finalizers_can_be_deleted() -> None:
    async with emptied() as (it, _):
        objects: Any = it.client.transport.handler.__self__._objects  # type: ignore[attr-defined]
        key = Namespace.resource.key(name="a")
        old = objects.store.get(key).value.replace(b',"spec":{"finalizers":["kubernetes"]}', b"")
        assert b"finalizers" not in old.partition(b'"spec"')[2]
        await objects.store.write(key, lambda *_: old)
        await put(it, ConfigMap, "one")
        await end(it)
        assert await read(it) is None
        assert (await it.client.list(ConfigMap)).items == []


PAUSES = [(0, 1.0), (4, 1.0), (20, 5.0), (600, 8.0), (-60, 1.0)]


@pytest.mark.parametrize(("elapsed", "seconds"), PAUSES)
def test_looks_become_rarer(elapsed: int, seconds: float) -> None:
    now = datetime.fromtimestamp(datetime(2026, 1, 1, tzinfo=UTC).timestamp() + elapsed, UTC)
    assert pause("2026-01-01T00:00:00Z", now) == seconds
