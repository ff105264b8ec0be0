"""Tests of documents that tell of this server and of others: who stands where."""

from typing import Any

import pytest

from argosy.api.registration import APIService, APIServiceSpec, ServiceReference
from argosy.apiserver.aggregation.discovered import Known
from argosy.apiserver.aggregation.merge import with_groups, with_resources

Json = dict[str, Any]


def service(group: str, version: str, priority: int = 100, of_version: int = 100) -> APIService:
    return APIService(
        spec=APIServiceSpec(
            group=group,
            version=version,
            service=ServiceReference(namespace="a", name="b"),
            group_priority_minimum=priority,
            version_priority=of_version,
        )
    )


def group(name: str, *versions: str) -> Json:
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


OWN = [group("apps", "v1"), group("batch", "v1"), group("example.com", "v1")]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (20000, ["x", "apps", "batch", "example.com"]),
        (17500, ["apps", "x", "batch", "example.com"]),
        (17400, ["apps", "batch", "x", "example.com"]),
        (1000, ["apps", "batch", "example.com", "x"]),
        (1, ["apps", "batch", "example.com", "x"]),
    ],
)
def test_a_group_stands_by_its_priority(priority: int, expected: list[str]) -> None:
    merged = with_groups(OWN, [service("x", "v1", priority)])
    assert [item["name"] for item in merged] == expected
    assert OWN[0]["name"] == "apps"  # what came in stays


def test_groups_of_others_stand_by_theirs() -> None:
    merged = with_groups(OWN, [service("a", "v1", 15000), service("b", "v1", 14000)])
    assert [item["name"] for item in merged] == ["apps", "batch", "a", "b", "example.com"]


@pytest.mark.parametrize(
    ("version", "priority", "expected"),
    [
        ("v2", 200, ["v2", "v1"]),
        ("v2", 100, ["v2", "v1"]),
        ("v1beta1", 100, ["v1", "v1beta1"]),
        ("v1beta1", 101, ["v1beta1", "v1"]),
        ("odd", 100, ["v1", "odd"]),
        ("v1", 1, ["v1"]),
    ],
)
def test_a_version_stands_by_its_priority_and_then_its_name(
    version: str, priority: int, expected: list[str]
) -> None:
    (found,) = with_groups(OWN, [service("example.com", version, 100, priority)])[2:]
    assert [item["version"] for item in found["versions"]] == expected
    assert found["preferredVersion"]["version"] == expected[0]


def test_everything_at_once_says_what_is_stale() -> None:
    whole = [
        {"metadata": {"name": item["name"]}, "versions": [{"version": "v1", "resources": []}]}
        for item in OWN
    ]
    resource = {"resource": "things"}
    pairs = [
        (service("example.com", "v2"), Known(None, [resource], True)),
        (service("x", "v1"), Known(None, [resource])),
    ]
    merged = with_resources(whole, pairs)
    assert merged[2]["versions"][0] == {
        "version": "v2",
        "resources": [resource],
        "freshness": "Current",
    }
    assert merged[3]["metadata"]["name"] == "x"
    assert merged[3]["versions"][0]["freshness"] == "Stale"
