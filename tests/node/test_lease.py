"""The node's lease: written each ten seconds, by one write, whatever others do to it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from argosy.api.core import Node
from argosy.api.leases import Lease
from argosy.base.clock import micro_timestamp
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.node.lease import ATTEMPTS, NAMESPACE, NodeLease
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster
from tests.runtime.kit import Faulty, faulty

Json = dict[str, Any]
NAME = "n1"


@asynccontextmanager
async def leased(*, node: bool = True) -> AsyncGenerator[tuple[NodeLease, Client, Faulty], None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        if node:
            await running.client.create(Node.resource, {"metadata": {"name": NAME}})
        client, transport = faulty(running)
        yield NodeLease(client, clock, NAME), running.client, transport


def advanced(lease: NodeLease) -> FakeClock:
    clock = lease._clock
    assert isinstance(clock, FakeClock)
    return clock


async def read(client: Client) -> Lease:
    return await client.get(Lease, NAME, NAMESPACE)


async def test_it_is_made_for_its_node_and_renewed() -> None:
    async with leased() as (lease, client, transport):
        assert await lease.renew()
        made = await read(client)
        clock = advanced(lease)
        assert made.spec.holder_identity == NAME and made.spec.lease_duration_seconds == 40
        assert made.spec.renew_time == micro_timestamp(clock.now())
        (owner,) = made.metadata.owner_references
        node = await client.get(Node, NAME)
        assert (owner.api_version, owner.kind, owner.name) == ("v1", "Node", NAME)
        assert owner.uid == node.metadata.uid and not owner.controller
        transport.seen.clear()
        for _ in range(3):
            await clock.advance(10)
            assert await lease.renew()
        assert [request.method for request in transport.seen] == ["PUT"] * 3
        assert (await read(client)).spec.renew_time == micro_timestamp(clock.now())


async def test_it_waits_for_its_node() -> None:
    async with leased(node=False) as (lease, client, _):
        assert not await lease.renew()
        assert await client.find(Lease, NAME, NAMESPACE) is None
        await client.create(Node.resource, {"metadata": {"name": NAME}})
        assert await lease.renew()


async def test_what_others_write_is_kept_and_what_they_delete_made_again() -> None:
    async with leased() as (lease, client, _):
        await lease.renew()
        patch = {"metadata": {"labels": {"seen": "yes"}}, "spec": {"leaseDurationSeconds": 1}}
        await client.merge(Lease.resource, NAME, NAMESPACE, patch)
        await advanced(lease).advance(10)
        assert await lease.renew()
        now = await read(client)
        assert now.metadata.labels == {"seen": "yes"} and now.spec.lease_duration_seconds == 40
        await client.delete(Lease.resource, NAME, NAMESPACE)
        assert await lease.renew()
        assert (await read(client)).metadata.labels == {}


async def test_an_owner_that_is_missing_is_added() -> None:
    async with leased() as (lease, client, _):
        body = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": {}}
        await client.create(Lease.resource, body)
        assert await lease.renew()
        assert (await read(client)).metadata.owner_references[0].name == NAME


async def test_a_lease_without_a_node_is_still_renewed() -> None:
    async with leased(node=False) as (lease, client, _):
        body = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": {}}
        await client.create(Lease.resource, body)
        assert await lease.renew()
        assert (await read(client)).metadata.owner_references == ()


@pytest.mark.parametrize("code", [409, 500, 503, None])
async def test_a_write_that_fails_is_tried_again_but_not_for_ever(code: int | None) -> None:
    async with leased() as (lease, _, transport):
        await lease.renew()
        left = ATTEMPTS - 1

        async def fail(request: Request) -> Response | None:
            nonlocal left
            if request.method != "PUT" or not left:
                return None
            left -= 1
            if code is None:
                raise ConnectionError("reset")
            return Response(code, {}, msgspec.json.encode({"kind": "Status", "code": code}))

        transport.fault = fail
        assert await lease.renew()
        left = ATTEMPTS
        assert not await lease.renew()
        assert await lease.renew()
