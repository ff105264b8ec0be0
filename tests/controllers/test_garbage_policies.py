"""Foreground and orphan deletion, and owners that are not what they seem."""

from typing import Any

import pytest

from argosy.api.core import ConfigMap, Event, Namespace, Node, Service
from argosy.api.meta import Object
from argosy.api.modelversion import ModelVersion
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.garbage import GarbageCollector
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.apiserver.kit import BODIES
from tests.controllers.kit import Scene, controlled
from tests.controllers.test_garbage import by, collected, make, names
from tests.runtime.kit import config_map, faulty, no_fault, watches

Json = dict[str, Any]
HOLD = "example.com/hold"
MODEL = BODIES["ModelVersion"]["spec"]


def blocking(owner: Object, **changes: str) -> Json:
    return {**by(owner, **changes), "blockOwnerDeletion": True}


async def end(client: Client, name: str, policy: str, kind: type[Object] = ConfigMap) -> None:
    """Delete with a policy, and let everything follow."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
    await client.call("DELETE", kind.resource.path(name, "default"), {}, options)
    await settle(200)


async def hold(it: Scene, name: str, *finalizers: str) -> None:
    patch = {"metadata": {"finalizers": list(finalizers) or None}}
    await it.client.merge(ConfigMap.resource, name, "default", patch)
    await settle(200)


async def finalizers(it: Scene, name: str) -> tuple[str, ...]:
    return (await it.client.get(ConfigMap, name, "default")).metadata.finalizers


async def owners(it: Scene, name: str) -> list[str]:
    found = await it.client.get(ConfigMap, name, "default")
    return [item.name for item in found.metadata.owner_references]


# foreground


async def test_dependents_go_before_their_owner() -> None:
    async with collected() as it:
        top = await make(it, "top")
        middle = await make(it, "middle", blocking(top))
        await make(it, "low", blocking(middle))
        await hold(it, "low", HOLD)
        await end(it.client, "top", "Foreground")
        assert await names(it) == ["low", "middle", "top"]
        assert await finalizers(it, "top") == ("foregroundDeletion",)
        assert await finalizers(it, "middle") == ("foregroundDeletion",)
        await it.clock.advance(600)
        assert await names(it) == ["low", "middle", "top"]
        await hold(it, "low")
        assert await names(it) == []


async def test_a_dependent_that_does_not_block_is_not_waited_for() -> None:
    async with collected() as it:
        top = await make(it, "top")
        await make(it, "free", by(top))
        await hold(it, "free", HOLD)
        await end(it.client, "top", "Foreground")
        assert await names(it) == ["free"]
        assert (await it.client.get(ConfigMap, "free", "default")).metadata.deletion_timestamp


async def test_a_dependent_with_another_owner_stays_and_blocks_no_more() -> None:
    async with collected() as it:
        top, other = await make(it, "top"), await make(it, "other")
        await make(it, "shared", blocking(top), blocking(other))
        await end(it.client, "top", "Foreground")
        assert await names(it) == ["other", "shared"]
        assert await owners(it, "shared") == ["other"]


async def test_other_finalizers_are_left_to_others() -> None:
    async with collected() as it:
        await make(it, "top")
        await hold(it, "top", HOLD)
        await end(it.client, "top", "Foreground")
        assert await finalizers(it, "top") == (HOLD,)


async def test_a_circle_in_the_foreground_comes_to_its_end() -> None:
    async with collected() as it:
        first = await make(it, "first")
        second = await make(it, "second", blocking(first))
        patch = {"metadata": {"ownerReferences": [blocking(second)]}}
        await it.client.merge(ConfigMap.resource, "first", "default", patch)
        await settle()
        await end(it.client, "first", "Foreground")
        assert await names(it) == []


async def test_a_second_delete_in_the_background_waits_no_longer() -> None:
    async with collected() as it:
        top = await make(it, "top")
        await make(it, "child", blocking(top))
        await hold(it, "child", HOLD)
        await end(it.client, "top", "Foreground")
        await end(it.client, "top", "Background")
        assert await names(it) == ["child"]


# orphan


async def test_dependents_are_left_behind() -> None:
    async with collected() as it:
        top, other = await make(it, "top"), await make(it, "other")
        await make(it, "one", blocking(top))
        await make(it, "two", by(top), {**by(other), "controller": True})
        await end(it.client, "top", "Orphan")
        await it.clock.advance(600)
        assert await names(it) == ["one", "other", "two"]
        assert await owners(it, "one") == []
        [kept] = (await it.client.get(ConfigMap, "two", "default")).metadata.owner_references
        assert (kept.name, kept.controller) == ("other", True)


async def test_the_owner_goes_only_after_all_dependents_are_free() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add_runner(GarbageCollector(manager, [ConfigMap.resource]).run)
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        top = await make(it, "top")
        await make(it, "one", by(top))
        await settle()

        async def refuse(request: Request) -> Response | None:
            if request.method == "PATCH" and request.path.endswith("/one"):
                raise StatusError(500, "InternalError", "not now")
            return None

        transport.fault = refuse
        await end(it.client, "top", "Orphan")
        assert await names(it) == ["one", "top"]
        transport.fault = no_fault
        await clock.advance(60)
        assert await names(it) == ["one"]
        assert await owners(it, "one") == []


@pytest.mark.parametrize("kind", [Service, Node])
async def test_a_dependent_that_the_cache_has_not_seen_is_orphaned_too(kind: type[Object]) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        kinds = (ConfigMap.resource, Service.resource, Node.resource)
        manager.add_runner(GarbageCollector(manager, kinds).run)
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        namespace = "default" if kind.resource.namespaced else ""
        meta: Json = {"name": "owner", "namespace": namespace}
        spec = {"clusterIP": "None"} if kind is Service else {}
        await running.client.create(kind.resource, {"metadata": meta, "spec": spec})
        owner = await running.client.get(kind, "owner", namespace)
        await make(it, "known", by(owner))
        await settle()

        async def away(request: Request) -> Response | None:
            if "/configmaps" in request.path and watches(request):
                raise ConnectionError("reset")
            return None

        transport.fault = away
        transport.cut.append(ConnectionError("reset"))
        await make(it, "wakes-the-cut")
        await settle()
        await make(it, "unknown", by(owner))
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"}
        await running.client.call("DELETE", kind.resource.path("owner", namespace), {}, options)
        await settle(200)
        assert await running.client.find(kind, "owner", namespace) is None
        transport.fault = no_fault
        await clock.advance(60)
        assert await names(it) == ["known", "unknown", "wakes-the-cut"]
        assert await owners(it, "unknown") == []


async def test_kinds_of_our_own_are_orphaned_too() -> None:
    kinds = [ConfigMap.resource, ModelVersion.resource]
    async with controlled(
        lambda manager: manager.add_runner(GarbageCollector(manager, kinds).run)
    ) as it:
        top = await make(it, "top")
        body: Json = {
            "metadata": {"name": "m", "namespace": "default", "ownerReferences": [by(top)]},
            "spec": MODEL,
        }
        await it.client.create(ModelVersion.resource, body)
        await settle()
        await end(it.client, "top", "Orphan")
        found = await it.client.get(ModelVersion, "m", "default")
        assert found.metadata.owner_references == ()


async def test_changes_that_say_nothing_of_owners_keep_nothing_alive() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add_runner(GarbageCollector(manager, [ConfigMap.resource]).run)
        running.manager.add_runner(manager.run)
        running.start()
        it = Scene(running.client, clock, running.manager)
        owner = await make(it, "owner")
        await make(it, "child", by(owner))
        await settle()

        async def busy(request: Request) -> Response | None:
            if request.method == "DELETE" and b"resourceVersion" in request.body:
                patch = {"data": {"at": str(len(transport.seen))}}
                await running.client.merge(ConfigMap.resource, "child", "default", patch)
            return None

        transport.fault = busy
        await end(it.client, "owner", "Background")
        assert await names(it) == []


# owners elsewhere


async def events(it: Scene) -> list[tuple[str, str]]:
    await settle(200)
    found = (await it.client.list(Event)).items
    return [(item.reason, item.message) for item in found]


async def test_an_owner_in_another_namespace_owns_nothing_and_this_is_told() -> None:
    async with collected() as it:
        await it.client.create(Namespace.resource, {"metadata": {"name": "there"}})
        body = config_map("owner")
        body["metadata"]["namespace"] = "there"
        await it.client.create(ConfigMap.resource, body)
        owner = await it.client.get(ConfigMap, "owner", "there")
        await make(it, "child", by(owner))
        assert await names(it) == ["owner"]
        told = f"[v1/ConfigMap, namespace: default, name: owner, uid: {owner.metadata.uid}]"
        message = f'ownerRef {told} does not exist in namespace "default"'
        assert await events(it) == [("OwnerRefInvalidNamespace", message)]


async def test_of_an_owner_that_is_nowhere_nothing_is_told() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        await make(it, "child", by(owner, uid="another"))
        assert await names(it) == ["owner"]
        assert await events(it) == []


async def test_who_names_an_owner_wrongly_does_not_hide_who_names_it_rightly() -> None:
    async with collected() as it:
        owner = await make(it, "owner")
        await make(it, "wrong", by(owner, name="nobody"))
        await make(it, "right", by(owner))
        await make(it, "wrong-kind", by(owner, kind="Service"))
        assert await names(it) == ["owner", "right"]
        await end(it.client, "owner", "Background")
        assert await names(it) == []


async def test_an_owner_of_a_cluster_waits_for_dependents_in_namespaces() -> None:
    async with collected() as it:
        await it.client.create(Node.resource, {"metadata": {"name": "n1"}})
        node = await it.client.get(Node, "n1")
        await make(it, "child", blocking(node))
        await hold(it, "child", HOLD)
        options = {"propagationPolicy": "Foreground"}
        await it.client.call("DELETE", Node.resource.path("n1"), {}, options)
        await settle(200)
        assert (await it.client.get(Node, "n1")).metadata.finalizers == ("foregroundDeletion",)
        await hold(it, "child")
        assert await it.client.find(Node, "n1") is None


async def test_a_collector_that_starts_anew_goes_on_where_the_last_one_stood() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running.client, clock, running.manager)
        for policy in ("Foreground", "Orphan"):
            owner = await make(it, f"{policy.lower()}-owner")
            await make(it, f"{policy.lower()}-child", blocking(owner))
            await end(it.client, owner.metadata.name, policy)
        assert len(await names(it)) == 4
        kinds = [ConfigMap.resource, Service.resource]
        running.manager.add_runner(GarbageCollector(running.manager, kinds).run)
        running.start()
        await settle(300)
        assert await names(it) == ["orphan-child"]
