"""Extenders asked over HTTP, with a whole API server: their words are JSON as upstream has it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from argosy.api.core import Node, Pod
from argosy.client.client import Client
from argosy.client.kubeconfig import Access
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.extenders.asking import Extenders
from argosy.scheduler.extenders.extender import Extender
from argosy.scheduler.loop import Scheduler
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.profiles import Setup
from argosy.scheduler.state import State
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import group, node, pod
from tests.scheduler.test_loop import make, make_node, make_pod, placed
from tests.scheduler.test_profiles import told

Said = Callable[[Any], Awaitable[Any]]


@dataclass
class Stranger:
    """An extender that answers as it is told, and remembers what it was asked."""

    answers: dict[str, Said]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def handle(self, request: Request) -> Response:
        verb = request.path.removeprefix("/scheduler/")
        body = msgspec.json.decode(request.body)
        self.asked.append((verb, body))
        said = await self.answers[verb](body)
        if isinstance(said, Response):
            return said
        return Response(200, {"content-type": "application/json"}, msgspec.json.encode(said))

    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.asked]


def says(answer: Any) -> Said:
    async def said(_: Any) -> Any:
        return answer

    return said


@asynccontextmanager
async def scheduling(
    stranger: Stranger, *, nodes: int = 3, **options: Any
) -> AsyncGenerator[tuple[Cluster, FakeClock], None]:
    """A cluster whose scheduler asks the stranger for the verbs that it answers."""
    server = await serve(stranger.handle, addresses=[("127.0.0.1", 0)], tls=None)
    host, port = next(iter(server.addresses))
    verbs: dict[str, Any] = {f"{verb}_verb": verb for verb in stranger.answers}
    extender = Extender(access=Access(f"http://{host}:{port}/scheduler"), **verbs, **options)
    clock = FakeClock()
    try:
        async with cluster(clock=clock) as running:
            for number in range(nodes):
                await make_node(running.client, f"n{number}", labels={"number": str(number)})
            setup = Setup(extenders=(extender,))
            running.manager.add_runner(Scheduler(running.manager, setup).run)
            running.start()
            yield running, clock
    finally:
        await server.close()


async def node_of(running: Cluster, name: str) -> str:
    return (await running.until(Pod, name, "default", placed)).spec.node_name


async def test_nodes_are_filtered_and_rated_by_name() -> None:
    stranger = Stranger(
        {
            "filter": says({"NodeNames": ["n1", "n2"], "FailedNodes": {"n0": "not you"}}),
            "prioritize": says([{"Host": "n1", "Score": 1}, {"Host": "n2", "Score": 9}]),
        }
    )
    async with scheduling(stranger, by_name=True, weight=100) as (running, _):
        await make_pod(running.client, "p", spec={"nodeSelector": None, "hostname": "told"})
        assert await node_of(running, "p") == "n2"
    (_, asked), (_, rated) = stranger.asked
    assert asked["Pod"]["spec"]["hostname"] == "told"
    assert asked["Pod"]["spec"]["terminationGracePeriodSeconds"] == 30
    assert (asked["NodeNames"], asked["Nodes"]) == (["n0", "n1", "n2"], None)
    assert rated["NodeNames"] == ["n1", "n2"]


async def test_whole_nodes_are_sent_to_who_does_not_know_them() -> None:
    async def odd(args: Any) -> Any:
        items = args["Nodes"]["items"]
        kept = [item for item in items if item["metadata"]["labels"]["number"] == "1"]
        return {"nodes": {"items": kept}, "nodenames": None, "error": ""}

    stranger = Stranger({"filter": odd})
    async with scheduling(stranger) as (running, _):
        await make_pod(running.client, "p")
        assert await node_of(running, "p") == "n1"
    ((_, asked),) = stranger.asked
    assert asked["NodeNames"] is None
    assert asked["Nodes"]["items"][0]["status"]["allocatable"]["cpu"] == "4"


async def test_what_nobody_passes_is_told_in_the_extenders_words() -> None:
    answer = {
        "NodeNames": [],
        "FailedNodes": {"n0": "too old" + "!" * 10_000, "n1": "too old"},
        "FailedAndUnresolvableNodes": {"n1": "never"},
    }
    stranger = Stranger({"filter": says(answer)})
    async with scheduling(stranger, by_name=True) as (running, _):
        await make_pod(running.client, "p")
        reason, message = await told(running, "p")
    assert reason == "Unschedulable"
    assert len(message) < 600
    assert message.startswith(
        "0/3 nodes are available: 1 never, 1 node(s) did not pass the extenders, 1 too old!!!"
    )


async def test_only_pods_with_its_resources_are_its_business() -> None:
    stranger = Stranger({"filter": says({"NodeNames": ["n2"]})})
    managed = frozenset(("example.com/fpga",))
    async with scheduling(stranger, by_name=True, managed=managed) as (running, _):
        await running.client.merge(
            Node.resource,
            "n2",
            "",
            {"status": {"allocatable": {"example.com/fpga": "1"}}},
            subresource="status",
        )
        await make_pod(running.client, "plain")
        await node_of(running, "plain")
        assert stranger.asked == []
        resources = {"limits": {"example.com/fpga": "1"}, "requests": {"example.com/fpga": "1"}}
        containers = [{"name": "c", "image": "i", "resources": resources}]
        await make_pod(running.client, "fpga", spec={"containers": containers})
        assert await node_of(running, "fpga") == "n2"
    assert stranger.verbs() == ["filter"]
    assert stranger.asked[0][1]["NodeNames"] == ["n2"]


async def test_it_binds_in_our_place() -> None:
    running: list[Cluster] = []

    async def bind(args: Any) -> Any:
        name, namespace = args["PodName"], args["PodNamespace"]
        await running[0].client.bind(name, namespace, args["Node"])
        return {"Error": ""}

    stranger = Stranger({"bind": bind})
    async with scheduling(stranger, nodes=1) as (found, _):
        running.append(found)
        await make_pod(found.client, "p")
        assert await node_of(found, "p") == "n0"
        uid = (await found.client.get(Pod, "p", "default")).metadata.uid
    expected = {"PodName": "p", "PodNamespace": "default", "PodUID": uid, "Node": "n0"}
    assert stranger.asked == [("bind", expected)]


async def test_what_it_can_not_bind_is_tried_again() -> None:
    answers = [{"Error": "not today"}]
    running: list[Cluster] = []

    async def bind(args: Any) -> Any:
        if answers:
            return answers.pop()
        await running[0].client.bind(args["PodName"], args["PodNamespace"], args["Node"])
        return {}

    stranger = Stranger({"bind": bind})
    async with scheduling(stranger, nodes=1) as (found, clock):
        running.append(found)
        await make_pod(found.client, "p")
        while not stranger.asked or answers:
            await asyncio.sleep(0.01)
        await settle(200)
        await clock.advance(1)
        assert await node_of(found, "p") == "n0"
    assert stranger.verbs() == ["bind", "bind"]


FAILURES: list[tuple[str, Any, str]] = [
    (
        "filter",
        Response(500, {}, b"oops"),
        "failed filter with extender at URL {}/filter, code 500",
    ),
    ("filter", {"Error": "I am ill"}, "I am ill"),
    ("filter", Response(200, {}, b"{"), "extender {}/filter: Input data was truncated"),
    ("filter", {"NodeNames": 5}, "extender {}/filter: int is no list of nodes"),
    ("filter", {"Nodes": {"items": {"n1": {}}}}, "extender {}/filter: dict is no list of nodes"),
    (
        "filter",
        {"NodeNames": ["n7"]},
        'extender "{}" claims a filtered node "n7" which is not found in the input node list',
    ),
]


@pytest.mark.parametrize(("verb", "answer", "text"), FAILURES)
async def test_a_pod_is_told_of_an_extender_that_fails(verb: str, answer: Any, text: str) -> None:
    answers = [answer, {"NodeNames": ["n1"]}]
    stranger = Stranger({})

    async def said(_: Any) -> Any:
        return answers.pop(0)

    stranger.answers[verb] = said
    async with scheduling(stranger, by_name=True) as (running, clock):
        await make_pod(running.client, "p")
        reason, message = await told(running, "p")
        assert reason == "SchedulerError"
        before, _, after = text.partition("{}")
        assert message.startswith(before) and message.endswith(after)
        await settle()
        await clock.advance(1)
        assert await node_of(running, "p") == "n1"


@pytest.mark.parametrize("answer", [Response(500, {}, b""), {"Error": "ill"}])
async def test_an_ignorable_one_is_done_without(answer: Any) -> None:
    stranger = Stranger({"filter": says(answer), "bind": says(answer)})
    async with scheduling(stranger, ignorable=True, by_name=True) as (running, _):
        await make_pod(running.client, "p")
        await node_of(running, "p")
    assert stranger.verbs() == ["filter", "bind"]


@pytest.mark.parametrize(
    "answer",
    [
        Response(500, {}, b""),
        [{"Host": "n2", "Score": 11}],
        [{"Host": "n2", "Score": -1}],
        [{"Host": "n2", "Score": "9"}],
        {"n2": 10},
    ],
)
async def test_ratings_that_can_not_be_had_are_done_without(answer: Any) -> None:
    stranger = Stranger({"prioritize": says(answer)})
    async with scheduling(stranger, by_name=True, weight=1000) as (running, _):
        await make_pod(running.client, "p")
        assert await node_of(running, "p") == "n0"


async def test_one_that_hangs_holds_nobody_else_up() -> None:
    async def hang(_: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    stranger = Stranger({"filter": hang})
    managed = frozenset(("example.com/fpga",))
    async with scheduling(stranger, managed=managed, seconds=0.3, nodes=1) as (running, _):
        node = {"status": {"allocatable": {"example.com/fpga": "100"}}}
        await running.client.merge(
            Node.resource,
            "n0",
            "",
            node,
            subresource="status",
        )
        resources = {"limits": {"example.com/fpga": "1"}, "requests": {"example.com/fpga": "1"}}
        containers = [{"name": "c", "image": "i", "resources": resources}]
        for number in range(70):  # more than are written at once
            await make_pod(running.client, f"fpga{number}", spec={"containers": containers})
        await make_pod(running.client, "plain")
        await node_of(running, "plain")
        reason, message = await told(running, "fpga0")
        assert reason == "SchedulerError" and message.endswith("/filter: no answer within 0.3 s")


async def test_a_gang_is_asked_of_pod_by_pod() -> None:
    stranger = Stranger({"filter": says({"NodeNames": ["n1"]})})
    async with scheduling(stranger, by_name=True) as (running, _):
        await make(running.client, group())
        for name in ("a", "b"):
            await make_pod(running.client, name, gang="g")
        for name in ("a", "b"):
            assert await node_of(running, name) == "n1"


@dataclass
class Api:
    """An API server with nodes, and any pod that is asked for; it remembers what was."""

    nodes: list[str]
    asked: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.asked.append(request.path)
        body: Any = {"metadata": {"name": request.path.rpartition("/")[2]}}
        if request.path == Node.resource.path():
            body = {"items": [{"metadata": {"name": name}} for name in self.nodes]}
        return Response(200, {}, msgspec.json.encode(body))

    async def close(self) -> None: ...


async def test_all_nodes_are_listed_once_for_a_gang_and_answers_hold_for_one_decision() -> None:
    async def all_of(args: Any) -> Any:
        return {"Nodes": args["Nodes"]}

    api, state, pods = Api(["n0", "n1"]), State(), [pod(name, gang="g") for name in "abc"]
    for name in api.nodes:
        state.nodes.put_node(node(name))
    server = await serve(
        Stranger({"filter": all_of}).handle, addresses=[("127.0.0.1", 0)], tls=None
    )
    host, port = next(iter(server.addresses))
    extender = Extender(access=Access(f"http://{host}:{port}/scheduler"), filter_verb="filter")
    extenders = Extenders(Client(api), (extender,))
    decider = Decider(state, (*PLUGINS, extenders.plugin))
    try:
        await extenders.ask(decider, pods)
    finally:
        await extenders.close()
        await server.close()
    assert api.asked.count(Node.resource.path()) == 1
    unit = Unit(pods=tuple(pods))
    decided = decider.decide(unit)
    assert len(decided.placements) == 3
    for placement in reversed(decided.placements):
        state.retract(placement)
    extenders.forget(pods)  # the next decision is one on what they say then
    assert decider.decide(unit).busy


async def test_a_node_that_it_was_not_shown_is_not_taken() -> None:
    """While it was asked, the only node was closed and another came."""
    asked: list[list[str]] = []
    running: list[Cluster] = []

    async def said(args: Any) -> Any:
        asked.append(args["NodeNames"])
        if len(asked) == 1:
            closed = {"spec": {"unschedulable": True}}
            await running[0].client.merge(Node.resource, "n0", "", closed)
            await make_node(running[0].client, "n1")
            await settle(100)
        return {"NodeNames": args["NodeNames"]}

    async with scheduling(Stranger({"filter": said}), nodes=1, by_name=True) as (found, clock):
        running.append(found)
        await make_pod(found.client, "p")
        while not asked:
            await asyncio.sleep(0.01)
        for _ in range(3):
            await asyncio.sleep(0.01)
            await settle(100)
            await clock.advance(1)
        assert await node_of(found, "p") == "n1"
    assert asked == [["n0"], ["n1"]]


async def test_room_is_made_for_a_pod_that_it_cares_for() -> None:
    """It is shown the node once the other pod is gone."""
    stranger = Stranger({"filter": says({"NodeNames": ["n0"]})})
    async with scheduling(stranger, nodes=1, by_name=True) as (running, clock):
        await make_pod(running.client, "low", requests={"cpu": "3"})
        await node_of(running, "low")
        spec = {"priorityClassName": "system-cluster-critical"}
        await make_pod(running.client, "high", requests={"cpu": "3"}, spec=spec)
        async with asyncio.timeout(5):
            while (low := await running.client.find(Pod, "low", "default")) is not None:
                if low.metadata.deletion_timestamp:
                    await running.client.delete(Pod.resource, "low", "default", grace=0)
                await asyncio.sleep(0.01)
        for _ in range(3):
            await settle(100)
            await clock.advance(1)
        assert await node_of(running, "high") == "n0"
    assert [args["Pod"]["metadata"]["name"] for _, args in stranger.asked] == ["low", "high"]
