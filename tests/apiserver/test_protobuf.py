"""Protobuf bodies and answers, at the door of the JSON server."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.api.protobuf.wire import BYTES, tag_of, write_bytes
from argosy.apiserver.accept import STREAMS
from argosy.apiserver.door import LARGE
from argosy.apiserver.protobuf import read
from argosy.http.message import Request, Response
from tests.apiserver.kit import BODIES, Api, path

CODEC = load()
MAPS = "/api/v1/namespaces/default/configmaps"
MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "m"},
    "data": {"a": "b"},
}


async def ask(
    api: Api,
    method: str,
    where: str,
    body: bytes = b"",
    *,
    accept: str = MEDIA_TYPE,
    query: str = "",
) -> Response:
    headers = {
        "authorization": f"Bearer {api.cluster.plane.token}",
        "accept": accept,
        "content-type": MEDIA_TYPE,
    }
    request = Request(method, where, query, headers, body)
    return await api.cluster.plane.server.handle(request)


def decoded(response: Response) -> dict[str, Any]:
    assert isinstance(response.body, bytes)
    assert response.headers["content-type"] == MEDIA_TYPE
    return CODEC.decode_object(response.body)


async def test_an_object_goes_in_and_comes_out(api: Api) -> None:
    made = await ask(api, "POST", MAPS, CODEC.encode_object(MAP))
    assert made.status == 201
    got = decoded(await ask(api, "GET", f"{MAPS}/m"))
    assert got["data"] == {"a": "b"} and got["metadata"]["name"] == "m"
    assert decoded(made) == got
    listed = decoded(await ask(api, "GET", MAPS))
    assert listed["kind"] == "ConfigMapList"
    assert [item["metadata"]["name"] for item in listed["items"]] == ["m"]


@pytest.mark.parametrize("accept", [f"{MEDIA_TYPE},application/json", "application/json", "*/*"])
async def test_who_takes_json_gets_json(api: Api, accept: str) -> None:
    response = await ask(api, "POST", MAPS, CODEC.encode_object(MAP), accept=accept)
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["data"] == {"a": "b"}


async def test_options_of_a_delete(api: Api) -> None:
    await ask(api, "POST", MAPS, CODEC.encode_object(MAP))
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "other"}}
    refused = await ask(api, "DELETE", f"{MAPS}/m", CODEC.encode_object(options))
    assert (refused.status, decoded(refused)["reason"]) == (409, "Conflict")
    del options["preconditions"]
    assert (await ask(api, "DELETE", f"{MAPS}/m", CODEC.encode_object(options))).status == 200


async def test_a_watch_is_frames(api: Api) -> None:
    await ask(api, "POST", MAPS, CODEC.encode_object(MAP))
    response = await ask(api, "GET", MAPS, query="watch=true", accept=STREAMS[1])
    assert response.headers["content-type"] == STREAMS[1]
    assert not isinstance(response.body, bytes)
    frame = await anext(response.body)
    await response.body.aclose()
    stored = decoded(await ask(api, "GET", f"{MAPS}/m"))
    assert frame == CODEC.encode_watch_frame("ADDED", stored)


async def test_unknown_numbers_are_dropped_and_told(api: Api) -> None:
    body = CODEC.encode_object(MAP)
    head, _, tail = body.partition(b"\x12" + bytes([_inner_length(body)]))
    inner = tail[: _inner_length(body)] + b"\xba\x3e\x01x"  # number 999
    newer = head + b"\x12" + bytes([len(inner)]) + inner + tail[_inner_length(body) :]
    response = await ask(api, "POST", MAPS, newer)
    assert response.status == 201
    assert "unknown field" in response.headers["warning"]


def _inner_length(body: bytes) -> int:
    """The length of the object inside of a short body's envelope."""
    types = 4 + 2 + body[5]
    assert body[types] == 0x12
    return body[types + 1]


TRUNCATED = CODEC.encode_object({**MAP, "data": {"a": "b" * 50}})[:-20]
EMPTY = {"apiVersion": "v1", "kind": "ConfigMap"}


def field(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    out = bytearray()
    write_bytes(out, tag_of(number, BYTES), content)
    return bytes(out)


def typed(content: bytes, kind: str = "ConfigMap") -> bytes:
    """A body with `content` as the object's bytes."""
    types = field(1, b"v1") + field(2, kind.encode())
    return b"k8s\0" + field(1, types) + field(2, content)


def nested(levels: int, number: int) -> bytes:
    content = b""
    for _ in range(levels):
        content = field(number, content)
    return content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"k8s\0", 422),  # of the path's kind, without a name
        (b"nonsense", 400),
        (b"k8s", 400),
        (b"k8s\0\xff\xff\xff\xff", 400),
        (b"k8s\0" + b"\x12" * LARGE, 400),
        (b"\x1f\x8b\x08\x00", 400),
        (TRUNCATED, 400),
        (typed(b"\xff" * 20), 400),
        (typed(b"\x0b\x0c"), 400),  # a group
        (typed(b"\x00\x01"), 400),  # the number 0
        (typed(field(1, b"") * 1000), 422),
        (typed(field(1, field(1, b"\xff\xfe"))), 400),  # a name that is not UTF-8
        (typed(nested(3000, 1)), 400),
        (typed(field(2, nested(101, 2))), 400),
        (typed(field(100, b"x") * 100_000), 422),  # unknown numbers, without end
        (typed(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 400),  # a length beyond all
        (typed(b"", "Nonsense"), 400),
        (typed(b"", "A" * 100_000), 400),
        (CODEC.encode_object({"apiVersion": "v1", "kind": "Secret", "metadata": {}}), 400),
        (CODEC.encode_object(EMPTY)[:-4] + field(3, b"gzip") + field(4, b""), 400),
    ],
)
async def test_what_can_not_be_read(api: Api, body: bytes, status: int) -> None:
    response = await ask(api, "POST", MAPS, body)
    assert (response.status, decoded(response)["kind"]) == (status, "Status")


@settings(max_examples=100)
@given(st.data())
def test_a_broken_body_is_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(CODEC.encode_object({**MAP, "immutable": True}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        text = read(bytes(whole), ("v1", "ConfigMap"), [])
    except ValueError as error:
        assert str(error)
    else:
        assert json.loads(text)["kind"]


async def test_no_patch_is_protobuf(api: Api) -> None:
    response = await ask(api, "PATCH", f"{MAPS}/m", b"nonsense")

    assert response.status == 415
    assert "application/strategic-merge-patch+json" in decoded(response)["message"]


async def test_custom_kinds_have_no_such_form(api: Api) -> None:
    jobs = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/default/trainjobs"
    assert (await ask(api, "GET", jobs)).status == 406
    both = await ask(api, "GET", jobs, accept=f"{MEDIA_TYPE},application/json")
    assert both.status == 200
    refused = await ask(api, "POST", jobs, CODEC.encode_object(MAP), accept="*/*")
    assert refused.status == 415


async def test_nothing_is_written_that_can_not_be_told(api: Api) -> None:
    where = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"
    headers = {
        "authorization": f"Bearer {api.cluster.plane.token}",
        "accept": MEDIA_TYPE,
        "content-type": "application/json",
    }
    body = json.dumps({"metadata": {"name": "it"}, **BODIES["InferenceService"]}).encode()
    handle = api.cluster.plane.server.handle

    assert (await handle(Request("POST", where, "", headers, body))).status == 406
    assert (await api.get(f"{where}/it")).status == 404


async def test_what_is_no_object_stays_as_it_is(api: Api) -> None:
    response = await ask(api, "GET", "/healthz")
    assert response.body == b"ok"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("kind", ["ConfigMap", "InferenceService"])
async def test_metadata_alone(api: Api, kind: str, version: str) -> None:
    created = await api.create(kind)
    wanted = f"{MEDIA_TYPE};as=PartialObjectMetadata;g=meta.k8s.io;v={version}"
    one = await ask(api, "GET", path(kind, "it"), accept=f"{wanted},application/json")
    meta = created.meta
    assert decoded(one) == {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta,
    }
    wanted = f"{MEDIA_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v={version}"
    every = decoded(await ask(api, "GET", path(kind), accept=wanted))
    assert every["kind"] == "PartialObjectMetadataList"
    assert every["apiVersion"] == f"meta.k8s.io/{version}"
    assert [item["metadata"] for item in every["items"]] == [meta]


async def test_metadata_comes_in_json_where_that_is_taken_too(api: Api) -> None:
    await ask(api, "POST", MAPS, CODEC.encode_object(MAP))
    form = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    accept = f"{MEDIA_TYPE}{form},application/json{form},application/json"
    response = await ask(api, "GET", f"{MAPS}/m", accept=accept)
    missing = await ask(api, "GET", f"{MAPS}/n", accept=accept)

    for answer, kind in ((response, "PartialObjectMetadata"), (missing, "Status")):
        assert isinstance(answer.body, bytes)
        assert json.loads(answer.body)["kind"] == kind


@pytest.mark.parametrize("kind", ["ConfigMap", "InferenceService"])
async def test_a_watch_of_metadata_alone(api: Api, kind: str) -> None:
    created = await api.create(kind)
    form = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    response = await ask(
        api, "GET", path(kind), query="watch=true", accept=f"{MEDIA_TYPE};{form};stream=watch"
    )
    assert response.headers["content-type"] == STREAMS[1]
    assert not isinstance(response.body, bytes)
    frame = await anext(response.body)
    await response.body.aclose()
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": created.meta,
    }
    assert frame == CODEC.encode_watch_frame("ADDED", partial)


async def test_large_pieces_of_a_watch(api: Api) -> None:
    for name in ("a", "b"):
        sent = {"metadata": {"name": name}, "data": {"a": "x" * LARGE}}
        await api.create("ConfigMap", sent)
    response = await ask(api, "GET", MAPS, query="watch=true")
    assert not isinstance(response.body, bytes)
    piece = await anext(response.body)
    await response.body.aclose()
    stored = [decoded(await ask(api, "GET", f"{MAPS}/{name}")) for name in ("a", "b")]
    assert piece == b"".join(CODEC.encode_watch_frame("ADDED", obj) for obj in stored)


async def test_dropped_fields_are_counted(api: Api) -> None:
    door = api.cluster.plane.server.door
    assert door.dropped == 0
    meta = field(1, field(1, b"it"))
    response = await ask(api, "POST", MAPS, typed(meta + b"\xba\x3e\x01x" * 3))

    assert response.status == 201
    assert door.dropped == 1  # one field, however often it is there


async def test_only_the_known_are_read(api: Api) -> None:
    headers = {"content-type": MEDIA_TYPE}
    response = await api.cluster.plane.server.handle(Request("POST", MAPS, "", headers, b"x"))

    assert response.status in (401, 403)
