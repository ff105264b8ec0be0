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
from argosy.http.message import Request, Response

Json = dict[str, Any]
OWN_DOCUMENT = "apis/models.argosy.dev/v1alpha1"
SMALL = "apis/coordination.k8s.io/v1"


@cache
def documents(config: str = "") -> OpenAPI:
    definitions = load()
    chosen = switches(RESOURCES, "1.37", runtime_config=config)
    return OpenAPI(Catalog(RESOURCES, OWN, definitions, chosen.serves), definitions)


def ask(url: str, **headers: str) -> Response:
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = documents().find(Request("GET", parts.path, parts.query, named), parts.path)
    assert found is not None
    return found


def body(response: Response) -> Json:
    assert isinstance(response.body, bytes)
    found: Json = json.loads(response.body)
    return found


def url_of(name: str) -> str:
    return str(body(ask("/openapi/v3"))["paths"][name]["serverRelativeURL"])


def test_the_index_needs_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a document was built")

    monkeypatch.setattr("argosy.apiserver.openapi.document", refuse)
    fresh = OpenAPI(documents().catalog, documents().definitions)
    answer = fresh.find(Request("GET", "/openapi/v3"), "/openapi/v3")
    assert answer is not None
    versions = {resource.root.removeprefix("/") for resource in RESOURCES if resource.on}
    served = {item.resource.root.removeprefix("/") for item in documents().catalog.all}
    assert set(body(answer)["paths"]) == served
    assert served <= versions


@pytest.mark.parametrize("name", [OWN_DOCUMENT, SMALL])
def test_a_document_may_be_kept_under_its_hash(name: str) -> None:
    url = url_of(name)
    answer = ask(url)
    digest = parse_qs(urlsplit(url).query)["hash"][0]
    assert (answer.status, answer.headers["etag"]) == (200, f'"{digest}"')
    assert "immutable" in answer.headers["cache-control"]
    assert body(answer)["openapi"] == "3.0.0"
    again = ask(url, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert "immutable" not in ask(urlsplit(url).path).headers["cache-control"]


def test_an_old_hash_leads_to_the_new_one() -> None:
    moved = ask(f"/openapi/v3/{SMALL}?hash=OLD")
    assert (moved.status, moved.headers["location"]) == (301, url_of(SMALL))


def test_the_index_has_a_tag_too() -> None:
    tag = ask("/openapi/v3").headers["etag"]
    assert ask("/openapi/v3", if_none_match=tag).status == 304


def test_a_hash_follows_what_its_document_is_made_of() -> None:
    few = documents("coordination.k8s.io/v1=true,scheduling.k8s.io/v1beta1/workloads=false")
    changed = {
        name for name, digest in documents().hashes().items() if few.hashes()[name] != digest
    }
    assert changed == {"apis/scheduling.k8s.io/v1beta1"}
    assert len(set(documents().hashes().values())) == len(documents().hashes())


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/apis/apps/v9", "/openapi/v3x"])
def test_other_paths_are_not_openapis(path: str) -> None:
    assert documents().find(Request("GET", path), path) is None
