"""Tables and metadata alone, of everything that verbs answer."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.kinds import RESOURCES
from argosy.apiserver.form import PLAIN, Form, form_below, form_of
from argosy.base.errors import StatusError
from argosy.http.message import Request
from tests.apiserver.kit import APPLY, BODIES, MERGE, Answer, Api, body, path

MAPS = path("ConfigMap")
MAP = path("ConfigMap", "it")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
META = {"resourceVersion": "5", "annotations": {"k8s.io/initial-events-end": "true"}}


def turned(kind: str, version: str = "v1", group: str = "meta.k8s.io") -> dict[str, str]:
    return {"accept": f"application/json;as={kind};g={group};v={version}"}


def asks(accept: str, query: str = "") -> Request:
    return Request("GET", "/", query, {"accept": accept})


async def ask(api: Api, method: str, where: str, kind: str, sent: Any = b"", **more: Any) -> Answer:
    return await api.ask(method, where, sent, headers=turned(kind), **more)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("kind", BODIES)
async def test_one_objects_metadata(api: Api, kind: str, version: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    created = await api.create(kind)
    where = path(kind, "it")
    answer = await api.ask("GET", where, headers=turned("PartialObjectMetadata", version))

    assert answer.body == {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": created.meta,
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_the_metadata_of_a_list(api: Api, version: str) -> None:
    one = await api.create("ConfigMap", body("ConfigMap", "a"))
    await api.create("ConfigMap", body("ConfigMap", "b"))
    headers = turned("PartialObjectMetadataList", version)
    answer = await api.ask("GET", MAPS, headers=headers, limit="1")
    plain = await api.get(MAPS, limit="1")

    assert answer.body["kind"] == "PartialObjectMetadataList"
    assert answer.body["apiVersion"] == f"meta.k8s.io/{version}"
    assert answer.meta == plain.meta
    assert answer.body["items"] == [
        {
            "kind": "PartialObjectMetadata",
            "apiVersion": f"meta.k8s.io/{version}",
            "metadata": one.meta,
        }
    ]


async def test_what_is_written_comes_back_in_the_same_form(api: Api) -> None:
    for kind in ("PartialObjectMetadata", "Table"):
        created = await ask(api, "POST", MAPS, kind, body("ConfigMap"))
        assert (created.status, created.body["kind"]) == (201, kind)
        for method, sent, how in (
            ("PUT", body("ConfigMap"), "application/json"),
            ("PATCH", {"data": {"a": "b"}}, MERGE),
        ):
            headers = {**turned(kind), "content-type": how}
            answer = await api.ask(method, MAP, sent, headers=headers)
            assert (answer.status, answer.body["kind"]) == (200, kind)
        gone = await ask(api, "DELETE", MAP, kind)
        assert (gone.status, gone.body["kind"]) == (200, "Status")


async def test_a_collection_that_is_deleted_is_a_list(api: Api) -> None:
    await api.create("ConfigMap")
    gone = await ask(api, "DELETE", MAPS, "PartialObjectMetadataList")

    assert gone.body["kind"] == "PartialObjectMetadataList"
    assert [item["metadata"]["name"] for item in gone.body["items"]] == ["it"]


@pytest.mark.parametrize(
    ("kind", "asked", "where", "message"),
    [
        (
            "ConfigMap",
            "PartialObjectMetadata",
            MAPS,
            "you requested PartialObjectMetadata, but the requested object is a list "
            "(*core.ConfigMapList)",
        ),
        (
            "ConfigMap",
            "PartialObjectMetadataList",
            MAP,
            "you requested PartialObjectMetadataList, but the requested object is not a list "
            "(*core.ConfigMap)",
        ),
        (
            "StorageClass",
            "PartialObjectMetadataList",
            path("StorageClass", "it"),
            "you requested PartialObjectMetadataList, but the requested object is not a list "
            "(*storage.StorageClass)",
        ),
    ],
)
async def test_the_form_of_something_else(
    api: Api, kind: str, asked: str, where: str, message: str
) -> None:
    await api.create(kind)
    answer = await ask(api, "GET", where, asked)

    assert (answer.status, answer.body["reason"]) == (406, "NotAcceptable")
    assert answer.message == message


async def test_nothing_is_written_for_who_takes_no_answer(api: Api) -> None:
    headers = {"accept": "text/html"}
    refused = await api.ask("POST", MAPS, body("ConfigMap"), headers=headers)

    assert refused.status == 406
    assert refused.message == (
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )
    assert (await api.get(MAP)).status == 404


async def test_errors_keep_their_form(api: Api) -> None:
    missing = await ask(api, "GET", MAP, "PartialObjectMetadata")

    assert (missing.status, missing.body["kind"]) == (404, "Status")


async def test_rows_may_bring_what_is_no_word(api: Api) -> None:
    answer = await ask(api, "GET", MAPS, "Table", includeObject="Everything")

    assert answer.status == 400
    assert answer.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "Everything": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


@pytest.mark.parametrize("below", ["log", "exec", "proxy", "proxy/a/b", "portforward", "attach"])
def test_what_answers_no_objects_is_not_refused(below: str) -> None:
    assert form_below(asks("text/html"), below) is PLAIN
    with pytest.raises(StatusError):
        form_below(asks("text/html"), "status")


@pytest.mark.parametrize(
    ("accept", "plain", "headed"),
    [
        ("application/json", True, False),
        ("application/json;as=Table;g=meta.k8s.io;v=v1", False, True),
        ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", False, False),
    ],
)
def test_a_form_says_what_it_needs(accept: str, plain: bool, headed: bool) -> None:
    form = form_of(asks(accept))

    assert (form.plain, form.headed) == (plain, headed)


# events


@pytest.mark.parametrize("include", ["", "None", "Object", "Metadata"])
def test_the_end_of_the_initial_events_is_marked_in_each_kinds_table(include: str) -> None:
    for resource in RESOURCES:
        mark = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": META}
        value = json.dumps(mark).encode()
        shown = json.loads(Form("Table", "v1", include).one(resource, value, NOW))
        (row,) = shown["rows"]
        assert row["object"]["metadata"] == META
        assert shown["metadata"]["resourceVersion"] == "5"


def test_events_are_metadata_or_as_they_are() -> None:
    (resource,) = (item for item in RESOURCES if item.kind == "ConfigMap")
    value = json.dumps({"kind": "ConfigMap", "metadata": META, "data": {"a": "b"}}).encode()

    partial = json.loads(Form("PartialObjectMetadata", "v1beta1").one(resource, value, NOW))
    assert partial == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1beta1",
        "metadata": META,
    }
    assert PLAIN.one(resource, value, NOW) == value
    # As upstream, which logs it and sends the object.
    assert Form("PartialObjectMetadataList", "v1").one(resource, value, NOW) == value


def test_only_the_first_event_brings_the_head() -> None:
    (resource,) = (item for item in RESOURCES if item.kind == "ConfigMap")
    value = json.dumps({"kind": "ConfigMap", "metadata": {"name": "it"}}).encode()
    form = Form("Table", "v1")
    first, later = (
        json.loads(form.one(resource, value, NOW, headed=head)) for head in (True, False)
    )

    assert len(first["columnDefinitions"]) == 3
    assert not later["columnDefinitions"]


async def test_apply_answers_in_the_form_too(api: Api) -> None:
    applied = {"apiVersion": "v1", "kind": "ConfigMap", **body("ConfigMap")}
    headers = {**turned("PartialObjectMetadata"), "content-type": APPLY}
    answer = await api.ask("PATCH", MAP, applied, headers=headers, fieldManager="me")

    assert (answer.status, answer.body["kind"]) == (201, "PartialObjectMetadata")
