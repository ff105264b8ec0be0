"""The garbage collector: what belongs to nobody goes, and nothing else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Namespace, Node, Pod, Service
from argosy.api.meta import Object
from argosy.controllers.garbage import UNSEEN, GarbageCollector
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.faults import Counting, with_faults
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import config_map, faulty, no_fault, watches

Json = dict[str, Any]
KINDS: tuple[type[Object], ...] = (ConfigMap, Namespace, Node, Pod, Service)


def collect(manager: Manager) -> None:
    resources = [kind.resource for kind in KINDS]
    manager.add_runner(GarbageCollector(manager, resources).run)


@asynccontextmanager
async def collected() -> AsyncGenerator[Scene, None]:
    async with controlled(collect) as scene:
        yield scene


async def make(scene: Scene, name: str, *owners: Json) -> ConfigMap:
    body = config_map(name)
    body["metadata"]["ownerReferences"] = list(owners)
    await scene.client.create(ConfigMap.resource, body)
    return await scene.client.get(ConfigMap, name, "default")


def by(obj: Object, **changes: str) -> Json:
    """An owner reference."""
    kind = {"apiVersion": obj.resource.api_version, "kind": obj.resource.kind}
    return {**kind, "name": obj.metadata.name, "uid": obj.metadata.uid, **changes}


async def names(scene: Scene) -> list[str]:
    await scene.clock.advance(UNSEEN)  # owners that were only named are asked for in a while
    return [item.metadata.name for item in (await scene.client.list(ConfigMap)).items]


async def delete(scene: Scene, name: str) -> None:
    await scene.client.delete(ConfigMap.resource, name, "default")
    await settle()


async def test_a_whole_line_of_dependents_follows_its_owner() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        child = await make(it, "child", by(owner))
        await make(it, "grandchild", by(child))
        await make(it, "stranger")
        await it.clock.advance(60)
        assert await names(it) == ["child", "grandchild", "owner", "stranger"]
        await delete(it, "owner")
        assert await names(it) == ["stranger"]


async def test_an_owner_made_again_under_its_name_is_another() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        await make(it, "child", by(owner))
        await settle()
        await it.client.delete(ConfigMap.resource, "owner", "default")
        again = await make(it, "owner")
        await make(it, "new", by(again))
        assert await names(it) == ["new", "owner"]


async def test_the_last_of_several_owners_takes_it_along() -> None:
    async with collected() as it:
        first, second = await make(it, "first"), await make(it, "second")
        await make(it, "child", by(first), by(second))
        await delete(it, "first")
        assert await names(it) == ["child", "second"]
        await delete(it, "second")
        assert await names(it) == []


async def test_an_owner_outside_of_namespaces() -> None:
    async with collected() as it:
        await it.client.create(Node.resource, {"metadata": {"name": "n1"}})
        node = await it.client.get(Node, "n1")
        await make(it, "child", by(node))
        assert await names(it) == ["child"]
        await it.client.delete(Node.resource, "n1")
        assert await names(it) == []


async def test_an_owner_in_a_namespace_says_nothing_of_an_object_in_none() -> None:
    async with collected() as it:
        ghost = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "uid-ghost"}
        body = {"metadata": {"name": "n1", "ownerReferences": [ghost]}}
        await it.client.create(Node.resource, body)
        await it.clock.advance(600)
        assert (await it.client.get(Node, "n1")).metadata.name == "n1"


UNKNOWN = [
    {"apiVersion": "apps/v1", "kind": "Deployment"},
    {"apiVersion": "batch/v1", "kind": "ConfigMap"},
]


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_an_owner_of_a_kind_that_nobody_follows_may_be_there(kind: Json) -> None:
    async with collected() as it:
        await make(it, "child", {**kind, "name": "x", "uid": "uid-x"})
        await it.clock.advance(600)
        assert await names(it) == ["child"]


async def test_an_owner_that_tells_of_itself_soon_is_not_asked_for() -> None:
    async with with_faults(Counting, collect) as (it, way):
        for name in ("told", "silent"):
            await make(it, f"{name}-child", by(await make(it, name)))
        await settle()
        await it.client.merge(ConfigMap.resource, "told", "default", {"data": {"a": "b"}})
        assert len(await names(it)) == 4
        assert (way.gets("told"), way.gets("silent")) == (0, 1)


async def test_an_object_that_never_had_its_owner_goes() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        await make(it, "orphan", by(owner, uid="another"))
        await make(it, "lost", by(owner, name="nobody", uid="nobody"))
        assert await names(it) == ["owner"]


async def test_what_was_orphaned_while_nobody_looked_goes_at_the_start() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        owner = await make(it, "owner")
        await make(it, "child", by(owner))
        await it.client.delete(ConfigMap.resource, "owner", "default")
        collect(running.manager)
        running.start()
        assert await names(it) == []


async def test_a_dependent_that_was_given_another_owner_stays() -> None:
    async with collected() as it:
        first, second = await make(it, "first"), await make(it, "second")
        await make(it, "child", by(first))
        patch = {"metadata": {"ownerReferences": [by(second)]}}
        await it.client.merge(ConfigMap.resource, "child", "default", patch)
        await it.client.delete(ConfigMap.resource, "first", "default")
        assert await names(it) == ["child", "second"]


async def test_a_dependent_that_waits_for_a_finalizer_is_asked_once() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        await make(it, "child", by(owner))
        patch: Json = {"metadata": {"finalizers": ["example.com/keep"]}}
        await it.client.merge(ConfigMap.resource, "child", "default", patch)
        await delete(it, "owner")
        child = await it.client.get(ConfigMap, "child", "default")
        assert child.metadata.deletion_timestamp
        await it.clock.advance(600)
        after = await it.client.get(ConfigMap, "child", "default")
        assert after.metadata.resource_version == child.metadata.resource_version
        patch = {"metadata": {"finalizers": None}}
        await it.client.merge(ConfigMap.resource, "child", "default", patch)
        assert await names(it) == []


async def test_an_owner_that_the_cache_has_not_seen_yet_is_asked_for() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        resources = (ConfigMap.resource, Service.resource)
        manager.add_runner(GarbageCollector(manager, resources).run)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()

        async def away(request: Request) -> Response | None:
            if "/services" in request.path and watches(request):
                raise ConnectionError("reset")
            return None

        transport.fault = away
        transport.cut.append(ConnectionError("reset"))
        for name in ("wakes-the-cut", "owner"):
            meta = {"name": name, "namespace": "default"}
            body = {"metadata": meta, "spec": {"clusterIP": "None"}}
            await running.client.create(Service.resource, body)
        await settle()
        it = Scene(running.client, clock, running.manager)
        owner = await running.client.get(Service, "owner", "default")
        await make(it, "child", by(owner))
        assert await names(it) == ["child"]
        await running.client.delete(Service.resource, "owner", "default")
        transport.fault = no_fault
        # Nobody saw the owner come or go; the next list of services lacks it.
        await clock.advance(60)
        assert await names(it) == []


async def test_a_dependent_whose_new_owner_the_cache_has_not_seen_stays() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        collect(manager)
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        for name in ("first", "second"):
            await running.client.create(Node.resource, {"metadata": {"name": name}})
        first, second = [await running.client.get(Node, name) for name in ("first", "second")]
        await make(it, "child", by(first))
        await settle()

        async def away(request: Request) -> Response | None:
            if "/configmaps" in request.path and watches(request):
                raise ConnectionError("reset")
            return None

        transport.fault = away
        transport.cut.append(ConnectionError("reset"))
        await make(it, "wakes-the-cut")
        patch = {"metadata": {"ownerReferences": [by(second)]}}
        await running.client.merge(ConfigMap.resource, "child", "default", patch)
        await running.client.delete(Node.resource, "first")
        await settle()
        assert await names(it) == ["child", "wakes-the-cut"]


async def test_what_fails_is_tried_again_and_stops_nobody() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        collect(manager)
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        owner = await make(it, "owner")
        for name in ("a", "b"):
            await make(it, name, by(owner))
        await settle()
        errors: list[Exception] = [ConnectionError("reset"), ValueError("a bug")]

        async def fail(request: Request) -> Response | None:
            if request.method == "DELETE" and errors:
                raise errors.pop()
            return None

        transport.fault = fail
        await delete(it, "owner")
        await clock.advance(1)
        assert await names(it) == [] and errors == []


async def test_kinds_that_cannot_be_followed_keep_nobody_from_collecting() -> None:
    kinds = [kind.resource for kind in KINDS]
    odd = replace(Pod.resource, kind="Binding", plural="bindings", verbs=("create",))
    async with controlled(
        lambda manager: manager.add_runner(GarbageCollector(manager, [odd, *kinds]).run)
    ) as it:
        owner = await make(it, "owner")
        await make(it, "child", by(owner))
        await delete(it, "owner")
        assert await names(it) == []
