"""Every namespace has its account `default`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from argosy.api.core import Namespace
from argosy.api.meta import PartialObject
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.base.errors import StatusError
from argosy.controllers.serviceaccounts import service_accounts
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled


@asynccontextmanager
async def accounting() -> AsyncGenerator[Scene, None]:
    async with controlled(lambda manager: manager.add(service_accounts(manager))) as it:
        yield it


async def uid(it: Scene, namespace: str) -> str:
    """The account's uid; empty where it is not there."""
    await settle()
    try:
        found = await it.client.get(PartialObject, "default", namespace, resource=SERVICE_ACCOUNT)
    except StatusError as error:
        assert error.code == 404
        return ""
    return found.metadata.uid


async def test_namespaces_that_are_there_and_that_come() -> None:
    async with accounting() as it:
        assert await uid(it, "kube-system")
        await it.client.create(Namespace.resource, {"metadata": {"name": "new"}})
        assert await uid(it, "new")


async def test_a_deleted_one_comes_back() -> None:
    async with accounting() as it:
        before = await uid(it, "kube-public")
        await it.client.delete(SERVICE_ACCOUNT, "default", "kube-public")
        assert await uid(it, "kube-public") not in ("", before)


async def test_not_where_the_namespace_is_going() -> None:
    async with accounting() as it:
        await it.client.create(Namespace.resource, {"metadata": {"name": "new"}})
        assert await uid(it, "new")
        await it.client.delete(Namespace.resource, "new")
        await settle()
        await it.client.delete(SERVICE_ACCOUNT, "default", "new")
        assert await uid(it, "new") == ""
