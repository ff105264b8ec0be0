"""Every namespace has the authority by which pods know the API server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from argosy.api.core import ConfigMap, Namespace
from argosy.controllers.rootca import AUTHORITY, root_ca
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

PEM = "-----BEGIN CERTIFICATE-----\n"


@asynccontextmanager
async def publishing() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(root_ca(manager, PEM.encode()))) as it:
        yield it


async def published(it: Scene, namespace: str) -> ConfigMap | None:
    await settle()
    return await it.client.find(ConfigMap, AUTHORITY, namespace)


async def test_namespaces_that_are_there_and_that_come() -> None:
    async with publishing() as it:
        found = await published(it, "kube-system")
        assert found is not None and found.data == {"ca.crt": PEM}
        assert (
            "verify the kube-apiserver" in found.metadata.annotations["kubernetes.io/description"]
        )
        await it.client.create(Namespace.resource, {"metadata": {"name": "new"}})
        assert await published(it, "new") is not None


async def test_a_deleted_one_comes_back() -> None:
    async with publishing() as it:
        before = await published(it, "default")
        await it.client.delete(ConfigMap.resource, AUTHORITY, "default")
        after = await published(it, "default")
        assert before is not None and after is not None
        assert after.metadata.uid != before.metadata.uid


async def test_another_authority_is_not_left_there() -> None:
    async with publishing() as it:
        await settle()
        data = {"ca.crt": "of an attacker", "more": "x"}
        await it.client.merge(ConfigMap.resource, AUTHORITY, "default", {"data": data})
        found = await published(it, "default")
        assert found is not None and found.data == {"ca.crt": PEM}


async def test_other_config_maps_are_left_alone() -> None:
    async with publishing() as it:
        meta = {"name": "other", "namespace": "default"}
        await it.client.create(ConfigMap.resource, {"metadata": meta, "data": {"ca.crt": "x"}})
        await settle()
        kept = await it.client.get(ConfigMap, "other", "default")
        assert kept.data == {"ca.crt": "x"}


async def test_not_where_the_namespace_is_going() -> None:
    async with publishing() as it:
        await it.client.create(Namespace.resource, {"metadata": {"name": "new"}})
        assert await published(it, "new") is not None
        await it.client.delete(Namespace.resource, "new")
        await settle()
        await it.client.delete(ConfigMap.resource, AUTHORITY, "new")
        assert await published(it, "new") is None
