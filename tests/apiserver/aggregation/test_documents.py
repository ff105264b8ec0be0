"""Tests of what extension servers say of themselves: taken where it is about them, and sound."""

import json
from typing import Any

import pytest

from argosy.apiserver.aggregation.documents import hash_of, of_groups, of_list

Json = dict[str, Any]
PLACE = ("a.example.com", "v1")
RESOURCE: Json = {
    "resource": "things",
    "responseKind": {"group": "", "version": "", "kind": "Thing"},
    "scope": "Namespaced",
    "singularResource": "thing",
    "verbs": ["get"],
    "subresources": [{"subresource": "status", "verbs": ["get"]}],
    "beside": {"anything": 1},
}


def groups(*resources: Json, group: str = PLACE[0], version: str = PLACE[1]) -> bytes:
    versions = [{"version": version, "resources": list(resources), "freshness": "Current"}]
    items = [
        {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [RESOURCE]}]},
        {"metadata": {"name": group}, "versions": versions},
    ]
    return json.dumps({"kind": "APIGroupDiscoveryList", "items": items}).encode()


def listed(*resources: Json, place: str = "/".join(PLACE)) -> bytes:
    return json.dumps({"groupVersion": place, "resources": list(resources)}).encode()


def test_of_all_groups_one_version_s_resources_are_taken() -> None:
    (found,) = of_groups(groups(RESOURCE), PLACE) or []
    assert found["resource"] == "things"
    assert "beside" not in found
    assert found["subresources"][0]["responseKind"] == {"group": "", "version": "", "kind": ""}


def test_a_version_that_is_not_told_of_has_none() -> None:
    assert of_groups(groups(RESOURCE, version="v2"), PLACE) is None
    assert of_groups(b'{"items": null}', PLACE) is None


def test_a_list_becomes_the_same() -> None:
    main = {"name": "things", "kind": "Thing", "namespaced": True, "verbs": ["get"]}
    below = {"name": "things/scale", "kind": "Scale", "group": "autoscaling", "version": "v1"}
    (found,) = of_list(listed(main, below), PLACE)
    assert found["scope"] == "Namespaced"
    (scale,) = found["subresources"]
    assert scale["subresource"] == "scale"
    assert scale["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"groupVersion": "apps/v1", "resources": []}',
        b'{"groupVersion": "a.example.com/v1", "resources": [{"name": 7, "kind": "X"}]}',
        b'{"groupVersion": "a.example.com/v1", "resources": {"name": "x"}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_such_document_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        of_list(body, PLACE)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/openapi/v3/apis/a.example.com/v1?hash=ABC123", "ABC123"),
        ("https://evil.example.com/?hash=ABC", "ABC"),  # of which only the hash is taken
        ("/openapi/v3/apis/a.example.com/v1", "0"),
        ("/x?hash=a/../b", "0"),
        ("/x?hash=" + "a" * 1000, "0"),
        (None, "0"),
    ],
)
def test_of_an_index_only_a_hash_is_taken(url: str | None, expected: str) -> None:
    body = {"paths": {"apis/a.example.com/v1": {"serverRelativeURL": url}, "apis/apps/v1": {}}}
    assert hash_of(json.dumps(body).encode(), PLACE) == expected


def test_what_is_not_named_has_no_document() -> None:
    assert hash_of(b'{"paths": {"apis/apps/v1": {}}}', PLACE) == ""
