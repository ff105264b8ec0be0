"""The client: typed reads, plain writes, watches, and errors as `StatusError`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from urllib.parse import parse_qs

import msgspec
import pytest
import pytest_asyncio

from argosy.api.core import ConfigMap, Namespace, Node, Pod
from argosy.api.meta import PartialObject
from argosy.api.trainer import TrainJob
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.http.message import Request, Response
from argosy.testing.cluster import Cluster, cluster

MAP = {"metadata": {"name": "it", "namespace": "default"}, "data": {"a": "b"}}
POD = {
    "metadata": {"name": "it", "namespace": "default"},
    "spec": {"containers": [{"name": "main", "image": "i"}]},
}
MAPS = ConfigMap.resource


@pytest_asyncio.fixture
async def running() -> AsyncGenerator[Cluster, None]:
    async with cluster() as started:
        yield started


@pytest_asyncio.fixture
async def client(running: Cluster) -> Client:
    return running.client


class Fixed:
    """A transport that gives prepared answers and remembers what it was asked."""

    def __init__(self, answers: Sequence[Response]) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answers.pop(0)

    async def close(self) -> None:
        self.closed = True


async def pieces(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part


def fixed(*answers: Response) -> tuple[Client, Fixed]:
    transport = Fixed(answers)
    return Client(transport, "me"), transport


# reads


async def test_an_object_is_read_as_its_view(client: Client) -> None:
    await client.create(MAPS, MAP)
    found = await client.get(ConfigMap, "it", "default")

    assert found.data == {"a": "b"}
    assert found.key == ("default", "it")
    assert found.metadata.uid


async def test_cluster_scoped_objects_need_no_namespace(client: Client) -> None:
    assert (await client.get(Namespace, "default")).metadata.name == "default"


async def test_what_is_not_there_is_an_error_or_none(client: Client) -> None:
    with pytest.raises(StatusError, match='configmaps "it" not found') as caught:
        await client.get(ConfigMap, "it", "default")

    assert (caught.value.code, caught.value.reason) == (404, "NotFound")
    assert await client.find(ConfigMap, "it", "default") is None


async def test_find_hides_no_other_error() -> None:
    refused, _ = fixed(Response(403, {}, b'{"reason":"Forbidden","message":"no"}'))

    with pytest.raises(StatusError) as caught:
        await refused.find(ConfigMap, "it", "default")
    assert caught.value.code == 403


async def test_lists_are_selected_from(client: Client) -> None:
    for name, color in (("a", "red"), ("b", "blue")):
        labels = {"color": color}
        meta = {"name": name, "namespace": "default", "labels": labels}
        await client.create(MAPS, {"metadata": meta})

    everything = await client.list(ConfigMap)
    red = await client.list(ConfigMap, "default", labels="color in (red)")
    b = await client.list(ConfigMap, "default", fields="metadata.name=b")

    assert [item.metadata.name for item in everything.items] == ["a", "b"]
    assert [item.metadata.name for item in red.items] == ["a"]
    assert [item.metadata.name for item in b.items] == ["b"]
    assert int(everything.metadata.resource_version) > 0


async def test_a_view_of_any_kind_finds_its_resource(client: Client) -> None:
    await client.create(MAPS, MAP)
    found = await client.get(PartialObject, "it", "default", resource=MAPS)
    listed = await client.list(PartialObject, "default", resource=MAPS)

    assert found.metadata.name == "it"
    assert [item.key for item in listed.items] == [("default", "it")]


async def test_pages_are_put_together() -> None:
    def page(name: str, more: str) -> Response:
        body = {
            "metadata": {"resourceVersion": "7", "continue": more},
            "items": [{"metadata": {"name": name}}],
        }
        return Response(200, {}, msgspec.json.encode(body))

    paged, transport = fixed(page("a", "x&y"), page("b", "z"), page("c", ""))
    found = await paged.list(ConfigMap, "default")

    assert [item.metadata.name for item in found.items] == ["a", "b", "c"]
    tokens = [parse_qs(asked.query).get("continue") for asked in transport.asked]
    assert tokens == [None, ["x&y"], ["z"]]


# writes


async def test_writes_are_the_managers(running: Cluster) -> None:
    writer = running.plane.client("writer")
    created = await writer.create(MAPS, MAP)
    merged = await writer.merge(MAPS, "it", "default", {"data": {"c": "d"}})

    assert created["metadata"]["managedFields"][0]["manager"] == "writer"
    assert merged["data"] == {"a": "b", "c": "d"}
    assert {entry["manager"] for entry in merged["metadata"]["managedFields"]} == {"writer"}


async def test_an_update_replaces(client: Client) -> None:
    created = await client.create(MAPS, MAP)
    updated = await client.update(MAPS, {**created, "data": {"x": "y"}})

    assert updated["data"] == {"x": "y"}
    with pytest.raises(StatusError) as caught:
        await client.update(MAPS, created)
    assert caught.value.code == 409


async def test_apply_needs_no_type_and_takes_over(running: Cluster) -> None:
    one, two = running.plane.client("one"), running.plane.client("two")
    await one.apply(MAPS, MAP)
    taken = await two.apply(MAPS, {**MAP, "data": {"a": "c"}})

    assert taken["data"] == {"a": "c"}
    with pytest.raises(StatusError, match="conflict"):
        await one.apply(MAPS, MAP, force=False)


async def test_statuses_are_written_apart(client: Client) -> None:
    await client.create(Pod.resource, POD)
    status = {"status": {"phase": "Running"}}
    await client.merge(Pod.resource, "it", "default", status, subresource="status")

    assert (await client.get(Pod, "it", "default")).status.phase == "Running"


async def test_a_pod_is_bound(client: Client) -> None:
    await client.create(Pod.resource, POD)
    await client.bind("it", "default", "here")

    assert (await client.get(Pod, "it", "default")).spec.node_name == "here"


async def test_deletes(client: Client) -> None:
    created = await client.create(MAPS, MAP)
    await client.delete(MAPS, "it", "default", uid="another's")
    assert await client.find(ConfigMap, "it", "default")

    await client.delete(MAPS, "it", "default", uid=created["metadata"]["uid"])
    assert await client.find(ConfigMap, "it", "default") is None
    await client.delete(MAPS, "it", "default")  # gone is fine


async def test_a_delete_may_say_how_much_time(client: Client) -> None:
    await client.create(Pod.resource, POD)
    await client.bind("it", "default", "here")
    await client.delete(Pod.resource, "it", "default", grace=7)
    going = await client.get(Pod, "it", "default")
    assert going.metadata.deletion_grace_period_seconds == 7

    await client.delete(Pod.resource, "it", "default", grace=0)
    assert await client.find(Pod, "it", "default") is None


async def test_a_delete_hides_no_other_error() -> None:
    refused, _ = fixed(Response(409, {}, b'{"reason":"Conflict","message":"no"}'))

    with pytest.raises(StatusError):
        await refused.delete(MAPS, "it", "default")


# watches


async def test_a_watch_tells_changes_as_views(client: Client) -> None:
    since = (await client.list(ConfigMap)).metadata.resource_version
    await client.create(MAPS, MAP)
    await client.merge(MAPS, "it", "default", {"data": {"a": "c"}})
    await client.delete(MAPS, "it", "default")

    seen = []
    async with asyncio.timeout(1), aclosing(client.watch(ConfigMap, since=since)) as events:
        async for event in events:
            seen.append((event.type, event.object.data["a"]))
            if event.type == "DELETED":
                break
    assert seen == [("ADDED", "b"), ("MODIFIED", "c"), ("DELETED", "c")]


@pytest.mark.parametrize("cut", [1, 7, 40, 10_000])
async def test_a_line_may_come_in_pieces(cut: int) -> None:
    lines = b"".join(
        b'{"type":"ADDED","object":{"metadata":{"name":"m%d"}}}\n\n' % i for i in range(5)
    )
    parts = [lines[i : i + cut] for i in range(0, len(lines), cut)]
    cut_up, _ = fixed(Response(200, {}, pieces(*parts)))

    names = [event.object.metadata.name async for event in cut_up.watch(ConfigMap, since="1")]
    assert names == [f"m{i}" for i in range(5)]


async def test_a_watch_may_come_whole() -> None:
    line = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'
    whole, transport = fixed(Response(200, {}, line * 2))

    events = [event async for event in whole.watch(ConfigMap, "default", since="8", labels="a=b")]
    assert [(event.type, event.object.metadata.resource_version) for event in events] == [
        ("BOOKMARK", "9")
    ] * 2
    asked = parse_qs(transport.asked[0].query)
    assert asked["resourceVersion"] == ["8"]
    assert asked["labelSelector"] == ["a=b"]
    assert asked["watch"] == ["true"]


async def test_a_bookmark_has_none_of_the_fields_that_a_kind_requires() -> None:
    line = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'
    client, _ = fixed(Response(200, {}, line))

    (event,) = [event async for event in client.watch(TrainJob, since="8")]
    assert (event.type, event.object.metadata.resource_version) == ("BOOKMARK", "9")


async def test_history_that_is_gone_is_an_error() -> None:
    line = (
        b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"x"}}\n'
    )
    gone, _ = fixed(Response(200, {}, pieces(line)))

    with pytest.raises(StatusError) as caught:
        [event async for event in gone.watch(ConfigMap, since="1")]
    assert (caught.value.code, caught.value.reason) == (410, "Expired")


async def test_a_watch_that_is_left_lets_go_of_its_stream() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b'{"type":"ADDED","object":{}}\n'
        finally:
            closed.set()

    watcher, _ = fixed(Response(200, {}, endless()))
    async with aclosing(watcher.watch(ConfigMap, since="1")) as events:
        await anext(events)
    assert closed.is_set()


# what goes over the wire


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"kind":"Status","message":"words","reason":"Teapot","code":418}', "words"),
        (b"<html>gateway</html>", "<html>gateway</html>"),
        (b"[]", "the server answered 418"),
        (b"", ""),
        (b"\xff", "\ufffd"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_any_failure_is_a_status_error(body: bytes, message: str, whole: bool) -> None:
    failing, _ = fixed(Response(418, {}, body if whole else pieces(body)))

    with pytest.raises(StatusError) as caught:
        await failing.get(Node, "a")
    assert caught.value.code == 418
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (lambda c: c.get(Node, "a b/c"), "/api/v1/nodes/a%20b/c"),
        (lambda c: c.get(Node, "ä?x=1#y"), "/api/v1/nodes/%C3%A4%3Fx%3D1%23y"),
        (lambda c: c.get(ConfigMap, "a", "b"), "/api/v1/namespaces/b/configmaps/a"),
    ],
)
async def test_paths_are_quoted(ask: Callable[[Client], object], path: str) -> None:
    quoting, transport = fixed(Response(200, {}, b"{}"))
    asked = ask(quoting)
    assert asyncio.iscoroutine(asked)
    await asked

    assert transport.asked[0].path == path
    assert transport.asked[0].query == ""


async def test_a_request_says_who_asks_and_in_what() -> None:
    asking, transport = fixed(Response(200, {}, b"{}"), Response(200, {}, b"{}"))
    await asking.apply(MAPS, {"metadata": {"name": "it", "namespace": "default"}})
    await asking.get(ConfigMap, "it", "default")

    write, read = transport.asked
    assert write.method == "PATCH"
    assert write.headers["content-type"] == "application/apply-patch+yaml"
    assert parse_qs(write.query) == {"fieldManager": ["me"], "force": ["true"]}
    assert msgspec.json.decode(write.body)["kind"] == "ConfigMap"
    assert write.headers["user-agent"] == read.headers["user-agent"] == "me"
    assert "content-type" not in read.headers
    assert read.body == b""


async def test_a_stream_comes_in_pieces() -> None:
    streaming, _ = fixed(Response(200, {}, pieces(b"a", b"b")), Response(200, {}, b"whole"))

    assert [piece async for piece in streaming.stream("/log", {})] == [b"a", b"b"]
    assert [piece async for piece in streaming.stream("/log", {})] == [b"whole"]


async def test_of_what_was_created_the_metadata_is_read() -> None:
    meta = {"name": "it-x", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    way = Fixed([Response(201, {}, msgspec.json.encode({"metadata": meta, "data": 1}))])
    made = await Client(way, "me").created(MAPS, MAP)
    assert (made.name, made.uid, made.resource_version) == ("it-x", "u", "7")
    assert (way.asked[0].method, way.asked[0].query) == ("POST", "fieldManager=me")
