"""Statuses of the node: seldom while nothing changes, at once where the server has another."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from argosy.api.core import Node, NodeCondition
from argosy.base.clock import timestamp
from argosy.client.client import Client
from argosy.node.machine import facts
from argosy.node.registration import Registration
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster


@asynccontextmanager
async def beating(root: Path) -> AsyncGenerator[tuple[Client, FakeClock], None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        registration = Registration(
            client=running.plane.client("argosy-node"),
            clock=clock,
            name="n",
            address="127.64.0.1",
            facts=facts(root),
            since=clock.now(),
        )
        await registration.register(())
        task = asyncio.create_task(registration.keep_beating())
        try:
            yield running.client, clock
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def ready(client: Client) -> NodeCondition:
    node = await client.get(Node, "n")
    return next(one for one in node.status.conditions if one.type == "Ready")


async def test_a_status_that_does_not_change_is_written_every_five_minutes(tmp_path: Path) -> None:
    async with beating(tmp_path) as (client, clock):
        first = await ready(client)
        await clock.advance(290)
        assert await ready(client) == first
        await clock.advance(10)
        second = await ready(client)
        assert second.last_heartbeat_time == timestamp(clock.now())
        assert second.last_transition_time == first.last_transition_time


async def test_a_node_that_was_taken_for_gone_says_that_it_is_there(tmp_path: Path) -> None:
    async with beating(tmp_path) as (client, clock):
        await clock.advance(60)
        gone = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
        patch = {"status": {"conditions": [gone]}}
        await client.merge(Node.resource, "n", "", patch, subresource="status")
        await clock.advance(10)
        again = await ready(client)
        assert again.status == "True" and again.reason == "KubeletReady"
        assert again.last_transition_time == timestamp(clock.now())


async def test_a_node_that_was_deleted_is_not_made_again(tmp_path: Path) -> None:
    async with beating(tmp_path) as (client, clock):
        await client.delete(Node.resource, "n")
        await clock.advance(600)
        assert await client.find(Node, "n") is None
