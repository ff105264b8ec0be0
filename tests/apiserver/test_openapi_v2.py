"""Tests of OpenAPI v2's answers: whole in both forms, and kept by clients."""

import json
from functools import cache
from typing import Any

import pytest

from argosy.api.protobuf.wire import read_field
from argosy.apiserver.openapi_v2 import DEPRECATED, JSON, PROTOBUF, OpenAPIv2
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response
from argosy.testing.clock import EPOCH
from tests.apiserver.test_openapi import documents

Json = dict[str, Any]


@cache
def document() -> OpenAPIv2:
    return OpenAPIv2(documents(), EPOCH)


async def ask(accept: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await document().answer(
        Request("GET", "/openapi/v2", headers={"accept": accept, **named})
    )


async def whole() -> Json:
    answer = await ask()
    assert isinstance(answer.body, bytes)
    found: Json = json.loads(answer.body)
    return found


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in references(item)}
    if not isinstance(value, dict):
        return set()
    found = {name for item in value.values() for name in references(item)}
    target = value.get("$ref")
    return found | ({target} if isinstance(target, str) else set())


async def test_the_document_is_whole() -> None:
    told = await whole()
    assert (told["swagger"], told["info"]["version"]) == ("2.0", "v1.37.0")
    known = {f"#/definitions/{name}" for name in told["definitions"]}
    assert references(told) <= known
    for item in documents().catalog.all:
        resource = item.resource
        verbs = {"get": "list", "post": "create", "delete": "deletecollection"}
        path = told["paths"][resource.path(namespace="{namespace}")]
        named = {method for method, verb in verbs.items() if verb in resource.verbs}
        assert path.keys() - {"parameters"} == named, resource


async def test_operations_have_names_of_their_own() -> None:
    told = await whole()
    named = [
        operation["operationId"]
        for item in told["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(set(named)) == len(named) > 500


async def test_kubectl_finds_what_it_looks_for() -> None:
    told = await whole()
    patch = told["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert patch["x-kubernetes-group-version-kind"] == kind
    assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}
    deployment = told["definitions"]["io.k8s.api.apps.v1.Deployment"]
    assert deployment["x-kubernetes-group-version-kind"] == [kind]
    containers = told["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert "org.kubeflow.trainer.v1alpha1.TrainJob" in told["definitions"]


def names(body: bytes, section: int, entry: int) -> set[str]:
    """The names in a section of the protobuf document."""
    found: set[str] = set()
    for number, value in parts(body):
        if number == section:
            for inner, pair in parts(value):
                assert inner == entry
                found.add(dict(parts(pair))[1].decode())
    return found


def parts(message: bytes) -> list[tuple[int, bytes]]:
    found, position = [], 0
    while position < len(message):
        tag, value, position = read_field(message, position)
        assert isinstance(value, bytes)
        found.append((tag >> 3, value))
    return found


async def test_protobuf_tells_the_same() -> None:
    told = await whole()
    answer = await ask(DEPRECATED)
    assert answer.headers["content-type"] == PROTOBUF
    assert isinstance(answer.body, bytes)
    assert names(answer.body, 8, 2) == set(told["paths"])
    assert names(answer.body, 9, 1) == set(told["definitions"])


@pytest.mark.parametrize(
    "accept, kind",
    [
        ("", JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (DEPRECATED, PROTOBUF),
        (PROTOBUF, PROTOBUF),
        (f"{JSON};q=0.5,{PROTOBUF}", PROTOBUF),
    ],
)
async def test_who_has_it_gets_no_body(accept: str, kind: str) -> None:
    answer = await ask(accept)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["last-modified"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert answer.headers["vary"] == "Accept"
    again = await ask(accept, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


async def test_other_forms_are_refused() -> None:
    with pytest.raises(StatusError) as refused:
        await ask("text/html")
    assert refused.value.code == 406
