"""What is asked of the server as a whole: its paths, its methods, who may ask."""

import asyncio
from typing import Any

import pytest

from argosy.http.message import Request
from argosy.store.interface import StoreUnavailableError
from tests.apiserver.kit import (
    APPLY,
    BODIES,
    MERGE,
    RESOURCES,
    STRATEGIC,
    Api,
    answered,
    body,
    path,
)

OWN = ("ClusterTrainingRuntime", "TrainingRuntime", "TrainJob", "InferenceService", "ModelVersion")
POD = path("Pod", "it")


@pytest.mark.parametrize("kind", BODIES)
async def test_every_kind_lives_through_all_its_verbs(api: Api, kind: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    where = path(kind, "it")

    created = await api.create(kind)
    read = await api.get(where)
    listed = await api.get(path(kind))
    updated = await api.ask(
        "PUT", where, {**read.body, "metadata": {**read.meta, "labels": {"a": "b"}}}
    )
    patch = {"metadata": {"labels": {"a": "c"}}}
    merged = await api.ask("PATCH", where, patch, kind=MERGE)
    applied = await api.apply(where, {"metadata": {"annotations": {"d": "e"}}})

    assert read.body == created.body
    assert read.body in listed.body["items"]
    assert updated.meta["labels"]["a"] == "b"
    assert merged.meta["labels"]["a"] == "c"
    assert applied.meta["annotations"] == {"d": "e"}
    assert applied.meta["labels"]["a"] == "c"
    versions = [int(answer.version) for answer in (created, updated, merged, applied)]
    assert versions == sorted(set(versions))
    assert applied.body["kind"] == kind
    assert applied.body["apiVersion"] == RESOURCES[kind].api_version

    if kind == "Namespace":
        return
    deleted = await api.ask("DELETE", where)
    assert deleted.status == 200
    told = deleted.body["details"] if deleted.body["kind"] == "Status" else deleted.meta
    assert told["uid"] == created.meta["uid"]
    assert (await api.get(where)).status == 404


@pytest.mark.parametrize(
    ("method", "where", "status"),
    [
        ("GET", "/api/v1/pods", 200),
        ("GET", "/api/v1/namespaces", 200),
        ("GET", "/api/v1/namespaces/default", 200),
        ("GET", "/api/v1/pods/", 200),
        ("GET", "/api/v1/namespaces/default/pods", 200),
        ("GET", POD, 404),
        ("GET", "/api/v1/pods/it", 404),  # a name needs its namespace
        ("GET", "/api/v1/namespaces/default/nodes", 404),  # nodes have none
        ("GET", "/api/v1/namespaces/default/namespaces", 404),
        ("GET", "/api/v1/namespaces/default/elephants", 404),
        ("GET", "/api/v2/pods", 404),
        ("GET", "/api/v1/watch/pods", 404),
        ("GET", "/apis/nothing.example/v1", 404),
        ("GET", "/apis/nothing.example/v1/things", 404),
        ("GET", f"{POD}/shell", 404),
        ("GET", f"{POD}/status/deeper", 404),
        ("GET", path("ConfigMap", "it", "status"), 404),  # which has none
        ("GET", "/", 200),
        ("GET", "/metrics/of/nothing", 404),
        ("POST", "/version", 405),
        ("POST", "/api", 405),
        ("PUT", "/api/v1/namespaces/default/pods", 405),
        ("PATCH", "/api/v1/namespaces/default/pods", 405),
        ("POST", "/api/v1/pods", 405),
        ("POST", POD, 405),
        ("POST", f"{POD}/status", 405),
        ("DELETE", f"{POD}/status", 405),
        ("GET", f"{POD}/binding", 405),
        ("POST", f"{POD}/log", 405),
        ("TRACE", POD, 405),
        ("BREW", "/api/v1/pods", 405),
        ("OPTIONS", "/api/v1/pods", 405),
    ],
)
async def test_each_path_has_its_methods(api: Api, method: str, where: str, status: int) -> None:
    assert (await api.ask(method, where, {})).status == status


async def test_what_is_not_there_is_named(api: Api) -> None:
    answer = await api.get(path("TrainJob", "it"))

    assert answer.message == 'trainjobs.trainer.kubeflow.org "it" not found'
    assert answer.body["reason"] == "NotFound"
    details = {"name": "it", "group": "trainer.kubeflow.org", "kind": "trainjobs"}
    assert answer.body["details"] == details


@pytest.mark.parametrize(
    "where",
    [
        "/api/v1/namespaces/default/pods/..",
        "/api/v1/namespaces/default/pods/%2e%2e",
        "/api/v1/namespaces/../pods/x",
        "/api/v1/namespaces/%2e/pods",
        "/api/v1/namespaces/default/configmaps/a%2Fb",
        "/api/v1/namespaces/a%2Fb/configmaps",
        "/api/v1/namespaces/default/configmaps/a%00b",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/default//pods",
        "/api/v1//pods",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_paths_that_lead_elsewhere_are_refused(api: Api, method: str, where: str) -> None:
    assert (await api.ask(method, where, {"metadata": {"name": "x"}})).status == 400


async def test_a_name_in_the_path_is_decoded_once(api: Api) -> None:
    await api.create("ConfigMap", body("ConfigMap", "a.b"))

    assert (await api.get(path("ConfigMap", "a%2Eb"))).status == 200
    assert (await api.get(path("ConfigMap", "a%252Eb"))).status == 404


@pytest.mark.parametrize("name", ["a\nb", "a,b", "ä", "a=b", " "])
async def test_odd_names_are_not_found(api: Api, name: str) -> None:
    assert (await api.get(path("Pod", name))).status == 404
    assert (await api.ask("DELETE", path("Pod", name))).status == 404


async def test_nobody_gets_in_without_a_known_token(api: Api) -> None:
    handle = api.cluster.plane.server.handle
    tokens: list[dict[str, str]] = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {api.cluster.plane.token}"},
        {"authorization": api.cluster.plane.token},
    ]
    for headers in tokens:
        for where in ("/api/v1/pods", "/api", "/openapi/v3", "/nothing"):
            answer = await answered(handle, Request("GET", where, headers=headers))
            assert (answer.status, answer.body["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize("where", ["/healthz", "/livez", "/readyz", "/version"])
async def test_health_and_version_are_open(api: Api, where: str) -> None:
    assert (await answered(api.cluster.plane.server.handle, Request("GET", where))).status == 200


async def test_a_wrong_token_does_not_open_what_none_opens(api: Api) -> None:
    request = Request("GET", "/healthz", headers={"authorization": "Bearer wrong"})

    assert (await answered(api.cluster.plane.server.handle, request)).status == 401


async def test_readiness_follows_the_cluster(api: Api) -> None:
    api.cluster.plane.server.state.ready = False

    assert (await api.get("/readyz")).status == 500
    assert (await api.get("/livez")).status == 200


async def test_the_version_is_that_of_the_served_kubernetes(api: Api) -> None:
    version = (await api.get("/version")).body

    assert (version["major"], version["minor"]) == ("1", "37")
    assert version["gitVersion"].startswith("v1.37.0")
    assert version["platform"].startswith("linux/")


@pytest.mark.parametrize("kind", OWN)
async def test_own_kinds_have_no_strategic_patches(api: Api, kind: str) -> None:
    answer = await api.ask("PATCH", path(kind, "it"), {}, kind=STRATEGIC)

    assert answer.status == 415
    assert MERGE in answer.message
    assert STRATEGIC not in answer.message


@pytest.mark.parametrize("media", ["text/plain", APPLY, "application/x-www-form-urlencoded", "x"])
@pytest.mark.parametrize(("method", "where"), [("POST", path("Pod")), ("PUT", POD)])
async def test_bodies_of_other_types_are_refused(
    api: Api, method: str, where: str, media: str
) -> None:
    answer = await api.ask(method, where, body("Pod"), kind=media)

    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")


async def test_a_store_that_fails_is_told_and_may_be_tried_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects: Any = api.cluster.plane.server._objects

    async def full(*_: object) -> None:
        raise StoreUnavailableError("the disk is full")

    monkeypatch.setattr(objects.store, "write", full, raising=True)
    answer = await api.ask("POST", path("ConfigMap"), body("ConfigMap"))

    assert (answer.status, answer.message) == (503, "the disk is full")
    assert answer.headers["retry-after"] == "1"


async def test_a_fault_of_the_server_is_told_without_its_inside(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    objects: Any = api.cluster.plane.server._objects

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(objects.store, "get", broken, raising=True)
    answer = await api.get(POD)

    assert (answer.status, answer.body["reason"]) == (500, "InternalError")
    assert "secret" not in answer.message
    assert "request failed" in caplog.text


async def test_writers_of_one_object_lose_nothing(api: Api) -> None:
    await api.create("ConfigMap", body("ConfigMap", data={}))
    where = path("ConfigMap", "it")

    patches = [api.ask("PATCH", where, {"data": {f"k{i}": str(i)}}, kind=MERGE) for i in range(20)]
    answers = await asyncio.gather(*patches)

    assert {answer.status for answer in answers} == {200}
    found = await api.get(where)
    assert found.body["data"] == {f"k{i}": str(i) for i in range(20)}
