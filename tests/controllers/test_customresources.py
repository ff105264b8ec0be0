"""Tests of definitions that go, and of what follows the kinds that users define."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import ConfigMap, Namespace
from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.controllers.customresources import custom_resources
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.namespaces import namespaces
from argosy.testing.cluster import Cluster, cluster
from tests.api.extensions.kit import Json, kind, version

DEFINITIONS = CustomResourceDefinition.resource
WIDGETS = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")
NAME = "widgets.example.com"


@asynccontextmanager
async def running(*, collector: bool = False) -> AsyncGenerator[Cluster]:
    async with cluster() as made:
        made.manager.add(custom_resources(made.manager, made.plane.resources))
        made.manager.add(namespaces(made.manager, made.plane.resources))
        if collector:
            kinds = [ConfigMap.resource, DEFINITIONS]
            made.manager.add_runner(GarbageCollector(made.manager, kinds).run)
        made.start()
        yield made


async def define(made: Cluster, definition: Json | None = None) -> None:
    await made.client.create(DEFINITIONS, definition or kind())


async def add(made: Cluster, name: str = "a", **meta: Any) -> Json:
    body = {"metadata": {"name": name, "namespace": "default", **meta}}
    return await made.client.create(WIDGETS, body)


async def gone(made: Cluster, path: str) -> None:
    """Wait until there is nothing at the path."""
    async with asyncio.timeout(10):
        while True:
            try:
                await made.client.call("GET", path)
            except StatusError as error:
                assert error.code == 404
                return
            await asyncio.sleep(0.005)


async def test_a_definition_goes_with_all_its_objects() -> None:
    async with running() as made:
        await define(made)
        for name in ("a", "b"):
            await add(made, name)
        await made.client.create(Namespace.resource, {"metadata": {"name": "other"}})
        body = {"metadata": {"name": "c", "namespace": "other"}}
        await made.client.create(WIDGETS, body)
        await made.client.delete(DEFINITIONS, NAME)
        await gone(made, DEFINITIONS.path(NAME))
        await define(made)
        assert (await made.client.call("GET", WIDGETS.path())).endswith(b'"items":[]}')


async def test_a_definition_waits_for_objects_with_finalizers() -> None:
    async with running() as made:
        await define(made)
        await add(made, finalizers=["example.com/wait"])
        await made.client.delete(DEFINITIONS, NAME)

        def going(found: CustomResourceDefinition) -> bool:
            return found.status.holds("Terminating")

        await made.until(CustomResourceDefinition, NAME, "", going)
        await asyncio.sleep(0.05)
        assert await made.client.find(CustomResourceDefinition, NAME)
        await made.client.merge(WIDGETS, "a", "default", {"metadata": {"finalizers": None}})
        await gone(made, DEFINITIONS.path(NAME))


async def test_the_objects_of_a_built_in_kind_outlast_a_definition_of_its_name() -> None:
    async with running() as made:
        names = {"plural": "modelversions", "kind": "ModelVersion"}
        resource = next(item for item in made.plane.resources if item.kind == "ModelVersion")
        definition = kind(
            version(resource.version), plural="modelversions", group=resource.group, names=names
        )
        await define(made, definition)
        spec = {
            "model": "digits",
            "version": "1",
            "storageUri": "pvc://models/digits",
            "modelFormat": {"name": "onnx"},
        }
        body = {"metadata": {"name": "m", "namespace": "default"}, "spec": spec}
        await made.client.create(resource, body)
        await made.client.delete(DEFINITIONS, resource.qualified)
        await gone(made, DEFINITIONS.path(resource.qualified))
        assert await made.client.call("GET", resource.path("m", "default"))


async def test_a_name_that_gets_free_is_given_to_who_waits_for_it() -> None:
    async with running() as made:
        await define(made)
        names = {"plural": "gadgets", "kind": "Widget"}
        await define(made, kind(plural="gadgets", names=names))
        waiting = await made.client.get(CustomResourceDefinition, "gadgets.example.com")
        assert waiting.refused and not waiting.established
        await made.client.delete(DEFINITIONS, NAME)
        await made.until(
            CustomResourceDefinition, "gadgets.example.com", "", lambda found: found.established
        )


async def test_a_namespace_goes_with_objects_of_defined_kinds() -> None:
    async with running() as made:
        await define(made)
        await made.client.create(Namespace.resource, {"metadata": {"name": "other"}})
        body = {"metadata": {"name": "a", "namespace": "other"}}
        await made.client.create(WIDGETS, body)
        await made.client.delete(Namespace.resource, "other")
        await gone(made, WIDGETS.path("a", "other"))


async def test_the_garbage_collector_follows_kinds_as_they_come() -> None:
    async with running(collector=True) as made:
        await define(made)
        owner = await add(made)
        reference = {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "name": "a",
            "uid": owner["metadata"]["uid"],
        }
        meta = {"name": "c", "namespace": "default", "ownerReferences": [reference]}
        await made.client.create(ConfigMap.resource, {"metadata": meta})
        await add(made, "b", ownerReferences=[reference])
        await made.client.delete(WIDGETS, "a", "default")
        await gone(made, ConfigMap.resource.path("c", "default"))
        await gone(made, WIDGETS.path("b", "default"))
