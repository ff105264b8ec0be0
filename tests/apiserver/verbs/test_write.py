"""create and update: what becomes of an object as a client sends it."""

import re
from typing import Any

import pytest

from argosy.testing.clock import EPOCH, FakeClock
from tests.apiserver.kit import JSON, MERGE, Api, body, path, serving

Json = dict[str, Any]

MAP = path("ConfigMap", "it")
MAPS = path("ConfigMap")
MODIFIED = (
    'Operation cannot be fulfilled on configmaps "it": the object has been modified; '
    "please apply your changes to the latest version and try again"
)
UNDETERMINABLE = (
    "the name of the object (it based on URL) was undeterminable: name must be provided"
)


def named(**meta: Any) -> Json:
    return {**body("ConfigMap"), "metadata": {"name": "it", **meta}}


# create


async def test_a_new_object_is_stamped() -> None:
    async with serving(clock=FakeClock()) as api:
        created = await api.create("ConfigMap")

    assert created.meta["creationTimestamp"] == EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", created.meta["uid"])
    assert created.meta["namespace"] == "default"
    assert int(created.version) > 0
    assert created.body["apiVersion"] == "v1"
    assert created.body["kind"] == "ConfigMap"


async def test_what_only_the_server_sets_is_not_taken(api: Api) -> None:
    meta = {
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 5,
        "generation": 7,
        "selfLink": "/here",
    }
    created = await api.create("ConfigMap", named(**meta))

    assert not {item for item in meta.items() if item in created.meta.items()}
    assert "deletionTimestamp" not in created.meta
    assert "selfLink" not in created.meta


async def test_metadata_that_is_empty_is_not_kept(api: Api) -> None:
    empty: Json = {"labels": {}, "annotations": {}, "ownerReferences": [], "finalizers": []}
    created = await api.create("ConfigMap", named(**empty))
    assert not empty.keys() & created.meta.keys()
    await api.ask("PATCH", MAP, {"metadata": {"finalizers": ["a.b/c"]}}, kind=MERGE)
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/c"], "labels": {"a": None}}}
    strategic = "application/strategic-merge-patch+json"
    patched = await api.ask("PATCH", MAP, patch, kind=strategic)
    assert patched.status == 200
    assert not empty.keys() & patched.meta.keys()


@pytest.mark.parametrize("wrong", [{"labels": []}, {"finalizers": {}}, {"annotations": ""}])
async def test_metadata_of_the_wrong_type_is_refused_also_where_it_is_empty(
    api: Api, wrong: Json
) -> None:
    answer = await api.ask("POST", MAPS, named(**wrong))
    assert answer.status in (400, 422)


async def test_a_node_is_born_with_its_status(api: Api) -> None:
    status = {"capacity": {"cpu": "4"}, "conditions": [{"type": "Ready", "status": "True"}]}
    node = {"metadata": {"name": "n"}, "status": status}
    created = await api.ask("POST", path("Node"), node)
    assert created.status == 201
    assert created.body["status"]["capacity"] == {"cpu": "4"}
    pod = await api.create("Pod", {**body("Pod"), "status": {"phase": "Running"}})
    assert pod.body["status"]["phase"] == "Pending"


async def test_no_two_objects_share_a_name(api: Api) -> None:
    await api.create("ConfigMap")
    again = await api.ask("POST", MAPS, body("ConfigMap"))

    assert (again.status, again.body["reason"]) == (409, "AlreadyExists")
    assert again.message == 'configmaps "it" already exists'
    assert again.body["details"] == {"name": "it", "kind": "configmaps"}


async def test_names_are_of_one_kind_and_one_namespace(api: Api) -> None:
    await api.create("ConfigMap")
    await api.create("Pod")

    elsewhere = path("ConfigMap", namespace="kube-system")
    assert (await api.ask("POST", elsewhere, body("ConfigMap"))).status == 201


async def test_the_server_makes_names_up(api: Api) -> None:
    sent = {"metadata": {"generateName": "it-"}}
    names = {(await api.create("ConfigMap", sent)).meta["name"] for _ in range(20)}

    assert len(names) == 20
    assert all(re.fullmatch(r"it-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


async def test_made_up_names_are_short_enough(api: Api) -> None:
    created = await api.create("ConfigMap", {"metadata": {"generateName": "a" * 250}})

    assert created.meta["name"].startswith("a" * 58)
    assert len(created.meta["name"]) == 63


async def test_a_given_name_goes_before_a_made_up_one(api: Api) -> None:
    assert (await api.create("ConfigMap", named(generateName="x-"))).meta["name"] == "it"


async def test_a_name_that_is_taken_is_made_up_anew(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter((0, 0, 27**5 - 1))
    monkeypatch.setattr("secrets.randbelow", lambda _: next(drawn))
    sent = {"metadata": {"generateName": "it-"}}

    first, second = await api.create("ConfigMap", sent), await api.create("ConfigMap", sent)

    assert (first.meta["name"], second.meta["name"]) == ("it-bbbbb", "it-99999")


async def test_names_that_are_all_taken_end_the_tries(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 0)
    sent = {"metadata": {"generateName": "it-"}}
    await api.create("ConfigMap", sent)

    answer = await api.ask("POST", MAPS, sent)
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    "sent", [{}, {"metadata": {}}, {"metadata": None}, {"metadata": {"name": None}}]
)
async def test_an_object_needs_a_name(api: Api, sent: Json) -> None:
    answer = await api.ask("POST", MAPS, sent)

    assert answer.status == 422
    assert answer.message == (
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'
    )


async def test_a_new_object_has_no_version_yet(api: Api) -> None:
    answer = await api.ask("POST", MAPS, named(resourceVersion="1"))

    assert answer.status == 400
    assert answer.message == "resourceVersion should not be set on objects to be created"


async def test_a_status_does_not_come_with_a_new_object(api: Api) -> None:
    claim = body("PersistentVolumeClaim", status={"phase": "Bound"})

    assert (await api.create("PersistentVolumeClaim", claim)).body["status"]["phase"] == "Pending"
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    job = body("TrainJob", status={"jobsStatus": [{"name": "node"}]})
    assert "status" not in (await api.create("TrainJob", job)).body


# update


async def test_an_update_replaces_the_object(api: Api) -> None:
    created = await api.create("ConfigMap", named(labels={"a": "b"}, annotations={"c": "d"}))
    updated = await api.ask("PUT", MAP, named(labels={"e": "f"}))

    assert updated.status == 200
    assert updated.meta["labels"] == {"e": "f"}
    assert "annotations" not in updated.meta
    assert updated.meta["uid"] == created.meta["uid"]
    assert updated.meta["creationTimestamp"] == created.meta["creationTimestamp"]
    assert int(updated.version) > int(created.version)


async def test_an_update_of_the_newest_version_goes_through(api: Api) -> None:
    created = await api.create("ConfigMap")

    changed = {**created.body, "data": {"color": "blue"}}
    assert (await api.ask("PUT", MAP, changed)).body["data"] == {"color": "blue"}


@pytest.mark.parametrize(("method", "kind"), [("PUT", JSON), ("PATCH", MERGE)])
async def test_an_update_of_an_old_version_is_refused(api: Api, method: str, kind: str) -> None:
    created = await api.create("ConfigMap")
    newer = await api.ask("PUT", MAP, {**body("ConfigMap"), "data": {"color": "blue"}})

    stale = named(resourceVersion=created.version)
    answer = await api.ask(method, MAP, stale, kind=kind)

    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.message == MODIFIED
    assert answer.body["details"] == {"name": "it", "kind": "configmaps"}
    assert (await api.get(MAP)).body == newer.body


@pytest.mark.parametrize(("method", "kind"), [("PUT", JSON), ("PATCH", MERGE)])
async def test_an_update_of_another_object_of_that_name_is_refused(
    api: Api, method: str, kind: str
) -> None:
    created = await api.create("ConfigMap")
    answer = await api.ask(method, MAP, named(uid="other"), kind=kind)

    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert "UID in precondition: other, UID in object meta: " in answer.message
    assert (await api.get(MAP)).body == created.body


async def test_own_kinds_are_updated_from_a_version_only(api: Api) -> None:
    created = await api.create("ModelVersion")
    where = path("ModelVersion", "it")
    blind = await api.ask("PUT", where, body("ModelVersion"))
    sighted = await api.ask("PUT", where, created.body)

    assert blind.status == 422
    assert blind.causes == {
        ("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    }
    assert sighted.status == 200


async def test_an_update_without_a_change_writes_nothing(api: Api) -> None:
    created = await api.create("ConfigMap")
    revision = (await api.get(MAPS)).version
    answer = await api.ask("PUT", MAP, created.body)

    assert answer.body == created.body
    assert (await api.get(MAPS)).version == revision


async def test_an_update_needs_an_object(api: Api) -> None:
    answer = await api.ask("PUT", MAP, body("ConfigMap"))

    assert (answer.status, answer.message) == (404, 'configmaps "it" not found')


@pytest.mark.parametrize("sent", [{}, {"metadata": {}}, {"metadata": {"name": ""}}])
async def test_an_update_says_what_it_updates(api: Api, sent: Json) -> None:
    await api.create("ConfigMap")
    answer = await api.ask("PUT", MAP, sent)

    assert (answer.status, answer.message) == (400, UNDETERMINABLE)


async def test_an_update_does_not_change_what_the_server_sets(api: Api) -> None:
    created = await api.create("ConfigMap")
    generation = created.meta.get("generation")
    forged = named(
        creationTimestamp="2001-01-01T00:00:00Z",
        deletionTimestamp="2001-01-01T00:00:00Z",
        deletionGracePeriodSeconds=3,
        generation=99,
    )
    updated = await api.ask("PUT", MAP, forged)

    assert updated.status == 200
    assert updated.meta["creationTimestamp"] == created.meta["creationTimestamp"]
    assert updated.meta.get("generation") == generation
    assert "deletionTimestamp" not in updated.meta
    assert "deletionGracePeriodSeconds" not in updated.meta


async def test_the_generation_counts_changes_of_what_is_wanted(api: Api) -> None:
    created = await api.create("InferenceService")
    where = path("InferenceService", "it")

    labelled = await api.ask("PATCH", where, {"metadata": {"labels": {"a": "b"}}}, kind=MERGE)
    change = {"spec": {"predictor": {"minReplicas": 2}}}
    changed = await api.ask("PATCH", where, change, kind=MERGE)
    again = await api.ask("PATCH", where, change, kind=MERGE)

    generations = [item.meta["generation"] for item in (created, labelled, changed, again)]
    assert generations == [1, 1, 2, 2]


# status


async def test_status_and_the_rest_are_written_apart(api: Api) -> None:
    await api.create("PersistentVolumeClaim")
    where = path("PersistentVolumeClaim", "it")
    both = {
        "metadata": {"name": "it"},
        "spec": {
            **body("PersistentVolumeClaim")["spec"],
            "storageClassName": "standard",
            "volumeName": "v",
        },
        "status": {"phase": "Bound"},
    }

    status = await api.ask("PUT", f"{where}/status", both)
    assert status.body["status"]["phase"] == "Bound"
    assert "volumeName" not in status.body["spec"]

    both["status"] = {"phase": "Lost"}
    rest = await api.ask("PUT", where, both)
    assert rest.body["status"]["phase"] == "Bound"
    assert rest.body["spec"]["volumeName"] == "v"


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Pod", "Node", "ModelVersion"])
async def test_a_merge_patch_stays_on_its_side(api: Api, kind: str) -> None:
    created = await api.create(kind)
    where = path(kind, "it")
    conditions = [{"type": "Ready", "status": "True", "reason": "Up", "message": "", **MOMENT}]
    both = {"metadata": {"labels": {"a": "b"}}, "status": {"conditions": conditions}}

    rest = await api.ask("PATCH", where, both, kind=MERGE)
    assert rest.meta["labels"]["a"] == "b"
    assert rest.body.get("status") == created.body.get("status")

    status = await api.ask("PATCH", f"{where}/status", {**both, "metadata": {}}, kind=MERGE)
    assert status.body["status"]["conditions"][0]["type"] == "Ready"
    assert status.meta["labels"]["a"] == "b"
    assert status.meta.get("generation") == rest.meta.get("generation")
    assert (await api.get(f"{where}/status")).body == (await api.get(where)).body


MOMENT = {"lastTransitionTime": "2026-01-01T00:00:00Z"}


async def test_a_status_is_written_from_its_version(api: Api) -> None:
    created = await api.create("ModelVersion")
    where = path("ModelVersion", "it", "status")
    newer = await api.ask("PUT", where, {**created.body, "status": {"size": 1}})
    stale = await api.ask("PUT", where, {**created.body, "status": {"size": 2}})

    assert newer.body["status"]["size"] == 1
    assert stale.status == 409


async def test_a_status_is_checked_too(api: Api) -> None:
    created = await api.create("ModelVersion")
    where = path("ModelVersion", "it", "status")
    answer = await api.ask("PUT", where, {**created.body, "status": {"size": "large"}})

    assert answer.status == 422
    assert {field for field, _ in answer.causes} == {"status.size"}


async def test_a_status_needs_an_object(api: Api) -> None:
    where = path("Pod", "it", "status")

    assert (await api.ask("PUT", where, body("Pod"))).status == 404
    assert (await api.ask("PATCH", where, {"status": {}}, kind=MERGE)).status == 404
    assert (await api.apply(where, {"status": {}})).status == 404


# dry run


async def test_a_dry_run_writes_nothing(api: Api) -> None:
    revision = (await api.get(MAPS)).version
    created = await api.create("ConfigMap", dryRun="All")
    assert created.body["data"] == {"color": "red"}
    assert created.meta["uid"]
    assert "resourceVersion" not in created.meta  # it has none yet
    assert (await api.get(MAP)).status == 404

    applied = await api.apply(MAP, {"data": {"a": "b"}}, dryRun="All")
    assert applied.status == 201
    assert (await api.get(MAP)).status == 404
    assert (await api.get(MAPS)).version == revision

    before = await api.create("ConfigMap")
    updated = await api.ask("PUT", MAP, named(labels={"a": "b"}), dryRun="All")
    merged = await api.ask("PATCH", MAP, {"data": {"a": "b"}}, kind=MERGE, dryRun="All")
    deleted = await api.ask("DELETE", MAP, dryRun="All")
    in_body = await api.ask("DELETE", MAP, {"kind": "DeleteOptions", "dryRun": ["All"]})
    assert updated.meta["labels"] == {"a": "b"}
    assert merged.body["data"] == {"color": "red", "a": "b"}
    assert (deleted.status, in_body.status) == (200, 200)
    assert (await api.get(MAP)).body == before.body


async def test_a_dry_run_fails_as_the_run_would(api: Api) -> None:
    await api.create("ConfigMap")

    assert (await api.ask("POST", MAPS, body("ConfigMap"), dryRun="All")).status == 409
    assert (await api.ask("PUT", MAP, named(resourceVersion="1"), dryRun="All")).status == 409
    assert (await api.ask("DELETE", path("Pod", "it"), dryRun="All")).status == 404


@pytest.mark.parametrize(("method", "where"), [("POST", MAPS), ("PUT", MAP), ("DELETE", MAP)])
async def test_there_is_one_way_to_run_dry(api: Api, method: str, where: str) -> None:
    if method != "POST":
        await api.create("ConfigMap")
    answer = await api.ask(method, where, body("ConfigMap"), dryRun="Some")

    assert answer.status == 422
    assert {field for field, _ in answer.causes} == {"dryRun"}


# who wrote


async def test_a_write_is_of_its_manager(api: Api) -> None:
    created = await api.create("ConfigMap", fieldManager="first")
    agent = {"user-agent": "kubectl/v1.37 (linux)"}
    named_by_agent = await api.ask("PATCH", MAP, {"data": {"a": "b"}}, kind=MERGE, headers=agent)

    assert [entry["manager"] for entry in created.meta["managedFields"]] == ["first"]
    managers = {entry["manager"] for entry in named_by_agent.meta["managedFields"]}
    assert managers == {"first", "kubectl"}


@pytest.mark.parametrize("manager", ["x" * 129, "ä" * 65, "a\nb"])
async def test_a_manager_has_a_name_that_can_be_shown(api: Api, manager: str) -> None:
    answer = await api.ask("POST", MAPS, body("ConfigMap"), fieldManager=manager)

    assert answer.status == 422
    assert {field for field, _ in answer.causes} == {"fieldManager"}
