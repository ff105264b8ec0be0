"""Pods on simulated nodes, from their binding to their end, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from argosy.api.core import Event, Pod
from argosy.api.meta import condition
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.node.simulated.groups import parse_groups
from argosy.node.simulated.nodes import all_nodes
from argosy.node.simulated.player import Player
from argosy.node.simulated.runs import FAILURES, RUN
from argosy.runtime.controller import DONE
from argosy.runtime.manager import Manager
from argosy.testing.builders import pod
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import Faulty

Json = dict[str, Any]
NODE = "sim-0-0001"


@asynccontextmanager
async def playing(spec: str = "2x()") -> AsyncGenerator[tuple[Cluster, FakeClock, Player], None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        player = Player(running.manager, all_nodes(parse_groups([spec])))
        running.manager.add(player.controller())
        running.start()
        yield running, clock, player


def annotated(name: str = "pod", *, node: str = NODE, **annotations: str) -> Json:
    names = {"run": RUN, "rate": FAILURES}
    made = pod(name, nodeName=node, restartPolicy="Never")
    made["metadata"]["annotations"] = {names[key]: value for key, value in annotations.items()}
    return made


async def read(running: Cluster, name: str = "pod") -> Pod:
    await running.calm()
    return await running.client.get(Pod, name, "default")


async def test_a_pod_runs_for_as_long_as_it_says() -> None:
    async with playing() as (running, clock, _):
        await clock.advance(0.75)
        await running.make(Pod, annotated(run="90s"))
        found = await read(running)
        told = condition(found.status.conditions, "Ready")
        assert found.status.phase == "Running" and told is not None and told.status == "True"
        assert found.status.host_ip == "100.64.0.1"
        await clock.advance(89.75)
        assert (await read(running)).status.phase == "Running"
        await clock.advance(0.25)
        assert (await read(running)).status.phase == "Succeeded"


async def test_a_pod_that_says_nothing_runs_on() -> None:
    async with playing() as (running, clock, _):
        await running.make(Pod, annotated())
        await running.calm()
        await clock.advance(10**6)
        assert (await read(running)).status.phase == "Running"


async def test_only_its_own_pods_are_played() -> None:
    async with playing() as (running, _, _):
        await running.make(Pod, annotated("elsewhere", node="localhost"))
        await running.make(Pod, pod("nowhere"))
        for name in ("elsewhere", "nowhere"):
            assert (await read(running, name)).status.phase == "Pending"
        await running.client.bind("nowhere", "default", NODE)
        assert (await read(running, "nowhere")).status.phase == "Running"


async def test_a_pod_elsewhere_that_has_the_name_next_is_left_alone() -> None:
    async with playing() as (running, _, player):
        await running.make(Pod, annotated(node="localhost", run="1"))
        await running.client.delete(Pod.resource, "pod", "default")
        found = await read(running)
        assert await player.reconcile(found) == DONE  # as where both changes came at once
        assert (await read(running)).status.phase == "Pending"


async def test_as_many_fail_as_the_node_says() -> None:
    async with playing("2x(failure-rate=1)") as (running, clock, _):
        await running.make(Pod, annotated("bad", run="0"))
        await running.make(Pod, annotated("good", run="5", rate="0"))
        await running.calm()
        await clock.advance(5)
        assert (await read(running, "bad")).status.phase == "Failed"
        assert (await read(running, "good")).status.phase == "Succeeded"


async def test_each_pod_has_its_own_address() -> None:
    async with playing() as (running, _, _):
        for number in range(40):
            await running.client.create(Pod.resource, annotated(f"pod-{number}"))
        await running.calm()
        pods = (await running.client.list(Pod, "default")).items
        assert len({found.status.pod_ip for found in pods} - {""}) == 40


async def test_pods_on_the_nodes_network_have_its_address() -> None:
    async with playing() as (running, _, _):
        await running.make(Pod, pod(nodeName="sim-0-0002", hostNetwork=True))
        found = await read(running)
        assert found.status.pod_ip == found.status.host_ip == "100.64.0.2"


async def test_a_wrong_annotation_is_told_and_can_be_mended() -> None:
    async with playing() as (running, clock, _):
        await running.make(Pod, annotated(run="soon"))
        found = await read(running)
        waiting = found.status.container_statuses[0].state.waiting
        assert found.status.phase == "Pending" and waiting is not None
        assert f'metadata.annotations[{RUN}]: Invalid value: "soon"' in waiting.message
        await clock.advance(60)
        (event,) = (await running.client.list(Event, "default")).items
        assert event.reason == "InvalidSimulation" and "soon" in event.message
        await annotate(running.client, "30")
        assert (await read(running)).status.phase == "Running"
        await annotate(running.client, "nonsense")  # it runs on
        await clock.advance(29)
        assert (await read(running)).status.phase == "Running"
        await annotate(running.client, "30")
        await running.calm()
        await clock.advance(1)
        assert (await read(running)).status.phase == "Succeeded"


async def annotate(client: Client, text: str) -> None:
    await client.merge(Pod.resource, "pod", "default", {"metadata": {"annotations": {RUN: text}}})


async def test_what_is_deleted_goes() -> None:
    async with playing() as (running, _, player):
        await running.make(Pod, annotated(run="1h"))
        await running.calm()
        assert player._began
        await running.client.delete(Pod.resource, "pod", "default")
        await running.calm()
        assert await running.client.find(Pod, "pod", "default") is None
        assert not player._began


async def test_who_waits_for_the_end_of_what_is_deleted_learns_of_it() -> None:
    async with playing() as (running, _, _):
        made = annotated()
        made["metadata"]["finalizers"] = ["example.com/waits"]
        await running.make(Pod, made)
        await running.calm()
        await running.client.delete(Pod.resource, "pod", "default")
        found = await read(running)
        ended = found.status.container_statuses[0].state.terminated
        assert found.status.phase == "Failed" and ended is not None and ended.exit_code == 143
        assert found.metadata.deletion_grace_period_seconds == 0
        patch = {"metadata": {"finalizers": None}}
        await running.client.merge(Pod.resource, "pod", "default", patch)
        assert await running.client.find(Pod, "pod", "default") is None


async def test_a_new_process_goes_on_with_the_rest_of_the_run() -> None:
    async with playing() as (running, clock, _):
        await running.make(Pod, annotated(run="60"))
        await running.make(Pod, annotated("other", run="60"))
        first = await read(running)
        await clock.advance(20)
        running.tasks[0].cancel()
        manager = Manager(running.plane.client("argosy"), clock)
        manager.add(Player(manager, all_nodes(parse_groups(["2x()"]))).controller())
        running.tasks.append(asyncio.create_task(manager.run()))
        await running.make(Pod, annotated("third"))
        found = await read(running)
        assert (found.status.phase, found.status.start_time) == (
            "Running",
            first.status.start_time,
        )
        addresses = {(await read(running, n)).status.pod_ip for n in ("pod", "other", "third")}
        assert len(addresses) == 3
        await clock.advance(39)
        assert (await read(running)).status.phase == "Running"
        await clock.advance(1)
        assert (await read(running)).status.phase == "Succeeded"


async def test_what_was_told_is_not_told_again() -> None:
    async with playing() as (running, _, _):
        running.tasks[0].cancel()
        transport = Faulty(running.client.transport)
        manager = Manager(Client(transport, "argosy"), running.manager.clock)
        manager.add(Player(manager, all_nodes(parse_groups(["2x()"]))).controller())
        running.tasks.append(asyncio.create_task(manager.run()))
        await running.make(Pod, annotated())
        await read(running)
        transport.seen.clear()
        patch = {"metadata": {"labels": {"a": "b"}}}
        await running.client.merge(Pod.resource, "pod", "default", patch)
        assert (await read(running)).metadata.labels == {"a": "b"}
        assert transport.count("PATCH") == 0


async def test_a_pod_that_was_called_unready_says_that_it_is_not() -> None:
    async with playing() as (running, _, _):
        await running.make(Pod, annotated())
        found = await read(running)
        unready = [{"type": "Ready", "status": "False"}]
        patch = {"status": {"conditions": unready}}
        await running.client.merge(Pod.resource, "pod", "default", patch, subresource="status")
        found = await read(running)
        told = condition(found.status.conditions, "Ready")
        assert told is not None and told.status == "True"


async def test_what_was_read_long_ago_does_not_undo_what_was_told_since() -> None:
    async with playing() as (running, clock, player):
        await running.make(Pod, annotated(run="90s"))
        running_still = await read(running)
        await clock.advance(90)
        assert (await read(running)).status.phase == "Succeeded"
        old = replace(running_still, status=replace(running_still.status, phase="Pending"))
        with pytest.raises(StatusError, match="has been modified"):
            await player.reconcile(old)
        assert (await read(running)).status.phase == "Succeeded"
