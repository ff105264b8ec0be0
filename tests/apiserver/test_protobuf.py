"""Protobuf bodies and answers, at the door of the JSON server."""

import json
from typing import Any

import pytest

from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.apiserver.protobuf import LARGE, WATCH_TYPE
from argosy.http.message import Request, Response
from tests.apiserver.kit import Api

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
    path: str,
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
    request = Request(method, path, query, headers, body)
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
    response = await ask(api, "GET", MAPS, query="watch=true", accept=WATCH_TYPE)
    assert response.headers["content-type"] == WATCH_TYPE
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


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"k8s\0", 415),
        (b"nonsense", 400),
        (b"k8s\0\xff\xff\xff\xff", 400),
        (b"k8s\0" + b"\x12" * LARGE, 400),
        (CODEC.encode_object({"apiVersion": "v1", "kind": "Secret", "metadata": {}}), 400),
    ],
)
async def test_what_can_not_be_read(api: Api, body: bytes, status: int) -> None:
    response = await ask(api, "POST", MAPS, body)
    assert (response.status, decoded(response)["kind"]) == (status, "Status")


async def test_custom_kinds_have_no_such_form(api: Api) -> None:
    path = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/default/trainjobs"
    assert (await ask(api, "GET", path)).status == 406
    both = await ask(api, "GET", path, accept=f"{MEDIA_TYPE},application/json")
    assert both.status == 200


async def test_what_is_no_object_stays_as_it_is(api: Api) -> None:
    response = await ask(api, "GET", "/healthz")
    assert response.body == b"ok"
