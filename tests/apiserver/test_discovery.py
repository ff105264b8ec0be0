"""Discovery as a client walks it: from the root down to every collection."""

from typing import Any

import pytest

from tests.apiserver.kit import BODIES, RESOURCES, Api

Json = dict[str, Any]


async def versions(api: Api) -> list[str]:
    """The paths of all group versions."""
    core = (await api.get("/api")).body["versions"]
    groups = (await api.get("/apis")).body["groups"]
    named = [version["groupVersion"] for group in groups for version in group["versions"]]
    return [*(f"/api/{version}" for version in core), *(f"/apis/{version}" for version in named)]


async def listed(api: Api) -> dict[str, list[Json]]:
    """The resources of each group version, by its path."""
    return {root: (await api.get(root)).body["resources"] for root in await versions(api)}


async def test_the_paths_of_the_root_are_there(api: Api) -> None:
    paths = (await api.get("/")).body["paths"]
    assert {"/api", "/apis", "/openapi/v3", "/version", "/readyz"} <= set(paths)
    for path in paths:
        assert (await api.get(path)).status == 200, path


async def test_the_core_group_has_versions(api: Api) -> None:
    found = (await api.ask("GET", "/api", headers={"host": "here:6443"})).body
    where = {"clientCIDR": "0.0.0.0/0", "serverAddress": "here:6443"}
    assert found["serverAddressByClientCIDRs"] == [where]
    assert (found["kind"], found["versions"]) == ("APIVersions", ["v1"])


async def test_groups_have_versions_and_a_preferred_one(api: Api) -> None:
    groups = (await api.get("/apis")).body
    assert (groups["kind"], groups["apiVersion"]) == ("APIGroupList", "v1")
    for group in groups["groups"]:
        assert group["preferredVersion"] == group["versions"][0]
        alone = (await api.get(f"/apis/{group['name']}")).body
        assert alone == {"kind": "APIGroup", "apiVersion": "v1", **group}


async def test_groups_stand_by_their_priorities(api: Api) -> None:
    groups = [group["name"] for group in (await api.get("/apis")).body["groups"]]
    assert groups[:4] == [
        "apiregistration.k8s.io",
        "apps",
        "events.k8s.io",
        "authentication.k8s.io",
    ]
    assert groups.index("admissionregistration.k8s.io") + 1 == groups.index("apiextensions.k8s.io")
    assert groups[-1] == "trainer.kubeflow.org"


async def test_every_list_is_of_its_version(api: Api) -> None:
    for root in await versions(api):
        found = (await api.get(root)).body
        assert found["kind"] == "APIResourceList"
        assert root.endswith(f"/{found['groupVersion']}")
        assert found.get("apiVersion") == (None if root == "/api/v1" else "v1")


@pytest.mark.parametrize("kind", BODIES)
async def test_every_kind_is_found(api: Api, kind: str) -> None:
    resource = RESOURCES[kind]
    found = {item["name"]: item for item in (await api.get(resource.root)).body["resources"]}
    item = found[resource.plural]
    assert (item["kind"], item["namespaced"]) == (kind, resource.namespaced)
    assert (f"{resource.plural}/status" in found) is resource.status


@pytest.mark.parametrize(
    "kind, short",
    [("ConfigMap", "cm"), ("Pod", "po"), ("InferenceService", "isvc"), ("ModelVersion", "mv")],
)
async def test_kinds_have_short_names(api: Api, kind: str, short: str) -> None:
    resource = RESOURCES[kind]
    found = {item["name"]: item for item in (await api.get(resource.root)).body["resources"]}
    assert short in found[resource.plural]["shortNames"]


async def test_status_is_neither_created_nor_deleted(api: Api) -> None:
    for resources in (await listed(api)).values():
        for item in resources:
            if item["name"].endswith("/status"):
                assert set(item["verbs"]) == {"get", "patch", "update"}


async def test_no_two_kinds_of_a_list_share_a_name(api: Api) -> None:
    for resources in (await listed(api)).values():
        names = [item["name"] for item in resources]
        names += [short for item in resources for short in item.get("shortNames", ())]
        assert len(set(names)) == len(names)


async def test_every_listed_collection_can_be_listed(api: Api) -> None:
    for root, resources in (await listed(api)).items():
        for item in resources:
            if "/" in item["name"] or "list" not in item["verbs"]:
                continue
            found = await api.get(f"{root}/{item['name']}")
            assert (found.status, found.body["kind"]) == (200, f"{item['kind']}List")
            assert root.endswith(f"/{found.body['apiVersion']}")


async def test_a_head_is_answered_as_a_get(api: Api) -> None:
    assert (await api.ask("HEAD", "/apis")).status == 200
    assert (await api.ask("POST", "/apis")).status == 405


async def test_a_slash_at_the_end_does_not_matter(api: Api) -> None:
    assert (await api.get("/apis/")).body == (await api.get("/apis")).body


@pytest.mark.parametrize("path", ["/api/v9", "/apis/none", "/apis/apps/v9", "/openapi/v3/api/v9"])
async def test_what_is_not_served_is_not_found(api: Api, path: str) -> None:
    assert (await api.get(path)).status == 404


async def test_openapi_has_a_document_for_every_version(api: Api) -> None:
    paths = (await api.get("/openapi/v3")).body["paths"]
    assert {f"/{path}" for path in paths} == set(await versions(api))


async def test_stored_kinds_tell_in_which_version_they_are_stored(api: Api) -> None:
    resources = await listed(api)
    core = {item["name"]: item.get("storageVersionHash") for item in resources["/api/v1"]}
    assert core["pods"] == "xPOwRZ+Yhw8="  # upstream's
    assert core["pods/status"] is None
    (old, new) = (
        {item["name"]: item.get("storageVersionHash") for item in resources[f"/apis/{root}"]}
        for root in ("events.k8s.io/v1", "authorization.k8s.io/v1")
    )
    assert old["events"] == core["events"]
    assert new["subjectaccessreviews"] is None
