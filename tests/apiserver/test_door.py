"""YAML for whoever asks for it first."""

from typing import Any

import pytest
import yaml

from argosy.apiserver.accept import PROTOBUF, YAML
from argosy.http.message import Request, Response
from tests.apiserver.kit import JSON, Api, body, path

MAPS = path("ConfigMap")
MAP = path("ConfigMap", "it")


async def ask(
    api: Api, method: str, where: str, accept: str = YAML, sent: bytes = b"", query: str = ""
) -> Response:
    headers = {
        "authorization": f"Bearer {api.cluster.plane.token}",
        "accept": accept,
        "content-type": YAML,
    }
    return await api.cluster.plane.server.handle(Request(method, where, query, headers, sent))


def decoded(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    assert response.headers["content-type"] == YAML
    return yaml.safe_load(response.body)


async def test_objects_lists_and_errors(api: Api) -> None:
    sent = b"metadata:\n  name: it\ndata:\n  a: '1e3'\n"
    made = await ask(api, "POST", MAPS, sent=sent)
    plain = (await api.get(MAP)).body

    assert (made.status, decoded(made)) == (201, plain)
    assert decoded(await ask(api, "GET", MAP)) == plain
    assert decoded(await ask(api, "GET", MAPS))["items"] == [plain]
    missing = await ask(api, "GET", path("ConfigMap", "other"))
    assert (missing.status, decoded(missing)["reason"]) == (404, "NotFound")


@pytest.mark.parametrize("kind", ["Table", "PartialObjectMetadataList"])
async def test_what_is_turned(api: Api, kind: str) -> None:
    await api.create("ConfigMap")
    response = await ask(api, "GET", MAPS, f"{YAML};as={kind};g=meta.k8s.io;v=v1")

    assert decoded(response)["kind"] == kind


async def test_custom_kinds_too(api: Api) -> None:
    await api.create("InferenceService")

    assert decoded(await ask(api, "GET", path("InferenceService", "it")))["kind"] == (
        "InferenceService"
    )


@pytest.mark.parametrize("where", ["/api", "/apis", "/api/v1"])
async def test_what_is_beside_objects(api: Api, where: str) -> None:
    plain = (await api.get(where)).body

    assert decoded(await ask(api, "GET", where)) == plain


@pytest.mark.parametrize("accept", [YAML, PROTOBUF])
@pytest.mark.parametrize("where", ["/version", "/"])
async def test_what_is_no_object_stays_json(api: Api, where: str, accept: str) -> None:
    response = await ask(api, "GET", where, accept)

    assert (response.status, response.headers["content-type"]) == (200, JSON)


async def test_who_names_json_first_gets_it(api: Api) -> None:
    response = await ask(api, "GET", MAPS, f"{JSON},{YAML}")

    assert response.headers["content-type"] == JSON


async def test_there_is_no_such_watch(api: Api) -> None:
    refused = await ask(api, "GET", MAPS, query="watch=1")

    assert refused.status == 406
    assert decoded(refused)["message"] == (
        "only the following media types are accepted: application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )


async def test_a_large_answer_is_turned_as_a_small_one(api: Api) -> None:
    sent = body("ConfigMap", data={"a": "x\n" * 50_000})
    await api.create("ConfigMap", sent)

    assert decoded(await ask(api, "GET", MAP))["data"] == sent["data"]


async def test_text_stays_text(api: Api) -> None:
    assert (await ask(api, "GET", "/healthz")).body == b"ok"
