"""Silent nodes: given up after their time of grace, in upstream's words, and never too early."""

import asyncio

import msgspec
import pytest

from argosy.api.core import Node, Pod
from argosy.api.leases import Lease
from argosy.api.meta import condition
from argosy.base.clock import timestamp
from argosy.controllers.nodelifecycle.controllers import add_node_lifecycle
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.nodelifecycle.kit import LEASES, TOLD, Nodes, watched
from tests.runtime.kit import faulty, no_fault

UNREACHABLE = "node.kubernetes.io/unreachable"
NOT_READY = "node.kubernetes.io/not-ready"


async def statuses(it: Nodes, name: str) -> set[str]:
    return {one.status for one in (await it.conditions(name)).values()}


async def ready(it: Nodes, name: str) -> str:
    said = condition((await it.client.get(Pod, name, "default")).status.conditions, "Ready")
    return said.status if said is not None else ""


async def test_a_node_that_renews_its_lease_stays_as_it_is() -> None:
    async with watched() as it:
        await it.add("a")
        before = (await it.client.get(Node, "a")).metadata.resource_version
        await it.live(600, "a")
        assert (await it.client.get(Node, "a")).metadata.resource_version == before


async def test_a_silent_node_is_given_up_after_its_time_of_grace() -> None:
    async with watched() as it:
        await it.add("a", "b")
        pod = await it.pod("p", "a")
        await it.live(50, "b")
        assert await statuses(it, "a") == {"True", "False"}
        await it.live(10, "b")
        found = await it.conditions("a")
        assert set(found) == set(TOLD)
        for one in found.values():
            assert one.status == "Unknown" and one.reason == "NodeStatusUnknown"
            assert one.message == "Kubelet stopped posting node status."
        assert found["Ready"].last_heartbeat_time == "2026-01-01T00:00:00Z"
        assert await statuses(it, "b") == {"True", "False"}
        assert await it.events("NodeNotReady") == [
            "Node a status is now: NodeNotReady",
            "Node is not ready",
        ]
        assert await ready(it, "p") == "False"
        assert pod.status.phase == "Running"
        assert await it.evicting("a") == [UNREACHABLE]


async def test_a_status_is_a_sign_of_life_as_well() -> None:
    async with watched() as it:
        await it.add("a", "b")
        for _ in range(10):
            await it.live(40, "b")
            await it.say("a", "True")
        assert await statuses(it, "a") == {"True", "False"}


async def test_a_node_that_never_said_a_word_gets_a_minute() -> None:
    async with watched() as it:
        await it.add("b")
        await it.client.create(Node.resource, {"metadata": {"name": "a"}})
        await it.live(60, "b")
        assert await it.conditions("a") == {}
        await it.live(10, "b")
        found = await it.conditions("a")
        assert set(found) == set(TOLD)
        for one in found.values():
            assert (one.status, one.reason) == ("Unknown", "NodeStatusNeverUpdated")
            assert one.message == "Kubelet never posted node status."
        await it.live(10, "b")
        assert await it.evicting("a") == [UNREACHABLE]


async def test_a_node_that_comes_back_is_free_again() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.live(70, "b")
        assert await it.evicting("a") == [UNREACHABLE]
        await it.say("a", "True")
        await it.live(20, "a", "b")
        assert await it.evicting("a") == []
        assert await statuses(it, "a") == {"True", "False"}
        await it.live(70, "b")
        assert (await it.conditions("a"))["Ready"].status == "Unknown"
        assert len(await it.events("NodeNotReady")) == 1  # counted


async def test_a_node_that_says_that_it_is_not_ready_is_tainted_so() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.pod("p", "a")
        await it.say("a", "False")
        await it.live(10, "a", "b")
        assert await it.evicting("a") == [NOT_READY]
        assert await it.events("NodeNotReady") == []
        await it.live(70, "b")
        assert await it.evicting("a") == [UNREACHABLE]
        await it.say("a", "False")
        await it.live(10, "a", "b")
        assert await it.evicting("a") == [NOT_READY]


async def test_a_pod_that_comes_to_a_silent_node_is_not_ready() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.live(70, "b")
        await it.pod("p", "a", tolerations=[{"operator": "Exists"}])
        await it.live(10, "b")
        assert await ready(it, "p") == "False"


async def test_nodes_that_come_and_go_are_told_of() -> None:
    async with watched() as it:
        await it.add("a")
        await it.clock.advance(5)
        assert await it.events("RegisteredNode") == [
            "Node a event: Registered Node a in Controller"
        ]
        await it.client.delete(Node.resource, "a")
        await it.clock.advance(5)
        assert await it.events("RemovingNode") == ["Node a event: Removing Node a from Controller"]


async def test_who_was_away_for_an_hour_gives_the_nodes_their_time_again() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Nodes(running.client, clock)

        async def live(seconds: float, *names: str) -> None:
            manager = Manager(running.plane.client("argosy"), clock)
            add_node_lifecycle(manager)
            task = asyncio.create_task(manager.run())
            await settle()
            await it.live(seconds, *names)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        await it.add("a", "b")
        await live(30, "a", "b")
        await clock.advance(3600)
        await live(50)
        assert await statuses(it, "a") == await statuses(it, "b") == {"True", "False"}
        await clock.advance(3600)
        await live(70, "b")
        assert await statuses(it, "a") == {"Unknown"}
        assert await statuses(it, "b") == {"True", "False"}


async def test_a_process_that_was_stopped_for_a_while_gives_the_nodes_their_time_again() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.live(30, "a", "b")
        it.clock._elapsed += 3600
        await it.live(50, "b")
        assert await statuses(it, "a") == {"True", "False"}
        await it.live(20, "b")
        assert await statuses(it, "a") == {"Unknown"}


async def test_when_all_nodes_are_lost_nothing_is_evicted() -> None:
    async with watched() as it:
        await it.add("a", "b")
        await it.pod("p", "a", tolerations=[{"key": "x", "operator": "Exists"}])
        await it.live(70, "b")
        assert await it.evicting("a") == [UNREACHABLE]
        await it.clock.advance(70)
        assert await it.evicting("a") == await it.evicting("b") == []
        await it.clock.advance(3600)
        assert not await it.gone("p")
        await it.say("b", "True")
        await it.live(50, "b")
        assert await it.evicting("a") == [UNREACHABLE]


async def test_in_a_zone_nodes_are_tainted_ten_seconds_apart() -> None:
    async with watched() as it:
        await it.add("a1", "a2", "a3", "a4", "a5", "a6", zone="a")
        await it.add("b", zone="b")
        healthy = ("a4", "a5", "a6", "b")
        await it.live(60, *healthy)
        counts = []
        for _ in range(4):
            counts.append(sum([bool(await it.evicting(f"a{i}")) for i in (1, 2, 3)]))
            await it.live(10, *healthy)
        assert counts == [1, 2, 3, 3]


async def test_in_a_small_zone_that_is_disrupted_evictions_stop() -> None:
    async with watched() as it:
        await it.add("a1", "a2", "a3", "a4", "a5", zone="a")
        await it.add("b", zone="b")
        await it.live(300, "a4", "a5", "b")
        tainted = [name for name in ("a1", "a2", "a3") if await it.evicting(name)]
        assert len(tainted) <= 1
        assert await statuses(it, "a1") == {"Unknown"}


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize(("code", "least", "most"), [(0, 10, 60), (503, 10, 60), (403, 0, 10)])
async def test_what_fails_is_done_later(method: str, code: int, least: int, most: int) -> None:
    """At the next look; but where the server answers nothing, or takes nothing, the nodes can't
    speak to it either: they have their time again.
    """
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        add_node_lifecycle(manager)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        it = Nodes(running.client, clock)
        await it.add("a", "b")

        async def fail(request: Request) -> Response | None:
            if request.method != method or not request.path.startswith("/api/v1/nodes/"):
                return None
            if not code:
                raise ConnectionError("reset")
            return Response(code, {}, msgspec.json.encode({"kind": "Status", "code": code}))

        transport.fault = fail
        await it.live(100, "b")
        transport.fault = no_fault
        await it.live(least, "b")
        assert await statuses(it, "a") == {"True", "False"}
        await it.live(most - least, "b")
        assert await statuses(it, "a") == {"Unknown"}


async def test_pods_whose_status_others_write_are_said_to_be_unready_later() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        add_node_lifecycle(manager)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        it = Nodes(running.client, clock)
        await it.add("a", "b")
        await it.pod("p", "a")

        async def refuse(request: Request) -> Response | None:
            if request.method == "PATCH" and "/pods/p" in request.path:
                return Response(409, {}, msgspec.json.encode({"kind": "Status", "code": 409}))
            return None

        transport.fault = refuse
        await it.live(80, "b")
        assert "Unknown" in await statuses(it, "a")
        assert await ready(it, "p") == "True"
        transport.fault = no_fault
        await it.live(10, "b")
        assert await ready(it, "p") == "False"


async def test_a_cache_that_lags_gives_nobody_up() -> None:
    """The watch of leases hangs; the server knows better."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        add_node_lifecycle(manager)
        running.manager.add_runner(manager.run)

        async def hang(request: Request) -> Response | None:
            if "watch=true" in request.query and "leases" in request.path:
                await asyncio.Event().wait()
            return None

        transport.fault = hang
        running.start()
        await settle()
        it = Nodes(running.client, clock)
        await it.add("a", "b")
        await it.live(200, "a", "b")
        assert await statuses(it, "a") == await statuses(it, "b") == {"True", "False"}


async def test_a_lease_of_another_namespace_is_no_sign() -> None:
    async with watched() as it:
        await it.add("a", "b")
        body = {"metadata": {"name": "a", "namespace": "default"}, "spec": {}}
        await it.client.create(Lease.resource, body)
        for _ in range(7):
            renewed = {"spec": {"renewTime": f"{timestamp(it.clock.now())[:-1]}.000000Z"}}
            await it.client.merge(Lease.resource, "a", "default", renewed)
            await it.live(10, "b")
        assert await statuses(it, "a") == {"Unknown"}
        assert await it.client.find(Lease, "a", LEASES) is None
