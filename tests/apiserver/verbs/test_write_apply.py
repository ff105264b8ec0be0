"""Server-side apply at its endpoint; what it does to fields is `fieldmanager`'s tests' concern."""

from typing import Any

import pytest

from tests.apiserver.kit import APPLY, MERGE, Api, body, path

Json = dict[str, Any]

MAP = path("ConfigMap", "it")


async def test_apply_creates(api: Api) -> None:
    answer = await api.apply(MAP, {"data": {"a": "b"}})

    assert answer.status == 201
    assert answer.body["data"] == {"a": "b"}
    assert answer.meta["namespace"] == "default"
    assert answer.meta["uid"]
    (entry,) = answer.meta["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("me", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}


async def test_apply_changes_adds_and_takes_back(api: Api) -> None:
    await api.apply(MAP, {"data": {"a": "1", "b": "1"}})
    answer = await api.apply(MAP, {"data": {"a": "2", "c": "1"}})

    assert answer.status == 200
    assert answer.body["data"] == {"a": "2", "c": "1"}


async def test_the_same_again_writes_nothing(api: Api) -> None:
    first = await api.apply(MAP, {"data": {"a": "1"}})
    again = await api.apply(MAP, {"data": {"a": "1"}})

    assert again.status == 200
    assert again.body == first.body


async def test_defaults_are_not_written_again(api: Api) -> None:
    spec = body("Pod")["spec"]
    first = await api.apply(path("Pod", "it"), {"spec": spec})
    again = await api.apply(path("Pod", "it"), {"spec": spec})

    assert first.body["spec"]["restartPolicy"] == "Always"
    assert again.version == first.version


async def test_fields_of_others_are_not_touched(api: Api) -> None:
    await api.apply(MAP, {"data": {"a": "1"}}, "first")
    answer = await api.apply(MAP, {"data": {"b": "1"}}, "second")

    assert answer.body["data"] == {"a": "1", "b": "1"}


async def test_a_conflict_names_field_and_owner(api: Api) -> None:
    await api.apply(MAP, {"data": {"a": "1"}}, "first")
    answer = await api.apply(MAP, {"data": {"a": "2"}}, "second")

    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "first": .data.a'
    (cause,) = answer.body["details"]["causes"]
    assert cause["reason"] == "FieldManagerConflict"
    assert cause["field"] == ".data.a"
    assert (await api.get(MAP)).body["data"] == {"a": "1"}


async def test_force_takes_fields_over(api: Api) -> None:
    await api.apply(MAP, {"data": {"a": "1"}}, "first")
    forced = await api.apply(MAP, {"data": {"a": "2"}}, "second", force="true")
    late = await api.apply(MAP, {"data": {"a": "3"}}, "first")

    assert forced.body["data"] == {"a": "2"}
    assert late.status == 409


async def test_what_was_updated_is_owned_too(api: Api) -> None:
    await api.create("ConfigMap", fieldManager="kubectl-create")
    answer = await api.apply(MAP, {"data": {"color": "blue"}})

    assert answer.status == 409
    assert '"kubectl-create" using v1: .data.color' in answer.message


@pytest.mark.parametrize("manager", [None, ""])
async def test_apply_needs_a_manager(api: Api, manager: str | None) -> None:
    query = {} if manager is None else {"fieldManager": manager}
    answer = await api.ask("PATCH", MAP, {}, kind=APPLY, headers=None, **query)

    assert answer.status == 422
    assert answer.causes == {("fieldManager", "Required value: is required for apply patch")}


async def test_only_apply_can_be_forced(api: Api) -> None:
    await api.create("ConfigMap")
    answer = await api.ask("PATCH", MAP, {}, kind=MERGE, headers=None, force="true")

    assert answer.status == 422
    assert answer.causes == {("force", "Forbidden: may not be specified for non-apply patch")}


async def test_a_status_is_applied_apart(api: Api) -> None:
    await api.create("PersistentVolumeClaim")
    where = path("PersistentVolumeClaim", "it")
    both = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"volumeName": "v"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }

    status = await api.apply(f"{where}/status", both, "binder", force="true")
    assert status.body["status"]["phase"] == "Bound"
    assert "volumeName" not in status.body["spec"]
    rest = await api.apply(where, {**both, "status": {"phase": "Lost"}}, "user")
    assert rest.body["status"]["phase"] == "Bound"
    assert rest.body["spec"]["volumeName"] == "v"
    owners = {
        (entry["manager"], entry.get("subresource", "")) for entry in rest.meta["managedFields"]
    }
    assert {("binder", "status"), ("user", "")} <= owners


async def test_a_part_of_an_object_may_be_applied(api: Api) -> None:
    await api.create("Pod")
    container = {"name": "main", "image": "python:3.13"}
    answer = await api.apply(path("Pod", "it"), {"spec": {"containers": [container]}}, force="true")

    assert answer.status == 200, answer.body
    assert answer.body["spec"]["containers"][0]["image"] == "python:3.13"


async def test_a_part_is_not_enough_for_a_new_object(api: Api) -> None:
    answer = await api.apply(path("ModelVersion", "it"), {"spec": {"model": "digits"}})

    assert answer.status == 422
    assert {field for field, _ in answer.causes} == {
        "spec.modelFormat",
        "spec.storageUri",
        "spec.version",
    }
    assert (await api.get(path("ModelVersion", "it"))).status == 404


@pytest.mark.parametrize("sent", [{"uid": "u"}, {"resourceVersion": "5"}])
async def test_an_object_that_is_gone_is_not_created_again(api: Api, sent: Json) -> None:
    answer = await api.apply(MAP, {"metadata": sent})

    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert (await api.get(MAP)).status == 404


@pytest.mark.parametrize("sent", [{"uid": "other"}, {"resourceVersion": "1"}])
async def test_apply_minds_what_the_writer_expects(api: Api, sent: Json) -> None:
    await api.create("ConfigMap")

    assert (await api.apply(MAP, {"metadata": sent}, force="true")).status == 409


async def test_a_configuration_has_no_managed_fields(api: Api) -> None:
    answer = await api.apply(MAP, {"metadata": {"managedFields": [{}]}})

    assert (answer.status, answer.message) == (400, "metadata.managedFields must be nil")


async def test_a_configuration_in_another_version_is_refused(api: Api) -> None:
    assert (await api.apply(MAP, {"apiVersion": "v2"})).status == 400


async def test_unknown_fields_are_warned_of(api: Api) -> None:
    sent = {"data": {"a": "b"}, "colour": "red"}
    answer = await api.apply(MAP, sent)
    strict = await api.apply(MAP, sent, fieldValidation="Strict")

    assert 'unknown field \\"colour\\"' in answer.headers["warning"]
    assert "colour" not in answer.body
    assert strict.status == 400


async def test_yaml_may_be_applied(api: Api) -> None:
    answer = await api.apply(MAP, b"metadata:\n  name: it\ndata:\n  a: b\n")

    assert (answer.status, answer.body["data"]) == (201, {"a": "b"})


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b"a: [", b"data: {a: [1]}"])
async def test_configurations_that_cannot_be_read(api: Api, sent: bytes) -> None:
    assert (await api.apply(MAP, sent)).status == 400


async def test_apply_to_a_missing_namespace(api: Api) -> None:
    answer = await api.apply(path("ConfigMap", "it", namespace="nowhere"), {})

    assert (answer.status, answer.message) == (404, 'namespaces "nowhere" not found')


async def test_the_last_finalizer_may_be_taken_away_by_apply(api: Api) -> None:
    await api.apply(MAP, {"metadata": {"finalizers": ["example.com/wait"]}})
    await api.ask("DELETE", MAP)
    assert (await api.get(MAP)).status == 200

    await api.apply(MAP, {"data": {"a": "b"}})
    assert (await api.get(MAP)).status == 404
