"""Streams into pods: what is asked of the node, and what is refused before."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from argosy.http.message import Duplex, Request, Response
from tests.apiserver.kit import Answer, Api, answered, body, path, serving

EXEC = path("Pod", "it", "exec")
ATTACH = path("Pod", "it", "attach")
FORWARD = path("Pod", "it", "portforward")


async def nothing(client: Duplex) -> None:
    """Takes a connection over and is through."""


class Node:
    """A node's own API that grants everything and remembers what it was asked."""

    def __init__(self, response: Response | None = None) -> None:
        self.response = response or Response(101, {"Upgrade": "a"}, upgrade=nothing)
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self.response


def asking(
    api: Api, where: str, query: str = "", *, method: str = "GET", upgrade: str = "a"
) -> Request:
    headers = {
        "authorization": f"Bearer {api.cluster.plane.token}",
        "x-remote-group": "system:masters",
        "x-other": "kept",
    }
    return Request(method, where, query, headers, upgrade=upgrade)


async def refused(api: Api, request: Request) -> Answer:
    return await answered(api.cluster.plane.server.handle, request)


async def pod(api: Api, *names: str, node: str = "here") -> None:
    whole = body("Pod")
    whole["spec"]["containers"] = [{"name": n, "image": "i"} for n in names or ("main",)]
    if node:
        whole["spec"]["nodeName"] = node
    await api.create("Pod", whole)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("where", "query", "asked", "options"),
    [
        (
            EXEC,
            "command=sh&command=-c&command=a+b%26&stdin=true&stdout=1&tty",
            "/exec/default/it/main",
            {"command": ["sh", "-c", "a b&"], "input": ["1"], "output": ["1"], "tty": ["1"]},
        ),
        (EXEC, "command=&stderr=false&stdout=0", "/exec/default/it/main", {"command": [""]}),
        (
            ATTACH,
            "container=main&stderr=yes&command=x",
            "/attach/default/it/main",
            {"error": ["1"]},
        ),
        (FORWARD, "", "/portForward/default/it", {}),
        (FORWARD, "ports=80&ports=443", "/portForward/default/it", {"port": ["80,443"]}),
    ],
)
async def test_a_stream_is_asked_of_the_node(
    method: str, where: str, query: str, asked: str, options: Mapping[str, list[str]]
) -> None:
    node = Node()
    async with serving(node=node) as api:
        await pod(api)
        response = await api.cluster.plane.server.handle(asking(api, where, query, method=method))

    assert response is node.response
    (seen,) = node.asked
    assert (seen.method, seen.path, seen.upgrade) == (method, asked, "a")
    assert parse_qs(seen.query, keep_blank_values=True) == options
    assert seen.headers == {"x-other": "kept"}


@pytest.mark.parametrize(
    ("where", "query", "upgrade", "message"),
    [
        (EXEC, "command=a", "", "Upgrade request required"),
        (ATTACH, "", "", "Upgrade request required"),
        (FORWARD, "", "", "Upgrade request required"),
        (EXEC, "", "a", "you must specify at least 1 command for the container"),
        (EXEC, "command=a&container=b", "a", "container b is not valid for pod it"),
        (ATTACH, "container=b", "a", "container b is not valid for pod it"),
        (FORWARD, "ports=x", "a", 'ports: parsing "x": invalid syntax'),
        (FORWARD, "ports=0", "a", 'ports: parsing "0": value out of range'),
        (FORWARD, "ports=" + "9" * 5000, "a", None),
    ],
)
async def test_what_is_wrong_is_told(
    where: str, query: str, upgrade: str, message: str | None
) -> None:
    node = Node()
    async with serving(node=node) as api:
        await pod(api)
        answer = await refused(api, asking(api, where, query, upgrade=upgrade))

    assert answer.status == 400
    assert answer.message == message or message is None
    assert not node.asked


async def test_of_several_containers_one_must_be_named() -> None:
    async with serving(node=Node()) as api:
        await pod(api, "one", "two")
        answer = await refused(api, asking(api, EXEC, "command=a"))

    words = "a container name must be specified for pod it, choose one of: [one two]"
    assert (answer.status, answer.message) == (400, words)


@pytest.mark.parametrize("where", [EXEC, ATTACH, FORWARD])
async def test_a_pod_without_a_node_has_no_streams(where: str) -> None:
    async with serving(node=Node()) as api:
        await pod(api, node="")
        answer = await refused(api, asking(api, where, "command=a"))

    assert (answer.status, answer.message) == (400, "pod it does not have a host assigned")


@pytest.mark.parametrize("where", [EXEC, ATTACH, FORWARD])
async def test_a_stream_needs_a_pod_and_a_way_to_its_node(api: Api, where: str) -> None:
    assert (await refused(api, asking(api, where, "command=a"))).status == 404
    await pod(api)
    assert (await refused(api, asking(api, where, "command=a"))).status == 503


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_no_other_method_opens_a_stream(api: Api, method: str) -> None:
    await pod(api)
    assert (await refused(api, asking(api, EXEC, method=method))).status == 405


@pytest.mark.parametrize(
    ("given", "reason", "message"),
    [
        (
            Response(
                404,
                {"content-type": "application/json"},
                b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound",'
                b'"message":"gone","code":404}',
            ),
            "NotFound",
            "gone",
        ),
        (
            Response(503, {}, b"the node is starting\n"),
            "ServiceUnavailable",
            "the node is starting",
        ),
        (Response(418, {}, b"\xff"), "Unknown", "\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_what_the_node_refuses_is_told(given: Response, reason: str, message: str) -> None:
    async with serving(node=Node(given)) as api:
        await pod(api)
        answer = await refused(api, asking(api, EXEC, "command=a"))

    assert (answer.status, answer.body["reason"], answer.message) == (
        given.status,
        reason,
        message,
    )


async def test_discovery_tells_of_them(api: Api) -> None:
    listed: list[dict[str, Any]] = (await api.get("/api/v1")).body["resources"]
    found = {one["name"]: (one["kind"], one["verbs"]) for one in listed}
    every = ["create", "delete", "get", "patch", "update"]

    assert {name: found[name] for name in found if name.rpartition("/")[2] in KINDS} == {
        "pods/attach": ("PodAttachOptions", ["create", "get"]),
        "pods/exec": ("PodExecOptions", ["create", "get"]),
        "pods/portforward": ("PodPortForwardOptions", ["create", "get"]),
        "pods/proxy": ("PodProxyOptions", every),
        "services/proxy": ("ServiceProxyOptions", every),
        "nodes/proxy": ("NodeProxyOptions", every),
    }


KINDS = {"attach", "exec", "portforward", "proxy"}
