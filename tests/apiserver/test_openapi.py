"""Tests of OpenAPI's answers: an index without documents, and documents that may be kept."""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from argosy.api.builtin import load
from argosy.api.features import switches
from argosy.api.kinds import OWN, RESOURCES
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.subresources import subresources
from argosy.http.message import Request, Response

Json = dict[str, Any]
OWN_DOCUMENT = "apis/models.argosy.dev/v1alpha1"
SMALL = "apis/coordination.k8s.io/v1"


@cache
def documents(config: str = "") -> OpenAPI:
    definitions = load()
    chosen = switches(RESOURCES, "1.37", runtime_config=config)
    catalog = Catalog(RESOURCES, OWN, definitions, chosen.serves)
    return OpenAPI(catalog, definitions, subresources(None))


async def ask(url: str, **headers: str) -> Response:
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = await documents().find(Request("GET", parts.path, parts.query, named), parts.path)
    assert found is not None
    return found


def body(response: Response) -> Json:
    assert isinstance(response.body, bytes)
    found: Json = json.loads(response.body)
    return found


async def url_of(name: str) -> str:
    return str(body(await ask("/openapi/v3"))["paths"][name]["serverRelativeURL"])


async def test_the_index_needs_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a document was built")

    monkeypatch.setattr("argosy.apiserver.openapi.document", refuse)
    fresh = OpenAPI(documents().catalog, documents().definitions, subresources(None))
    answer = await fresh.find(Request("GET", "/openapi/v3"), "/openapi/v3")
    assert answer is not None
    versions = {resource.root.removeprefix("/") for resource in RESOURCES if resource.on}
    served = {item.resource.root.removeprefix("/") for item in documents().catalog.all}
    assert set(body(answer)["paths"]) == served
    assert served <= versions


@pytest.mark.parametrize("name", [OWN_DOCUMENT, SMALL])
async def test_a_document_may_be_kept_under_its_hash(name: str) -> None:
    url = await url_of(name)
    answer = await ask(url)
    digest = parse_qs(urlsplit(url).query)["hash"][0]
    assert (answer.status, answer.headers["etag"]) == (200, f'"{digest}"')
    assert "immutable" in answer.headers["cache-control"]
    assert body(answer)["openapi"] == "3.0.0"
    again = await ask(url, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    plain = await ask(urlsplit(url).path)
    assert "immutable" not in plain.headers["cache-control"]


async def test_an_old_hash_leads_to_the_new_one() -> None:
    moved = await ask(f"/openapi/v3/{SMALL}?hash=OLD")
    assert (moved.status, moved.headers["location"]) == (301, await url_of(SMALL))


async def test_the_index_has_a_tag_too() -> None:
    tag = (await ask("/openapi/v3")).headers["etag"]
    assert (await ask("/openapi/v3", if_none_match=tag)).status == 304


def test_a_hash_follows_what_its_document_is_made_of() -> None:
    few = documents("coordination.k8s.io/v1=true,scheduling.k8s.io/v1beta1/workloads=false")
    changed = {
        name for name, digest in documents().hashes().items() if few.hashes()[name] != digest
    }
    assert changed == {"apis/scheduling.k8s.io/v1beta1"}
    assert len(set(documents().hashes().values())) == len(documents().hashes())


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/apis/apps/v9", "/openapi/v3x"])
async def test_other_paths_are_not_openapis(path: str) -> None:
    assert await documents().find(Request("GET", path), path) is None


async def test_subresources_that_work_are_told() -> None:
    core = body(await ask("/openapi/v3/api/v1"))
    pod = "/api/v1/namespaces/{namespace}/pods/{name}"
    paths = core["paths"]
    for name in ("status", "binding", "eviction", "log", "exec", "proxy", "proxy/{path}"):
        assert f"{pod}/{name}" in paths, name
    eviction = paths[f"{pod}/eviction"]["post"]
    kind = {"group": "policy", "version": "v1", "kind": "Eviction"}
    assert eviction["x-kubernetes-group-version-kind"] == kind
    schema = eviction["requestBody"]["content"]["*/*"]["schema"]
    assert schema == {"$ref": "#/components/schemas/io.k8s.api.policy.v1.Eviction"}
    assert "io.k8s.api.policy.v1.Eviction" in core["components"]["schemas"]
    assert paths[f"{pod}/exec"]["get"]["x-kubernetes-action"] == "connect"
    assert "get" not in paths[f"{pod}/binding"]
