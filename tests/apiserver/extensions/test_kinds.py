"""Tests of kinds that users define, through the API: they are served as built-in ones are."""

import asyncio
import json
from typing import Any

import pytest

from argosy.base.clock import SystemClock
from argosy.cluster.server import control_plane
from argosy.http.message import Request
from tests.api.extensions.kit import NUMBER, TEXT, Json, fields, kind, version
from tests.apiserver.kit import MERGE, STRATEGIC, Answer, Api, answered

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
PROTOBUF = "application/vnd.kubernetes.protobuf"
SCALE: Json = {
    "specReplicasPath": ".spec.size",
    "statusReplicasPath": ".status.size",
    "labelSelectorPath": ".status.selector",
}
LIST: Json = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {**fields(name=TEXT, value=TEXT), "required": ["name"]},
}
SPEC = fields(
    color={**TEXT, "enum": ["red", "blue"]},
    size={**NUMBER, "default": 1, "minimum": 0},
    list=LIST,
    name={**TEXT, "maxLength": 3},
)


def widgets(spec: Json = SPEC, **facts: Any) -> Json:
    whole = version(
        spec=spec,
        subresources={"status": {}, "scale": SCALE},
        additionalPrinterColumns=[{"name": "Color", "type": "string", "jsonPath": ".spec.color"}],
        selectableFields=[{"jsonPath": ".spec.color"}],
    )
    whole["schema"]["openAPIV3Schema"]["properties"]["status"] = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    return kind({**whole, **facts})


async def define(api: Api, definition: Json | None = None) -> Answer:
    answer = await api.ask("POST", DEFINITIONS, definition or widgets())
    assert answer.status == 201, answer.body
    return answer


def widget(name: str = "a", **spec: Any) -> Json:
    return {"metadata": {"name": name}, "spec": spec}


async def redefine(api: Api, name: str, change: Any) -> Answer:
    current = (await api.get(f"{DEFINITIONS}/{name}")).body
    change(current)
    return await api.ask("PUT", f"{DEFINITIONS}/{name}", current)


async def test_a_kind_is_served_as_soon_as_it_is_defined(api: Api) -> None:
    assert (await api.get(WIDGETS)).status == 404
    defined = await define(api)
    told = {item["type"]: item["status"] for item in defined.body["status"]["conditions"]}
    assert told == {"NamesAccepted": "True", "Established": "True"}
    made = await api.ask("POST", WIDGETS, widget(color="red"))
    assert (made.status, made.body["spec"]) == (201, {"color": "red", "size": 1})
    assert made.meta["generation"] == 1
    listed = await api.get(WIDGETS, fieldSelector="spec.color=red")
    assert [item["metadata"]["name"] for item in listed.body["items"]] == ["a"]
    assert listed.body["kind"] == "WidgetList"
    assert (await api.get(WIDGETS, fieldSelector="spec.color=blue")).body["items"] == []
    assert (await api.get(WIDGETS, fieldSelector="spec.size=1")).status == 400
    table = await api.table(WIDGETS)
    assert [column["name"] for column in table.body["columnDefinitions"]] == ["Name", "Color"]
    assert table.body["rows"][0]["cells"] == ["a", "red"]


async def test_what_breaks_the_schema_is_refused_and_what_it_does_not_know_goes(api: Api) -> None:
    await define(api)
    wrong = await api.ask("POST", WIDGETS, widget(color="green", size="x"))
    assert wrong.status == 422
    assert wrong.message == (
        'Widget.example.com "a" is invalid: [spec.color: Unsupported value: "green": supported '
        'values: "red", "blue", spec.size: Invalid value: "string": '
        'spec.size in body must be of type integer: "string"]'
    )
    made = await api.ask("POST", WIDGETS, widget(colour="red"))
    assert made.headers["warning"] == '299 - "unknown field \\"spec.colour\\""'
    assert made.body["spec"] == {"size": 1}
    strict = await api.ask("POST", WIDGETS, widget("b", colour="red"), fieldValidation="Strict")
    assert strict.status == 400 and 'unknown field "spec.colour"' in strict.message
    odd = await api.ask("POST", WIDGETS, {"metadata": {"name": "c", "labels": [1]}})
    assert odd.status == 422 and odd.causes


async def test_status_and_scale_write_their_parts(api: Api) -> None:
    await define(api)
    await api.ask("POST", WIDGETS, {**widget(color="red"), "status": {"size": 7}})
    assert "status" not in (await api.get(f"{WIDGETS}/a")).body
    status = {"status": {"size": 2, "selector": "a=b"}, "spec": {"color": "blue"}}
    told = await api.ask("PATCH", f"{WIDGETS}/a/status", status, kind=MERGE)
    assert told.body["spec"]["color"] == "red" and told.meta["generation"] == 1
    scale = await api.get(f"{WIDGETS}/a/scale")
    assert scale.body["spec"] == {"replicas": 1}
    assert scale.body["status"] == {"replicas": 2, "selector": "a=b"}
    more = {"spec": {"replicas": 4}}
    assert (await api.ask("PATCH", f"{WIDGETS}/a/scale", more, kind=MERGE)).status == 200
    now = await api.get(f"{WIDGETS}/a")
    assert now.body["spec"] == {"color": "red", "size": 4} and now.meta["generation"] == 2
    owned = {item.get("subresource"): item["fieldsV1"] for item in now.meta["managedFields"]}
    assert owned["scale"] == {"f:spec": {"f:size": {}}}


async def test_lists_are_applied_by_their_keys(api: Api) -> None:
    await define(api)
    head = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}
    for manager, name in (("one", "x"), ("two", "y")):
        sent = {**head, "spec": {"list": [{"name": name, "value": manager}]}}
        assert (await api.apply(f"{WIDGETS}/a", sent, manager)).status in (200, 201)
    now = await api.get(f"{WIDGETS}/a")
    assert [item["name"] for item in now.body["spec"]["list"]] == ["x", "y"]
    gone = await api.apply(f"{WIDGETS}/a", {**head, "spec": {}}, "one")
    assert [item["name"] for item in gone.body["spec"]["list"]] == ["y"]


async def test_bodies_are_json_or_yaml(api: Api) -> None:
    await define(api)
    made = await api.ask("POST", WIDGETS, b"k8s\x00", kind=PROTOBUF)
    assert made.status == 415
    known = {"authorization": f"Bearer {api.cluster.plane.token}", "accept": PROTOBUF}
    got = await api.cluster.plane.server.handle(Request("GET", WIDGETS, "", known))
    assert got.status == 406
    await api.ask("POST", WIDGETS, widget())
    merged = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {}}, kind=STRATEGIC)
    assert merged.status == 415
    steps = [{"op": "replace", "path": "/spec/size", "value": 3}]
    patched = await api.ask("PATCH", f"{WIDGETS}/a", steps, kind="application/json-patch+json")
    assert patched.body["spec"]["size"] == 3


async def test_what_was_taken_once_stays_valid_while_it_does_not_change(api: Api) -> None:
    await define(api, kind(version(spec=fields(title=TEXT, size=NUMBER))))
    await api.ask("POST", WIDGETS, widget(title="longer"))

    def shorter(definition: Json) -> None:
        properties = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        properties["spec"] = fields(title={**TEXT, "maxLength": 3}, size=NUMBER)

    assert (await redefine(api, "widgets.example.com", shorter)).status == 200
    kept = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {"size": 2}}, kind=MERGE)
    assert kept.status == 200, kept.body
    assert kept.body["spec"] == {"title": "longer", "size": 2}
    worse = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {"title": "longest"}}, kind=MERGE)
    assert "Too long: may not be more than 3 bytes" in worse.message
    assert (await api.ask("POST", WIDGETS, widget("b", title="longer"))).status == 422


async def test_old_objects_are_read_in_todays_form(api: Api) -> None:
    await define(api, kind(version(spec=fields(old=TEXT))))
    await api.ask("POST", WIDGETS, widget(old="x"))

    def newer(definition: Json) -> None:
        properties = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        properties["spec"] = fields(new={**TEXT, "default": "n"})

    await redefine(api, "widgets.example.com", newer)
    assert (await api.get(f"{WIDGETS}/a")).body["spec"] == {"new": "n"}
    assert (await api.get(WIDGETS)).body["items"][0]["spec"] == {"new": "n"}


async def test_versions_are_one_object_and_the_stored_one_may_change(api: Api) -> None:
    other = "/apis/example.com/v2/namespaces/default/widgets"
    first = version("v1", fields(a=TEXT, b=TEXT))
    second = version("v2", fields(a={**TEXT, "default": "d"}), storage=False)
    await define(api, kind(first, second))
    await api.ask("POST", WIDGETS, widget(b="x"))
    seen = await api.get(f"{other}/a")
    assert (seen.body["apiVersion"], seen.body["spec"]) == ("example.com/v2", {})
    made = await api.ask("POST", other, widget("b"))
    assert made.body["spec"] == {"a": "d"}
    assert (await api.get(f"{WIDGETS}/b")).body["apiVersion"] == "example.com/v1"

    def swapped(definition: Json) -> None:
        for item in definition["spec"]["versions"]:
            item["storage"] = item["name"] == "v2"

    changed = await redefine(api, "widgets.example.com", swapped)
    assert changed.body["status"]["storedVersions"] == ["v1", "v2"]
    store = api.cluster.plane.server._objects.store

    def stored() -> str:
        record = store.get("/example.com/widgets/default/a")
        assert record is not None
        return str(json.loads(record.value)["apiVersion"])

    assert stored() == "example.com/v1"
    current = (await api.get(f"{other}/a")).body
    assert (await api.ask("PUT", f"{other}/a", current)).status == 200
    assert stored() == "example.com/v2"

    def dropped(definition: Json) -> None:
        del definition["spec"]["versions"][0]

    refused = await redefine(api, "widgets.example.com", dropped)
    assert refused.status == 422 and "was previously a storage version" in refused.message


async def test_a_watch_sees_the_kind_of_its_version(api: Api) -> None:
    await define(api)
    events = api.watch(WIDGETS)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    await api.ask("POST", WIDGETS, widget(color="red"))
    event = await waiting
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Widget")
    await events.aclose()


async def test_discovery_and_documents_follow(api: Api) -> None:
    before = (await api.get("/openapi/v3")).body["paths"]
    await define(api)
    resources = (await api.get("/apis/example.com/v1")).body["resources"]
    assert [item["name"] for item in resources] == ["widgets", "widgets/status", "widgets/scale"]
    groups = (await api.get("/apis")).body["groups"]
    assert "example.com" in [group["name"] for group in groups]
    after = (await api.get("/openapi/v3")).body["paths"]
    assert after.keys() - before.keys() == {"apis/example.com/v1"}
    document = (await api.get("/openapi/v3/apis/example.com/v1")).body
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["properties"]["spec"]["properties"]["color"]["enum"] == ["red", "blue"]
    assert "allOf" in schema["properties"]["metadata"]
    await api.ask("DELETE", f"{DEFINITIONS}/widgets.example.com")
    patch = {"metadata": {"finalizers": None}}
    await api.ask("PATCH", f"{DEFINITIONS}/widgets.example.com", patch, kind=MERGE)
    assert (await api.get("/apis/example.com/v1")).status == 404
    assert (await api.get("/openapi/v3")).body["paths"].keys() == before.keys()


async def test_a_kind_that_goes_takes_nothing_new(api: Api) -> None:
    await define(api)
    await api.ask("POST", WIDGETS, widget())
    gone = await api.ask("DELETE", f"{DEFINITIONS}/widgets.example.com")
    assert gone.meta["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    told = {item["type"]: item["reason"] for item in gone.body["status"]["conditions"]}
    assert told["Terminating"] == "InstanceDeletionPending"
    refused = await api.ask("POST", WIDGETS, widget("b"))
    assert refused.status == 405 and "is terminating" in refused.message
    assert (await api.get(f"{WIDGETS}/a")).status == 200


async def test_names_are_one_kinds_in_its_group(api: Api) -> None:
    await define(api)
    names = {"plural": "gadgets", "kind": "Gadget", "shortNames": ["widget"]}
    other = await define(api, kind(plural="gadgets", names=names))
    told = {item["type"]: item["reason"] for item in other.body["status"]["conditions"]}
    assert told == {"NamesAccepted": "ShortNamesConflict", "Established": "NotAccepted"}
    assert (await api.get("/apis/example.com/v1/gadgets")).status == 404


async def test_a_built_in_kind_stays_what_it_is(api: Api) -> None:
    names = {"plural": "trainjobs", "kind": "TrainJob"}
    group = "trainer.kubeflow.org"
    defined = await define(
        api, kind(version("v1alpha1"), plural="trainjobs", group=group, names=names)
    )
    told = {item["type"]: item["status"] for item in defined.body["status"]["conditions"]}
    assert told["Established"] == "True"
    refused = await api.ask(
        "POST", f"/apis/{group}/v1alpha1/namespaces/default/trainjobs", widget(anything=1)
    )
    assert refused.status == 422


@pytest.mark.parametrize("depth", [120, 200, 300, 400, 5000])
async def test_a_schema_without_an_end_is_refused_at_once(api: Api, depth: int) -> None:
    begin, end = b'{"type":"object","properties":{"a":', b"}}"
    schema = begin * depth + b'{"type":"string"}' + end * depth
    body = json.dumps(kind(version(schema={"openAPIV3Schema": "HERE"}))).encode()
    answer = await api.ask("POST", DEFINITIONS, body.replace(b'"HERE"', schema))
    assert answer.status in (400, 422)


@pytest.mark.parametrize("what", [5, "x", [], [{}], {"type": 5}, {"properties": 5}, None])
async def test_no_schema_of_any_form_breaks_the_server(api: Api, what: Any) -> None:
    for schema in (what, fields(a=what), fields(a={"type": "array", "items": what})):
        definition = kind(version(schema={"openAPIV3Schema": schema}))
        assert (await api.ask("POST", DEFINITIONS, definition)).status in (201, 400, 422)
        patch = {"metadata": {"finalizers": None}}
        await api.ask("DELETE", f"{DEFINITIONS}/widgets.example.com")
        await api.ask("PATCH", f"{DEFINITIONS}/widgets.example.com", patch, kind=MERGE)


async def test_kinds_are_found_again_by_a_new_server(api: Api) -> None:
    await define(api)
    await api.ask("POST", WIDGETS, widget(color="red"))
    plane = control_plane(api.cluster.plane.server._objects.store, SystemClock())
    known = {"authorization": f"Bearer {plane.token}"}
    answer = await answered(plane.server.handle, Request("GET", f"{WIDGETS}/a", "", known))
    assert answer.body["spec"]["color"] == "red"


@pytest.mark.parametrize("depth", [90, 300, 900])
async def test_objects_without_an_end_are_refused_at_once(api: Api, depth: int) -> None:
    open_ = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    atomic = {**open_, "x-kubernetes-map-type": "atomic"}
    items = {"type": "array", "items": atomic, "x-kubernetes-list-type": "set"}
    await define(api, kind(version(spec=fields(open=open_, items=items))))
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    wanted = (201,) if depth == 90 else (400, 422)
    for field in (b'"open":%b', b'"items":[%b,%b]'):
        inside = field % ((deep,) if field.startswith(b'"o') else (deep, deep))
        body = b'{"metadata":{"name":"d"},"spec":{%b}}' % inside
        answer = await api.ask("POST", WIDGETS, body)
        assert answer.status in (*wanted, 422), answer.body
        assert answer.status < 500
