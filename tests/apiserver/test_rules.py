"""What is wrong with an object, and where: the rules as a client meets them.

Each row is a valid object made wrong in one place, and the path that the answer must name. The
words are Kubernetes' and left to the rules' own tests where they are not few and sure.
"""

from typing import Any

import pytest

from tests.apiserver.kit import JSON, MERGE, Api, body, path
from tests.apiserver.rules import assert_fields, merged, refused

Json = dict[str, Any]

# names, labels, annotations, owners


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"name": "It"}, "metadata.name"),
        ({"name": "it_"}, "metadata.name"),
        ({"name": "-it"}, "metadata.name"),
        ({"name": "it."}, "metadata.name"),
        ({"name": "a..b"}, "metadata.name"),
        ({"name": "ä"}, "metadata.name"),
        ({"name": "a b"}, "metadata.name"),
        ({"name": "a\n"}, "metadata.name"),
        ({"name": "a/b"}, "metadata.name"),
        ({"name": "x" * 254}, "metadata.name"),
        ({"labels": {"a b": "c"}}, "metadata.labels"),
        ({"labels": {"": "c"}}, "metadata.labels"),
        ({"labels": {"a/b/c": "d"}}, "metadata.labels"),
        ({"labels": {"/a": "b"}}, "metadata.labels"),
        ({"labels": {"A.b/c": "d"}}, "metadata.labels"),
        ({"labels": {"x" * 64: "a"}}, "metadata.labels"),
        ({"labels": {"a": "b c"}}, "metadata.labels"),
        ({"labels": {"a": "-b"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"labels": {"a": 1}}, "metadata.labels[a]"),
        ({"labels": []}, "metadata.labels"),
        ({"annotations": {"a b": "c"}}, "metadata.annotations"),
        ({"annotations": {"a": "x" * (256 * 1024)}}, "metadata.annotations"),
        ({"annotations": {"a": "ä" * (128 * 1024)}}, "metadata.annotations"),
        ({"finalizers": ["a b"]}, "metadata.finalizers"),
        ({"finalizers": [""]}, "metadata.finalizers"),
        (
            {"ownerReferences": [{"apiVersion": "", "kind": "K", "name": "n", "uid": "u"}]},
            "metadata.ownerReferences.apiVersion",
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "n", "uid": "u"}]},
            "metadata.ownerReferences.kind",
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "", "uid": "u"}]},
            "metadata.ownerReferences.name",
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": ""}]},
            "metadata.ownerReferences.uid",
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n"}]},
            "metadata.ownerReferences[0].uid",
        ),
        ({"creationTimestamp": "today"}, "metadata.creationTimestamp"),
        ({"generation": "1"}, "metadata.generation"),
    ],
)
async def test_metadata(api: Api, meta: Json, field: str) -> None:
    await refused(api, "ConfigMap", {"metadata": meta}, field)


async def test_one_owner_at_most_is_the_controller(api: Api) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "controller": True}
    owners = [{**owner, "name": name, "uid": name} for name in "ab"]

    await refused(
        api, "ConfigMap", {"metadata": {"ownerReferences": owners}}, "metadata.ownerReferences"
    )
    owners[1]["controller"] = False
    await api.create("ConfigMap", {"metadata": {"name": "it", "ownerReferences": owners}})


@pytest.mark.parametrize("name", ["a.b", "a.1"])
@pytest.mark.parametrize("kind", ["Namespace", "TrainJob"])
async def test_some_names_are_one_label(api: Api, kind: str, name: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    await refused(api, kind, {"metadata": {"name": name}}, "metadata.name")


@pytest.mark.parametrize("meta", [{"name": "x" * 253}, {"name": "a.b-c.1"}, {"name": "1"}])
async def test_names_that_are_good(api: Api, meta: Json) -> None:
    await api.create("ConfigMap", {"metadata": meta})


@pytest.mark.parametrize(
    "labels",
    [{"a": ""}, {"A.b_c": "D-e.f"}, {"example.com/a": "b"}, {"x" * 63: "y" * 63}, {"a": "1"}],
)
async def test_labels_that_are_good(api: Api, labels: Json) -> None:
    created = await api.create("ConfigMap", {"metadata": {"name": "it", "labels": labels}})

    assert created.meta["labels"] == labels


async def test_annotations_may_say_anything(api: Api) -> None:
    notes = {"Example.COM/a": '{"b": [\n1]}', "c": "", "d": "x" * 200_000}
    created = await api.create("ConfigMap", {"metadata": {"name": "it", "annotations": notes}})

    assert created.meta["annotations"] == notes


async def test_what_has_no_namespace_takes_none(api: Api) -> None:
    await refused(api, "Node", {"metadata": {"namespace": "default"}}, "metadata.namespace")


async def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    wrong = {"metadata": {"name": "It", "labels": {"a b": "c"}}, "data": {"d e": "f"}}
    answer = await api.ask("POST", path("ConfigMap"), wrong)

    assert_fields(answer, "metadata.name", "metadata.labels", "data[d e]")
    assert answer.message.startswith('ConfigMap "It" is invalid: [')
    assert answer.body["details"]["name"] == "It"
    assert answer.body["details"]["kind"] == "ConfigMap"


# core kinds


@pytest.mark.parametrize(
    ("kind", "wrong", "field"),
    [
        ("ConfigMap", {"data": {"a b": ""}}, "data[a b]"),
        ("ConfigMap", {"data": {"": ""}}, "data[]"),
        ("ConfigMap", {"data": {"a/b": ""}}, "data[a/b]"),
        ("ConfigMap", {"data": {"x" * 254: ""}}, "data[x"),
        ("ConfigMap", {"data": {"a": 1}}, "data[a]"),
        ("ConfigMap", {"data": {"a": {}}}, "data[a]"),
        ("ConfigMap", {"data": []}, "data"),
        ("ConfigMap", {"data": "a"}, "data"),
        ("ConfigMap", {"binaryData": {"a b": ""}}, "binaryData[a b]"),
        ("ConfigMap", {"binaryData": {"a": "not base64!"}}, "binaryData[a]"),
        ("ConfigMap", {"immutable": "yes"}, "immutable"),
        ("Event", {"involvedObject": ...}, "involvedObject"),
        ("Node", {"spec": {"unschedulable": "no"}}, "spec.unschedulable"),
        ("Service", {"spec": {"type": "Teapot"}}, "spec.type"),
        ("Service", {"spec": {"ports": [{"port": 0}]}}, "spec.ports[0]"),
        ("Service", {"spec": {"ports": [{"port": 65536}]}}, "spec.ports[0]"),
        ("Service", {"spec": {"ports": [{}]}}, "spec.ports[0].port"),
        ("PersistentVolumeClaim", {"spec": {"accessModes": []}}, "spec.accessModes"),
        ("PersistentVolumeClaim", {"spec": {"resources": ...}}, "spec.resources"),
        (
            "PersistentVolumeClaim",
            {"spec": {"resources": {"requests": {"storage": "0"}}}},
            "spec.resources",
        ),
        (
            "PersistentVolumeClaim",
            {"spec": {"resources": {"requests": {"storage": "lots"}}}},
            "spec.resources.requests[storage]",
        ),
        ("PersistentVolume", {"spec": {"accessModes": ...}}, "spec.accessModes"),
        ("PersistentVolume", {"spec": {"capacity": ...}}, "spec.capacity"),
        ("PersistentVolume", {"spec": {"hostPath": ...}}, "spec"),
        ("RuntimeClass", {"handler": ...}, "handler"),
        ("StorageClass", {"provisioner": ...}, "provisioner"),
        ("ResourceSlice", {"spec": ...}, "spec"),
        ("ResourceSlice", {"spec": {"driver": ...}}, "spec.driver"),
        ("ResourceSlice", {"spec": {"pool": ...}}, "spec.pool"),
        (
            "ResourceClaim",
            {"spec": {"devices": {"requests": [{"name": "g"}]}}},
            "spec.devices.requests[0]",
        ),
        (
            "ResourceClaim",
            {
                "spec": {
                    "devices": {"requests": [{"name": "G", "exactly": {"deviceClassName": "c"}}]}
                }
            },
            "spec.devices.requests[0].name",
        ),
        (
            "ResourceClaim",
            {
                "spec": {
                    "devices": {
                        "requests": [{"name": "g", "exactly": {"deviceClassName": "c"}}] * 2
                    }
                }
            },
            "spec.devices.requests[1]",
        ),
        (
            "ResourceClaim",
            {"spec": {"devices": {"requests": [{"name": "g", "exactly": {}}]}}},
            "spec.devices.requests[0].exactly.deviceClassName",
        ),
        (
            "ResourceClaimTemplate",
            {"spec": {"spec": {"devices": {"requests": [{"name": "g"}]}}}},
            "spec.spec.devices.requests[0]",
        ),
        ("PodGroup", {"spec": ...}, "spec"),
        ("PodGroup", {"spec": {"schedulingPolicy": {"gang": ...}}}, "spec.schedulingPolicy"),
        ("PodGroup", {"spec": {"schedulingPolicy": {"basic": {}}}}, "spec.schedulingPolicy"),
        (
            "PodGroup",
            {"spec": {"schedulingPolicy": {"gang": {"minCount": 0}}}},
            "spec.schedulingPolicy.gang.minCount",
        ),
    ],
)
async def test_kinds_of_kubernetes(api: Api, kind: str, wrong: Json, field: str) -> None:
    await refused(api, kind, wrong, field)


@pytest.mark.parametrize("spec", [..., None, {}])
@pytest.mark.parametrize(
    "kind", ["Pod", "PersistentVolumeClaim", "PersistentVolume", "Service", "PodGroup", "TrainJob"]
)
async def test_a_spec_that_says_nothing(api: Api, kind: str, spec: Any) -> None:
    sent = body(kind)
    sent.pop("spec")
    if spec is not ...:
        sent["spec"] = spec
    answer = await api.ask("POST", path(kind), sent)

    assert answer.status in (201, 422) if kind == "Service" else answer.status == 422
    assert all(field.startswith("spec") for field, _ in answer.causes)


# what never changes


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("ModelVersion", {"spec": {"model": "other"}}, "spec"),
        ("ModelVersion", {"spec": {"storageUri": "pvc://models/other"}}, "spec"),
        ("TrainJob", {"spec": {"runtimeRef": {"name": "other"}}}, "spec.runtimeRef"),
        ("TrainJob", {"spec": {"trainer": {"numNodes": 4}}}, "spec.trainer"),
        ("RuntimeClass", {"handler": "other"}, "handler"),
        ("ResourceSlice", {"spec": {"driver": "other.example.com"}}, "spec.driver"),
        ("ResourceSlice", {"spec": {"nodeName": "there"}}, "spec.nodeName"),
        ("ResourceClaim", {"spec": {"devices": {"requests": None}}}, "spec"),
        ("ResourceClaimTemplate", {"spec": {"spec": {"devices": None}}}, "spec"),
    ],
)
async def test_what_never_changes(api: Api, kind: str, change: Json, field: str) -> None:
    for name in ("digits", "other"):
        await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", name))
    created = await api.create(kind)
    where = path(kind, "it")

    patched = await api.ask("PATCH", where, change, kind=MERGE)
    put = await api.ask("PUT", where, merged(created.body, change))
    assert_fields(patched, field)
    assert put.status == 422
    assert any("immutable" in text for _, text in patched.causes)
    assert (await api.get(where)).body == created.body
    assert (await api.ask("PUT", where, created.body, kind=JSON)).status == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"data": {"color": "blue"}}, "data"),
        ({"data": None}, "data"),
        ({"immutable": False}, "immutable"),
        ({"immutable": None}, "immutable"),
    ],
)
async def test_a_config_map_may_be_made_to_stay(api: Api, change: Json, field: str) -> None:
    await api.create("ConfigMap", body("ConfigMap", immutable=True))
    where = path("ConfigMap", "it")

    assert_fields(await api.ask("PATCH", where, change, kind=MERGE), field)
    labelled = {"metadata": {"labels": {"a": "b"}}}
    assert (await api.ask("PATCH", where, labelled, kind=MERGE)).status == 200


async def test_a_claim_that_is_bound_stays_as_it_is(api: Api) -> None:
    await api.create("PersistentVolumeClaim")
    where = path("PersistentVolumeClaim", "it")
    bound = await api.ask("PATCH", where, {"spec": {"volumeName": "v"}}, kind=MERGE)
    moved = await api.ask("PATCH", where, {"spec": {"volumeName": "w"}}, kind=MERGE)

    assert bound.status == 200
    assert_fields(moved, "spec")
