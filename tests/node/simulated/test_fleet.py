"""Simulated nodes: made, changed and removed as the flag says, and kept alive."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.api.leases import Lease
from argosy.api.meta import condition
from argosy.base.clock import micro_timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.node.lease import NAMESPACE
from argosy.node.simulated.fleet import PAUSE, ROUND, STEPS
from argosy.node.simulated.groups import parse_groups
from argosy.node.simulated.simulated import add_simulated_nodes
from argosy.runtime.manager import Manager
from argosy.testing.builders import node
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import Fault, Faulty, no_fault

Json = dict[str, Any]


class Scene:
    """A cluster, and processes on it, one after the other."""

    def __init__(self, running: Cluster, clock: FakeClock) -> None:
        self.running, self.client, self.clock = running, running.client, clock
        self.transport = Faulty(running.client.transport)
        self.fault: Fault = no_fault

    async def start(self, *specs: str) -> None:
        """End the process before, and start one with these groups."""
        for task in self.running.tasks:
            task.cancel()
        await asyncio.gather(*self.running.tasks, return_exceptions=True)
        self.running.tasks.clear()
        self.transport = Faulty(self.client.transport, self.fault)
        manager = Manager(Client(self.transport, "test"), self.clock)
        add_simulated_nodes(manager, parse_groups(specs))
        self.running.tasks.append(asyncio.create_task(manager.run()))
        await self.running.calm()

    async def names(self) -> list[str]:
        return sorted(item.metadata.name for item in (await self.client.list(Node)).items)

    async def node(self, name: str = "sim-0-0001") -> Node:
        return await self.client.get(Node, name)

    async def slices(self) -> dict[str, int]:
        found = (await self.client.list(ResourceSlice)).items
        return {piece.metadata.name: len(piece.spec.devices) for piece in found}

    async def leases(self) -> dict[str, Lease]:
        found = (await self.client.list(Lease, NAMESPACE)).items
        return {lease.metadata.name: lease for lease in found}

    def writes(self) -> list[str]:
        return [item.path for item in self.transport.seen if item.method != "GET"]


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        yield Scene(running, clock)


def ready(found: Node) -> str:
    told = condition(found.status.conditions, "Ready")
    return told.status if told is not None else ""


async def test_all_nodes_are_made_ready_and_with_their_devices() -> None:
    async with scene() as one:
        await one.start("3x(cpu=4,gpu=2xH100)", "2x(cpu=8)")
        assert await one.names() == [f"sim-0-000{i}" for i in (1, 2, 3)] + [
            "sim-1-0001",
            "sim-1-0002",
        ]
        for name in await one.names():
            assert ready(await one.node(name)) == "True"
        assert (await one.node("sim-1-0002")).status.allocatable["cpu"] == "8"
        assert await one.slices() == {f"sim-0-000{i}-gpu.argosy.dev-0": 2 for i in (1, 2, 3)}


async def test_a_start_without_changes_writes_leases_only() -> None:
    async with scene() as one:
        await one.start("3x(cpu=4,gpu=2xH100)")
        await one.start("3x(gpu=2xH100,cpu=4)")
        assert all(path.startswith("/apis/coordination.k8s.io/") for path in one.writes())


async def test_each_lease_is_renewed_once_in_a_round_and_never_all_at_once() -> None:
    async with scene() as one:
        await one.start("120x()")
        await one.clock.advance(ROUND)
        leases = await one.leases()
        assert len(leases) == 120
        first = leases["sim-0-0007"]
        made = await one.node("sim-0-0007")
        (owner,) = first.metadata.owner_references
        assert (owner.kind, owner.name, owner.uid) == ("Node", "sim-0-0007", made.metadata.uid)
        assert (first.spec.holder_identity, first.spec.lease_duration_seconds) == ("sim-0-0007", 40)
        one.transport.seen.clear()
        await one.clock.advance(ROUND)
        assert len(one.writes()) == 120
        times = [lease.spec.renew_time for lease in (await one.leases()).values()]
        assert len(set(times)) == STEPS and max(map(times.count, times)) == 2
        assert first.spec.renew_time not in times
        latest = micro_timestamp(one.clock.now())
        assert all(time is not None and time <= latest for time in times)


async def test_a_renewal_that_takes_long_holds_up_nobody() -> None:
    never = asyncio.Event()

    async def slow(request: Request) -> Response | None:
        if request.path.endswith("/leases/sim-0-0001"):
            await never.wait()
        return None

    async with scene() as one:
        one.fault = slow
        await one.start("3x()")
        await one.clock.advance(3 * ROUND)
        one.transport.seen.clear()
        await one.clock.advance(ROUND)
        assert sorted(path[-10:] for path in one.writes()) == ["sim-0-0002", "sim-0-0003"]


async def test_other_words_change_nodes_and_devices() -> None:
    async with scene() as one:
        await one.start("2x(cpu=4,gpu=4xH100,labels=a=1;b=2)")
        before = await one.node()
        await one.start("2x(cpu=16,gpu=2xA100,labels=b=3)")
        after = await one.node()
        assert after.metadata.uid == before.metadata.uid
        assert after.status.capacity["cpu"] == "16"
        assert after.status.allocatable["nvidia.com/gpu"] == "2"
        labels = after.metadata.labels
        assert labels["b"] == "3" and "a" not in labels
        assert labels["nvidia.com/gpu.product"] == "A100"
        assert set((await one.slices()).values()) == {2}
        await one.start("2x(cpu=16)")
        assert "nvidia.com/gpu" not in (await one.node()).status.capacity
        assert await one.slices() == {}


async def test_nodes_that_nobody_wants_any_more_go_and_others_stay() -> None:
    async with scene() as one:
        await one.running.make(Node, node("mine", labels={"argosy.dev/simulated": "true"}))
        await one.start("3x()", "1x()")
        await one.start("2x()")
        assert await one.names() == ["mine", "sim-0-0001", "sim-0-0002"]


async def test_one_that_was_deleted_stays_away_until_the_next_start() -> None:
    async with scene() as one:
        await one.start("2x(gpu=1)")
        await one.clock.advance(ROUND)
        await one.client.delete(Node.resource, "sim-0-0002")
        await one.client.delete(Lease.resource, "sim-0-0002", NAMESPACE)
        await one.clock.advance(2 * ROUND)
        assert await one.names() == ["sim-0-0001"] and list(await one.leases()) == ["sim-0-0001"]
        await one.start("2x(gpu=1)")
        again = await one.node("sim-0-0002")
        pieces = (await one.client.list(ResourceSlice)).items
        owners = [item.metadata.owner_references[-1].uid for item in pieces]
        assert again.metadata.uid in owners  # and not of the node that had the name before


async def test_a_node_that_was_taken_for_gone_says_that_it_is_there() -> None:
    async with scene() as one:
        await one.start("2x()")
        name, gone = "sim-0-0002", [{"type": "Ready", "status": "Unknown"}]
        patch = {"status": {"conditions": gone}}
        await one.client.merge(Node.resource, name, "", patch, subresource="status")
        await one.running.calm()
        await one.clock.advance(ROUND)
        assert ready(await one.node(name)) == "True"
        await one.client.merge(Node.resource, name, "", patch, subresource="status")
        await one.start("2x()")  # at once, before its lease is renewed
        assert ready(await one.node(name)) == "True"


async def test_what_fails_is_tried_again() -> None:
    refused: list[str] = []

    async def refuse(request: Request) -> Response | None:
        if request.method != "GET" and not request.path.startswith("/apis/coordination"):
            refused.append(request.path)
            if len(refused) <= 4:
                raise StatusError(500, "InternalError", "no")
        return None

    async with scene() as one:
        one.fault = refuse
        await one.start("3x(gpu=1)")
        assert len(await one.names()) < 3
        await one.clock.advance(2 * PAUSE)
        await one.running.calm()
        assert len(await one.names()) == 3 and len(await one.slices()) == 3


async def test_a_server_without_slices_has_nodes_all_the_same() -> None:
    async def unknown(request: Request) -> Response | None:
        if "resourceslices" in request.path:
            raise StatusError(404, "NotFound", "the server could not find the requested resource")
        return None

    async with scene() as one:
        one.fault = unknown
        await one.start("2x(gpu=1)")
        assert await one.names() == ["sim-0-0001", "sim-0-0002"]
        assert (await one.node()).status.capacity["nvidia.com/gpu"] == "1"
