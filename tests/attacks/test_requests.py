"""Requests made to be read in two ways, to hold the server, or to fill it: each with its refusal.

Those of the first table go over a real connection; each stands before an honest request, whose
answer must not come of it. Those of the second are bodies.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from argosy.http.limits import Limits
from argosy.http.server import serve
from tests.apiserver.kit import APPLY, JSON, MERGE, STRATEGIC, YAML, Api, serving
from tests.attacks.authorization_kit import CORE

MAPS = f"{CORE}/configmaps"
JSON_PATCH = "application/json-patch+json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
SECONDS = 10

HEAD = f"GET {CORE}/secrets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\n"
POST = f"POST {MAPS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\n"
INSIDE = "GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\n\r\n"
RAW: Mapping[str, tuple[str, int]] = {
    "a length and a coding": (
        f"{POST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{INSIDE}",
        400,
    ),
    "two lengths": (f"{POST}content-length: 0\r\ncontent-length: 96\r\n\r\n{INSIDE}", 400),
    "a length with a sign": (f"{POST}content-length: +0\r\n\r\n{INSIDE}", 400),
    "a coding with a space before its colon": (
        f"{POST}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{INSIDE}",
        400,
    ),
    "a coding that is not known": (f"{POST}transfer-encoding: xchunked\r\n\r\n{INSIDE}", 501),
    "a chunk with a sign": (f"{POST}transfer-encoding: chunked\r\n\r\n-1\r\n\r\n{INSIDE}", 400),
    "a header on two lines": (f"{HEAD}x: a\r\n authorization: Bearer b\r\n\r\n", 400),
    "a header with a bare line feed": (f"{HEAD}x: a\nimpersonate-user: root\r\n\r\n", 400),
    "a null byte in a header": (f"{HEAD}x: a\0b\r\n\r\n", 400),
    "two hosts": (f"{HEAD}host: y\r\n\r\n", 400),
    "no host": ("GET /version HTTP/1.1\r\n\r\n", 400),
    "two tokens": (f"{HEAD}authorization: Bearer other\r\n\r\n", 401),
    "a token that is no token": (HEAD.replace("TOKEN", "TOKEN x") + "\r\n", 401),
    "a body with a request to go over to another protocol": (
        f"{POST}connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 4\r\n\r\nGET ",
        400,
    ),
    "a version of HTTP that is none": ("GET / HTTP/9.9\r\nhost: x\r\n\r\n", 400),
    "another protocol's greeting": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a line of a hundred thousand letters": (f"GET /{'a' * 100_000} HTTP/1.1\r\n\r\n", 414),
    "a thousand headers": (
        HEAD + "".join(f"x{i}: y\r\n" for i in range(1000)) + "\r\n",
        431,
    ),
    "a body without end": (f"{POST}content-length: 99999999999\r\n\r\n", 413),
    "a head that does not end": (HEAD, 408),
    "a body that does not come": (f"{POST}content-length: 10\r\n\r\n", 408),
}


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


@pytest.mark.parametrize(("sent", "status"), RAW.values(), ids=RAW)
async def test_it_is_not_read_in_two_ways(api: Api, sent: str, status: int) -> None:
    limits = Limits(head_seconds=0.1, body_seconds=0.1, linger_seconds=0.1)
    handler = api.cluster.plane.server.handle
    server = await serve(handler, addresses=[("127.0.0.1", 0)], tls=None, limits=limits)
    try:
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        writer.write(sent.replace("TOKEN", api.cluster.plane.token).encode())
        async with asyncio.timeout(SECONDS):
            answer = b""
            while not answer.endswith(b"}") and (piece := await reader.read(1 << 16)):
                answer += piece
        writer.close()
        await writer.wait_closed()
    finally:
        await server.close(0)
    assert answer.split(b" ")[1] == str(status).encode(), answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"apiserver_request_total" not in answer and b"SecretList" not in answer


@dataclass(frozen=True, kw_only=True)
class Bomb:
    """A body, and the refusal."""

    kind: str = JSON
    body: bytes
    method: str = "PATCH"
    status: int = 400
    refusal: str


def deep(depth: int) -> bytes:
    return b'{"data":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def patches(*operations: Any) -> bytes:
    return json.dumps(operations).encode()


COPY = {"op": "copy", "from": "/data/big", "path": "/data/more"}
BOMBS: Mapping[str, Bomb] = {
    "JSON of ten thousand levels": Bomb(
        method="POST", body=deep(10_000), refusal="nested too deeply"
    ),
    "JSON that is half a character": Bomb(
        method="POST", body=b'{"data":{"a":"\xed\xa0\x80"}}', refusal="is not valid JSON"
    ),
    "a number of ten thousand digits": Bomb(
        method="POST", body=b'{"immutable":' + b"9" * 10_000 + b"}", refusal="is not valid JSON"
    ),
    "YAML that names itself": Bomb(
        method="POST",
        kind=YAML,
        body=b"data: &a {b: *a}",
        refusal="YAML anchors and aliases are not accepted",
    ),
    "YAML of a billion laughs": Bomb(
        method="POST",
        kind=YAML,
        body=b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
        refusal="YAML anchors and aliases are not accepted",
    ),
    "YAML that runs a program": Bomb(
        method="POST",
        kind=YAML,
        body=b"data: !!python/object/apply:os.system ['id']",
        refusal="could not determine a constructor for the tag",
    ),
    "YAML of a thousand levels": Bomb(
        method="POST", kind=YAML, body=b"data: " + b"[" * 1000 + b"]" * 1000, refusal="nested"
    ),
    "protobuf that is longer than it is": Bomb(
        method="POST",
        kind=PROTOBUF,
        body=b"k8s\0\x0a\x04\x0a\x02v1\x12\xff\xff\xff\xff\x0f",
        refusal="the message ends within a field",
    ),
    "protobuf with a number without end": Bomb(
        method="POST",
        kind=PROTOBUF,
        body=b"k8s\0" + b"\xff" * 200,
        refusal="a varint is longer than 64 bits",
    ),
    "a patch that doubles what is there": Bomb(
        kind=JSON_PATCH, body=patches(*[COPY] * 9_999), status=413, refusal="too large"
    ),
    "a patch of more operations than there may be": Bomb(
        kind=JSON_PATCH,
        body=patches(*[{"op": "test", "path": "/kind", "value": ""}] * 10_001),
        status=413,
        refusal="The allowed maximum operations in a JSON patch is 10000, got 10001",
    ),
    "a patch that moves a part into itself": Bomb(
        kind=JSON_PATCH,
        body=patches({"op": "move", "from": "/data", "path": "/data/a"}),
        status=422,
        refusal="Cannot move values into their own children",
    ),
    "a merge of a thousand levels": Bomb(
        kind=MERGE, body=deep(900), refusal="nested more than 200 levels deep"
    ),
    "a strategic merge of a thousand levels": Bomb(
        kind=STRATEGIC, body=deep(900), refusal="nested more than 200 levels deep"
    ),
    "an apply of what is another object": Bomb(
        kind=APPLY,
        body=b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"it"}}',
        refusal="the kind in the data (Secret) does not match the expected kind (ConfigMap)",
    ),
    "a patch of the object's identity": Bomb(
        kind=MERGE,
        body=b'{"metadata":{"namespace":"kube-system"}}',
        refusal="does not match the namespace sent on the request",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_it_is_refused(api: Api, bomb: Bomb) -> None:
    made = {"metadata": {"name": "it"}, "data": {"big": "x" * 500_000}}
    assert (await api.ask("POST", MAPS, made)).status == 201
    path = MAPS if bomb.method == "POST" else f"{MAPS}/it"
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await api.ask(bomb.method, path, bomb.body, kind=bomb.kind, fieldManager="m")
    assert (answer.status, bomb.refusal in answer.message) == (bomb.status, True), answer.body
    assert loop.time() - began < SECONDS
