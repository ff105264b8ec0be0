"""What each path of an object writes, by way of the server."""

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from argosy.api.kinds import PREFERRED
from argosy.testing.clock import EPOCH, FakeClock
from tests.apiserver.kit import (
    APPLY,
    MERGE,
    POD_SPEC,
    RESOURCES,
    STRATEGIC,
    Api,
    body,
    path,
    serving,
)

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC}
BODIES_HERE: dict[str, Json] = {
    "Deployment": {
        "metadata": {"name": "it"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
    },
}


def where(kind: str, name: str = "", below: str = "") -> str:
    return PREFERRED[kind].path(name, "default", below)


SPACE = path("Namespace", "it")
FINALIZE = path("Namespace", "it", "finalize")


async def going(api: Api, *finalizers: str) -> None:
    """A namespace under deletion, as its deletion leaves it."""
    created = (await api.create("Namespace")).body
    stamps = {"deletionTimestamp": created["metadata"]["creationTimestamp"]}
    meta = {**created["metadata"], **stamps, "deletionGracePeriodSeconds": 0}
    if finalizers:
        meta["finalizers"] = list(finalizers)
    status = {"phase": "Terminating"}
    value = json.dumps({**created, "metadata": meta, "status": status}).encode()
    store = api.cluster.plane.server._objects.store
    await store.write(RESOURCES["Namespace"].key(name="it"), lambda record, revision: value)


# finalize


async def test_a_namespace_is_finalized(api: Api) -> None:
    created = await api.create("Namespace")
    sent = {**created.body, "spec": {"finalizers": ["example.com/a"]}, "status": {"phase": "Odd"}}
    answer = await api.ask("PUT", FINALIZE, sent)

    assert answer.status == 200
    assert answer.body["spec"] == {"finalizers": ["example.com/a"]}
    assert answer.body["status"] == created.body["status"]
    entry = next(item for item in answer.meta["managedFields"] if item.get("subresource"))
    assert entry["subresource"] == "finalize"


async def test_the_last_finalizer_of_a_namespace_removes_it(api: Api) -> None:
    await going(api)
    there = await api.get(SPACE)
    assert there.body["spec"] == {"finalizers": ["kubernetes"]}
    answer = await api.ask("PUT", FINALIZE, {**there.body, "spec": {}})

    assert answer.status == 200
    assert (await api.get(SPACE)).status == 404


async def test_a_namespace_waits_for_both_sorts_of_finalizers(api: Api) -> None:
    await going(api, "example.com/a")
    there = await api.get(SPACE)
    await api.ask("PUT", FINALIZE, {**there.body, "spec": {"finalizers": []}})
    assert (await api.get(SPACE)).status == 200
    await api.ask("PATCH", SPACE, {"metadata": {"finalizers": None}}, kind=MERGE)

    assert (await api.get(SPACE)).status == 404


async def test_metadata_is_not_all_that_a_namespace_waits_for(api: Api) -> None:
    await going(api, "example.com/a")
    await api.ask("PATCH", SPACE, {"metadata": {"finalizers": None}}, kind=MERGE)

    assert (await api.get(SPACE)).status == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "DELETE"])
async def test_finalize_is_only_put(api: Api, method: str) -> None:
    await api.create("Namespace")

    assert (await api.ask(method, FINALIZE, {}, kind=MERGE)).status == 405


async def test_an_update_does_not_finalize(api: Api) -> None:
    created = await api.create("Namespace")
    answer = await api.ask("PUT", SPACE, {**created.body, "spec": {"finalizers": []}})

    assert answer.body["spec"] == {"finalizers": ["kubernetes"]}


# status


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("Node", {"labels", "annotations", "ownerReferences", "finalizers"}),
        ("Pod", {"labels", "annotations", "finalizers"}),
        ("Deployment", {"annotations", "ownerReferences", "finalizers"}),
        ("ResourceClaim", set()),
        ("ModelVersion", set()),
    ],
)
async def test_the_status_of_kinds_of_old_writes_metadata_too(
    api: Api, kind: str, written: set[str]
) -> None:
    created = await api.ask("POST", where(kind), BODIES_HERE.get(kind) or body(kind))
    assert created.status == 201, created.body
    meta = {
        "labels": {"new": "1"},
        "annotations": {"new": "1"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}],
        "finalizers": ["example.com/a"],
    }
    change = {"metadata": meta, "spec": None}
    after = await api.ask("PATCH", where(kind, "it", "status"), change, kind=MERGE)

    assert after.status == 200, after.body
    assert {name for name in meta if after.meta.get(name) != created.meta.get(name)} == written
    assert after.body["spec"] == created.body["spec"]
    assert after.meta.get("generation") == created.meta.get("generation")


async def test_an_apply_to_a_status_owns_what_it_writes(api: Api) -> None:
    await api.create("Pod")
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}]
    meta = {"name": "it", "labels": {"a": "b"}, "ownerReferences": owners}
    config = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": {"message": "m"}}
    after = await api.apply(path("Pod", "it", "status"), config)

    (entry,) = (item for item in after.meta["managedFields"] if item["operation"] == "Apply")
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {
        "f:metadata": {"f:labels": {"f:a": {}}},
        "f:status": {"f:message": {}},
    }
    assert "ownerReferences" not in after.meta


async def test_a_volume_says_since_when_it_is_in_its_phase() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        await api.create("PersistentVolume")
        status = path("PersistentVolume", "it", "status")
        moments = []
        for phase in ("Available", "Available", "Bound"):
            change = {"status": {"phase": phase, "lastPhaseTransitionTime": None}}
            answer = await api.ask("PATCH", status, change, kind=MERGE)
            moments.append(answer.body["status"]["lastPhaseTransitionTime"])
            await clock.advance(60)

    first = moments[0]
    assert moments == [first, first, moments[2]]
    assert moments[2] > first


# approval


SIGNING = PREFERRED["CertificateSigningRequest"]


@pytest.fixture(scope="module")
def signing_request() -> Json:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "it")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return {
        "metadata": {"name": "it"},
        "spec": {
            "request": base64.b64encode(made.public_bytes(Encoding.PEM)).decode(),
            "signerName": "example.com/signer",
            "usages": ["digital signature"],
        },
    }


def verdict(kind: str = "Approved", **more: str) -> Json:
    condition = {"type": kind, "status": "True", "reason": "Why", "message": "so", **more}
    return {"status": {"conditions": [condition]}}


async def test_a_request_is_approved(signing_request: Json) -> None:
    async with serving(clock=FakeClock()) as api:
        created = await api.ask("POST", SIGNING.path(), signing_request)
        sent = {**created.body, **verdict(), "spec": {**created.body["spec"], "usages": ["any"]}}
        sent["status"]["certificate"] = "YQ=="
        approved = await api.ask("PUT", SIGNING.path("it", "", "approval"), sent)

    now = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ")
    (condition,) = approved.body["status"]["conditions"]
    assert condition["lastUpdateTime"] == condition["lastTransitionTime"] == now
    assert approved.body["spec"] == created.body["spec"]
    assert "certificate" not in approved.body["status"]
    (entry,) = (item for item in approved.meta["managedFields"] if item.get("subresource"))
    assert entry["subresource"] == "approval"


async def test_a_verdict_comes_by_approval_alone(api: Api, signing_request: Json) -> None:
    await api.ask("POST", SIGNING.path(), signing_request)
    by_status = await api.ask("PATCH", SIGNING.path("it", "", "status"), verdict(), kind=MERGE)
    by_approval = await api.ask("PATCH", SIGNING.path("it", "", "approval"), verdict(), kind=MERGE)

    assert by_status.status == 422
    assert "status.conditions" in {field for field, _ in by_status.causes}
    assert by_approval.status == 200


async def test_a_status_keeps_the_verdict(api: Api, signing_request: Json) -> None:
    await api.ask("POST", SIGNING.path(), signing_request)
    approval, status = (SIGNING.path("it", "", name) for name in ("approval", "status"))
    approved = await api.ask("PATCH", approval, verdict(), kind=MERGE)
    changed = await api.ask("PATCH", status, verdict(reason="Other"), kind=MERGE)

    assert changed.body == approved.body


# ephemeral containers, resize


def added(name: str = "debug", **more: Any) -> Json:
    return {"spec": {"ephemeralContainers": [{"name": name, "image": "busybox", **more}]}}


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
async def test_a_container_is_added_to_debug(api: Api, kind: str) -> None:
    created = await api.create("Pod")
    change = {**added(), "metadata": {"labels": {"a": "b"}}, "status": {"phase": "Running"}}
    change["spec"]["priority"] = 7
    answer = await api.ask("PATCH", path("Pod", "it", "ephemeralcontainers"), change, kind=kind)

    assert answer.status == 200, answer.body
    (debug,) = answer.body["spec"].pop("ephemeralContainers")
    assert (debug["name"], debug["imagePullPolicy"]) == ("debug", "Always")
    assert answer.body["spec"] == created.body["spec"]
    assert answer.body["status"] == created.body["status"]
    assert answer.meta.get("labels") == created.meta.get("labels")
    assert answer.meta["generation"] == 2
    (entry,) = (item for item in answer.meta["managedFields"] if item.get("subresource"))
    assert entry["subresource"] == "ephemeralcontainers"


async def test_another_is_added_by_its_name(api: Api) -> None:
    await api.create("Pod")
    below = path("Pod", "it", "ephemeralcontainers")
    for name in ("one", "two"):
        answer = await api.ask("PATCH", below, added(name), kind=STRATEGIC)

    found = [item["name"] for item in answer.body["spec"]["ephemeralContainers"]]
    assert sorted(found) == ["one", "two"]
    changed = await api.ask("PATCH", below, added("one", image="other"), kind=STRATEGIC)
    assert changed.status == 422
    assert 'existing ephemeral containers "one" may not be changed' in changed.message


async def test_a_container_to_debug_is_put_and_applied(api: Api) -> None:
    created = await api.create("Pod")
    below = path("Pod", "it", "ephemeralcontainers")
    assert (await api.get(below)).body == created.body
    sent = {**created.body, "spec": {**created.body["spec"], **added()["spec"]}}
    put = await api.ask("PUT", below, sent)
    config = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, **added("other")}
    config["spec"]["nodeName"] = "here"
    applied = await api.apply(below, config)

    assert put.status == 200
    assert applied.status == 200, applied.body
    names = {item["name"] for item in applied.body["spec"]["ephemeralContainers"]}
    assert names == {"debug", "other"}
    assert "nodeName" not in applied.body["spec"]
    (entry,) = (item for item in applied.meta["managedFields"] if item["operation"] == "Apply")
    assert set(entry["fieldsV1"]) == {"f:spec"}
    assert set(entry["fieldsV1"]["f:spec"]) == {"f:ephemeralContainers"}


async def test_the_pod_itself_takes_none_to_debug(api: Api) -> None:
    await api.create("Pod")

    assert (await api.ask("PATCH", path("Pod", "it"), added(), kind=STRATEGIC)).status == 422


CPU = {"requests": {"cpu": "1"}}
POLICY = [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]


async def sized(api: Api) -> Any:
    pod = body("Pod")
    pod["spec"] = {"containers": [{"name": "main", "image": "a", "resources": CPU}]}
    return await api.create("Pod", pod)


def larger(cpu: str = "2", **more: Any) -> Json:
    container = {"name": "main", "resources": {"requests": {"cpu": cpu}}, **more}
    return {"spec": {"containers": [container]}}


async def test_a_pod_is_resized(api: Api) -> None:
    created = await sized(api)
    change = {**larger(image="b"), "metadata": {"labels": {"a": "b"}}}
    change["spec"]["priority"] = 7
    answer = await api.ask("PATCH", path("Pod", "it", "resize"), change, kind=STRATEGIC)

    assert answer.status == 200, answer.body
    container = dict(created.body["spec"]["containers"][0])
    container["resources"] = {"requests": {"cpu": "2"}}
    assert answer.body["spec"] == {**created.body["spec"], "containers": [container]}
    assert answer.meta.get("labels") == created.meta.get("labels")
    assert answer.meta["generation"] == 2
    (entry,) = (item for item in answer.meta["managedFields"] if item.get("subresource"))
    assert entry["subresource"] == "resize"


async def test_a_resize_is_put_and_applied(api: Api) -> None:
    created = await sized(api)
    below = path("Pod", "it", "resize")
    sent = json.loads(json.dumps(created.body))
    sent["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "3"}}
    put = await api.ask("PUT", below, sent)
    config = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}}
    applied = await api.apply(below, {**config, **larger("4", image="c")}, force="true")

    assert put.body["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "3"}}
    assert applied.status == 200, applied.body
    (container,) = applied.body["spec"]["containers"]
    assert (container["image"], container["resources"]) == ("a", {"requests": {"cpu": "4"}})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ([{"op": "replace", "path": "/spec/containers/0/name", "value": "x"}], "name"),
        ([{"op": "add", "path": "/spec/containers/-", "value": {"name": "x", "image": "x"}}], ""),
        ([{"op": "remove", "path": "/spec/containers/0/resources/requests"}], ""),
        ([{"op": "add", "path": "/spec/containers/0/resources/requests/a.b~1c", "value": 1}], ""),
    ],
)
async def test_a_resize_changes_no_containers(api: Api, change: Any, field: str) -> None:
    created = await sized(api)
    answer = await api.ask("PATCH", path("Pod", "it", "resize"), change, kind=JSON_PATCH)

    assert answer.status == 422, answer.body
    assert any(field in where for where, _ in answer.causes)
    assert (await api.get(path("Pod", "it"))).body == created.body


async def test_the_pod_itself_is_not_resized(api: Api) -> None:
    await sized(api)

    assert (await api.ask("PATCH", path("Pod", "it"), larger(), kind=STRATEGIC)).status == 422


@pytest.mark.parametrize(
    "sent",
    [
        {"metadata": {"name": "it"}, "status": {"message": "m"}},
        {"metadata": {"name": "it"}, "status": {"message": "m"}, "spec": []},
        {"metadata": {"name": "it"}, "status": {"message": "m"}, "spec": {"containers": 5}},
    ],
)
async def test_a_status_needs_nothing_beside(api: Api, sent: Json) -> None:
    created = await api.create("Pod")
    answer = await api.ask("PUT", path("Pod", "it", "status"), sent)

    assert answer.status == 200, answer.body
    assert answer.body["status"]["message"] == "m"
    assert answer.body["spec"] == created.body["spec"]


HOSTILE: list[Any] = [
    {"spec": []},
    {"spec": {"containers": 5}},
    {"spec": {"containers": [5]}},
    {"spec": {"containers": [{"name": [], "resources": 5}]}},
    {"spec": {"ephemeralContainers": {"a": "b"}}},
    {"status": {"conditions": [5]}},
    {"status": []},
    {"metadata": {"finalizers": {"a": 1}}},
]


@pytest.mark.parametrize("change", HOSTILE)
@pytest.mark.parametrize("below", ["status", "resize", "ephemeralcontainers"])
@pytest.mark.parametrize("kind", [MERGE, STRATEGIC, APPLY, "application/json"])
async def test_no_part_is_too_odd_to_be_answered(
    api: Api, change: Json, below: str, kind: str
) -> None:
    await api.create("Pod")
    sent = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, **change}
    sent["metadata"] = {"name": "it", **change.get("metadata", {})}
    method = "PUT" if kind == "application/json" else "PATCH"
    answer = await api.ask(
        method, path("Pod", "it", below), sent, kind=kind, headers=None, fieldManager="me"
    )

    assert answer.status in (200, 400, 422), answer.body


async def test_what_is_unknown_is_told_once(api: Api) -> None:
    await api.create("Pod")
    sent = {"metadata": {"name": "it"}, "status": {"nonsense": 1}}
    answer = await api.ask("PUT", path("Pod", "it", "status"), sent)
    strict = await api.ask("PUT", path("Pod", "it", "status"), sent, fieldValidation="Strict")

    assert answer.headers["warning"] == '299 - "unknown field \\"status.nonsense\\""'
    assert strict.status == 400
