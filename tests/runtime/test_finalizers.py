"""Finalizers come and go without touching what others hold an object by."""

from typing import Any

import pytest

from argosy.api.core import ConfigMap
from argosy.api.meta import PartialObject
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.finalizers import hold, let_go
from argosy.testing.cluster import cluster
from tests.runtime.kit import config_map, faulty

MINE, THEIRS = "example.com/mine", "example.com/theirs"


async def held(client: Client, *finalizers: str) -> ConfigMap:
    body: dict[str, Any] = config_map("a")
    body["metadata"]["finalizers"] = list(finalizers)
    await client.create(ConfigMap.resource, body)
    return await read(client)


async def read(client: Client) -> ConfigMap:
    return await client.get(ConfigMap, "a", "default")


async def test_a_finalizer_is_put_beside_others_and_taken_off_from_among_them() -> None:
    async with cluster() as running:
        client = running.client
        await hold(client, await held(client, THEIRS), MINE)
        assert (await read(client)).metadata.finalizers == (THEIRS, MINE)
        await let_go(client, await read(client), MINE)
        assert (await read(client)).metadata.finalizers == (THEIRS,)


async def test_the_last_one_lets_a_deleted_object_go() -> None:
    async with cluster() as running:
        client = running.client
        await held(client, MINE)
        await client.delete(ConfigMap.resource, "a", "default")
        obj = await read(client)
        assert obj.metadata.deletion_timestamp is not None
        await let_go(client, obj, MINE)
        assert await client.find(ConfigMap, "a", "default") is None
        await let_go(client, obj, MINE)  # and it is gone


async def test_what_is_so_already_costs_no_request() -> None:
    async with cluster() as running:
        client, transport = faulty(running)
        obj = await held(running.client, MINE)
        await hold(client, obj, MINE)
        await let_go(client, obj, THEIRS)
        await running.client.delete(ConfigMap.resource, "a", "default")
        await hold(client, await read(running.client), THEIRS)  # no new ones on what is deleted
        assert transport.seen == []


@pytest.mark.parametrize("write", [hold, let_go])
async def test_what_others_wrote_meanwhile_is_a_conflict_and_stays(write: Any) -> None:
    async with cluster() as running:
        client = running.client
        obj = await held(client, *([MINE] if write is let_go else []))
        await hold(client, obj, THEIRS)
        with pytest.raises(StatusError) as caught:
            await write(client, obj, MINE)
        assert caught.value.code == 409
        assert THEIRS in (await read(client)).metadata.finalizers


async def test_another_object_of_the_name_is_left_alone() -> None:
    async with cluster() as running:
        client = running.client
        old = await held(client)
        await client.delete(ConfigMap.resource, "a", "default")
        await held(client)
        with pytest.raises(StatusError) as caught:
            await hold(client, old, MINE)
        assert caught.value.code == 409
        assert (await read(client)).metadata.finalizers == ()


async def test_any_kind_can_be_held_by_its_metadata() -> None:
    async with cluster() as running:
        client = running.client
        await held(client)
        partial = await client.get(PartialObject, "a", "default", resource=ConfigMap.resource)
        await hold(client, partial, MINE, resource=ConfigMap.resource)
        assert (await read(client)).metadata.finalizers == (MINE,)
