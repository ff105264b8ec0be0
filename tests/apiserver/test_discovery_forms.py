"""Tests of the forms of discovery: both tell the same, and only of what works."""

import json
from typing import Any

import pytest

from argosy.api.builtin import load
from argosy.api.kinds import OWN, RESOURCES
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.discovery import AGGREGATED, VERBS, Discovery, wants_aggregated
from argosy.apiserver.subresources import subresources
from argosy.http.message import Request, Response
from tests.apiserver.kit import Api

Json = dict[str, Any]
DISCOVERY = Discovery(Catalog(RESOURCES, OWN, load()), subresources(None))
KUBECTL = (
    f"{AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


def ask(path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = DISCOVERY.find(Request("GET", path, headers=named), path)
    assert found is not None
    return found


def body(response: Response) -> Json:
    assert isinstance(response.body, bytes)
    found: Json = json.loads(response.body)
    return found


@pytest.mark.parametrize(
    "accept, expected",
    [
        (KUBECTL, True),
        (AGGREGATED, True),
        ("application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList", True),
        (f"application/vnd.kubernetes.protobuf,{AGGREGATED}", True),
        (f"application/json,{AGGREGATED}", False),
        ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", False),
        ("application/json;charset=utf-8", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_gets_everything_at_once(accept: str, expected: bool) -> None:
    assert wants_aggregated(Request("GET", "/apis", headers={"accept": accept})) is expected
    kind = "APIGroupDiscoveryList" if expected else "APIGroupList"
    assert body(ask("/apis", accept=accept))["kind"] == kind


def flat() -> dict[tuple[str, str], Json]:
    """All resources of the aggregated form, by group version and name."""
    found = {}
    for path in ("/api", "/apis"):
        answer = ask(path, accept=KUBECTL)
        assert answer.headers["content-type"] == AGGREGATED
        for group in body(answer)["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                assert version["freshness"] == "Current"
                full = f"{name}/{version['version']}" if name else version["version"]
                for item in version["resources"]:
                    found[full, item["resource"]] = item
                    for below in item.get("subresources", ()):
                        found[full, f"{item['resource']}/{below['subresource']}"] = below
    return found


def test_both_forms_tell_the_same() -> None:
    groups = body(ask("/apis"))["groups"]
    versions = [v["groupVersion"] for group in groups for v in group["versions"]]
    aggregated = flat()
    seen = set()
    for version in ["v1", *versions]:
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for old in body(ask(root))["resources"]:
            new = aggregated[version, old["name"]]
            seen.add((version, old["name"]))
            assert new["verbs"] == old["verbs"]
            kind = {name: old.get(name, "") for name in ("group", "version", "kind")}
            assert new["responseKind"] == kind
            if "/" in old["name"]:
                continue
            assert new["singularResource"] == old["singularName"]
            assert new["scope"] == ("Namespaced" if old["namespaced"] else "Cluster")
            assert new.get("shortNames") == old.get("shortNames")
            assert new.get("categories") == old.get("categories")
    assert seen == set(aggregated)


def test_preferred_versions_come_first() -> None:
    groups = {group["name"]: group for group in body(ask("/apis"))["groups"]}
    assert groups["scheduling.k8s.io"]["preferredVersion"]["version"] == "v1"
    assert [v["version"] for v in groups["autoscaling"]["versions"]] == ["v2", "v1"]
    assert body(ask("/apis/apps")) == {"kind": "APIGroup", "apiVersion": "v1", **groups["apps"]}
    assert body(ask("/api"))["versions"] == ["v1"]


def test_only_what_works_is_told() -> None:
    aggregated = flat()
    below = {name.partition("/")[2] for _, name in aggregated if "/" in name}
    assert below == {name.rpartition("/")[2] for name in subresources(None)}
    whole = [item for (_, name), item in aggregated.items() if "/" not in name]
    assert {verb for item in whole for verb in item["verbs"]} == VERBS
    assert ("apps/v1", "deployments/status") in aggregated
    assert ("v1", "namespaces") in aggregated


@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"])
@pytest.mark.parametrize("accept", ["application/json", KUBECTL])
def test_who_has_it_gets_no_body(path: str, accept: str) -> None:
    whole = ask(path, accept=accept)
    tag = whole.headers["etag"]
    assert whole.headers["vary"] == "Accept" and tag.startswith('"')
    for known in (tag, f'"old", W/{tag}', "*"):
        again = ask(path, accept=accept, if_none_match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert ask(path, accept=accept, if_none_match='"old"').status == 200


def test_the_forms_have_tags_of_their_own() -> None:
    assert ask("/apis").headers["etag"] != ask("/apis", accept=AGGREGATED).headers["etag"]
    assert ask("/apis").headers["etag"] != ask("/api").headers["etag"]


async def test_what_is_no_subresource_is_not_found(api: Api) -> None:
    for path in (
        "/api/v1/namespaces/default/pods/it/nothing",
        "/api/v1/namespaces/default/pods/it/log/more",
        "/apis/apps/v1/namespaces/default/deployments/it/exec",
    ):
        answer = await api.get(path)
        told = "the server could not find the requested resource"
        assert (answer.status, answer.message) == (404, told)


async def test_kinds_without_a_view_are_served(api: Api) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"metadata": {"name": "it"}, "spec": {"holderIdentity": "me"}}
    assert (await api.ask("POST", path, lease)).status == 201
    assert (await api.get(f"{path}/it")).body["spec"] == lease["spec"]
    table = (await api.table(path)).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Holder", "Age"]
    assert table["rows"][0]["cells"][:2] == ["it", "me"]
