"""Every namespace has the authority by which pods know the API server."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Namespace
from argosy.api.meta import Object
from argosy.controllers.rootca import AUTHORITY, root_ca
from argosy.controllers.serviceaccounts import service_accounts
from argosy.controllers.tokens import ServiceAccount
from argosy.http.message import Request, Response
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty, no_fault, watches

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


@pytest.mark.parametrize(
    ("add", "path", "kind", "name"),
    [
        (lambda one: root_ca(one, b"PEM"), "/configmaps", ConfigMap, "kube-root-ca.crt"),
        (service_accounts, "/serviceaccounts", ServiceAccount, "default"),
    ],
)
async def test_what_goes_before_the_cache_has_shown_it_is_made_again(
    add: Callable[[Manager], Controller[Any]], path: str, kind: type[Object], name: str
) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)

        async def away(request: Request) -> Response | None:
            if request.path.endswith(path) and watches(request):
                raise ConnectionError("reset")
            return None

        manager = Manager(client, clock)
        manager.add(add(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await settle(200)
        transport.fault = away
        transport.cut.append(ConnectionError("reset"))
        labels = {"metadata": {"labels": {"wakes": "the-cut"}}}
        await running.client.merge(kind.resource, name, "default", labels)
        await settle(200)
        body = {"metadata": {"name": "new"}}
        await running.client.create(Namespace.resource, body)
        await settle(200)
        await running.client.delete(kind.resource, name, "new")
        transport.fault = no_fault
        await clock.advance(120)
        assert await running.client.find(kind, name, "new") is not None
