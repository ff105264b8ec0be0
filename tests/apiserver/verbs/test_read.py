"""get and list: the objects as they are, all or some of them, as themselves or as a table."""

from typing import Any

import pytest

from argosy.testing.clock import FakeClock
from tests.apiserver.kit import MERGE, Api, binding, body, path, serving

MAPS = path("ConfigMap")
EVERY_MAP = "/api/v1/configmaps"


def named(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


async def names(api: Api, where: str, **query: str) -> list[str]:
    answer = await api.get(where, **query)
    assert answer.status == 200, answer.body
    return [item["metadata"]["name"] for item in answer.body["items"]]


async def test_a_list_is_of_its_kind(api: Api) -> None:
    await api.create("TrainingRuntime")
    listed = (await api.get(path("TrainingRuntime"))).body

    assert listed["kind"] == "TrainingRuntimeList"
    assert listed["apiVersion"] == "trainer.kubeflow.org/v1alpha1"
    assert [item["kind"] for item in listed["items"]] == ["TrainingRuntime"]
    assert int(listed["metadata"]["resourceVersion"]) > 0


async def test_a_list_of_nothing_is_a_list(api: Api) -> None:
    assert (await api.get(MAPS)).body["items"] == []
    # Kubernetes does not ask whether the namespace is there.
    assert (await api.get(path("ConfigMap", namespace="nowhere"))).body["items"] == []


async def test_a_list_is_of_one_namespace_or_of_all(api: Api) -> None:
    for namespace in ("default", "kube-system"):
        where = path("ConfigMap", namespace=namespace)
        await api.ask("POST", where, named(f"of-{namespace}"))

    assert await names(api, MAPS) == ["of-default"]
    assert await names(api, EVERY_MAP) == ["of-default", "of-kube-system"]


async def test_namespaces_that_begin_alike_are_apart(api: Api) -> None:
    await api.create("Namespace", {"metadata": {"name": "default-two"}})
    await api.ask("POST", path("ConfigMap", namespace="default-two"), named("other"))
    await api.create("ConfigMap")

    assert await names(api, MAPS) == ["it"]


async def test_a_list_is_in_the_order_of_names(api: Api) -> None:
    for name in ("c", "a", "b"):
        await api.create("ConfigMap", named(name))

    assert await names(api, MAPS) == ["a", "b", "c"]


async def test_the_version_of_a_list_is_that_of_the_cluster(api: Api) -> None:
    created = await api.create("ConfigMap")

    assert (await api.get(MAPS)).version == created.version
    other = await api.create("Pod")
    assert (await api.get(MAPS)).version == other.version


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", ["bare", "blue", "red"]),
        ("color=red", ["red"]),
        ("color==red", ["red"]),
        ("color!=red", ["bare", "blue"]),
        ("color", ["blue", "red"]),
        ("!color", ["bare"]),
        ("color in (red, blue)", ["blue", "red"]),
        ("color notin (red)", ["bare", "blue"]),
        ("color=red,color=blue", []),
        ("color=red,size=big", ["red"]),
        ("size=", []),
    ],
)
async def test_label_selectors(api: Api, selector: str, found: list[str]) -> None:
    await api.create("ConfigMap", named("red", color="red", size="big"))
    await api.create("ConfigMap", named("blue", color="blue"))
    await api.create("ConfigMap", named("bare"))

    assert await names(api, MAPS, labelSelector=selector) == found


@pytest.mark.parametrize(
    "selector", ["=", "a=b=c", "a in", "a in (b", "a,", ",a", "a b", "!", "a=ä", "(a)", "a;b"]
)
@pytest.mark.parametrize("watched", ["", "1"])
async def test_label_selectors_that_are_none(api: Api, selector: str, watched: str) -> None:
    query = {"watch": watched} if watched else {}
    answer = await api.get(MAPS, labelSelector=selector, **query)

    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("metadata.namespace=default", ["a", "b"]),
        ("metadata.namespace=other", []),
        ("spec.nodeName=here", ["a"]),
        ("spec.nodeName=", ["b"]),
        ("spec.nodeName!=", ["a"]),
        ("status.phase=Pending", ["a", "b"]),
        ("status.phase==Running", []),
        ("spec.hostNetwork=false", ["a", "b"]),
        ("spec.hostNetwork=true", []),
        ("metadata.name=a,spec.nodeName=here", ["a"]),
    ],
)
async def test_field_selectors(api: Api, selector: str, found: list[str]) -> None:
    await api.create("Pod", body("Pod", "a"))
    await api.create("Pod", body("Pod", "b"))
    await api.ask("POST", path("Pod", "a", "binding"), binding("a"))

    assert await names(api, path("Pod"), fieldSelector=selector) == found


@pytest.mark.parametrize(
    ("kind", "selector", "label"),
    [
        ("Pod", "spec.nodename=here", "spec.nodename"),
        ("Pod", "metadata.uid=1", "metadata.uid"),
        ("ConfigMap", "data.color=red", "data.color"),
        ("TrainJob", "status.phase=Running", "status.phase"),
        ("Node", "metadata.name=a,spec.nodeName=b", "spec.nodeName"),
    ],
)
async def test_fields_that_cannot_be_selected_by(
    api: Api, kind: str, selector: str, label: str
) -> None:
    answer = await api.get(path(kind), fieldSelector=selector)

    assert answer.status == 400
    assert answer.message == f"field label not supported: {label}"


@pytest.mark.parametrize("selector", ["metadata.name", "=a", "metadata.name>a"])
async def test_field_selectors_that_are_none(api: Api, selector: str) -> None:
    assert (await api.get(path("Pod"), fieldSelector=selector)).status == 400


async def test_a_node_that_says_nothing_can_be_scheduled_to(api: Api) -> None:
    await api.create("Node", {"metadata": {"name": "open"}})
    await api.create("Node", {"metadata": {"name": "closed"}, "spec": {"unschedulable": True}})
    nodes = path("Node")

    assert await names(api, nodes, fieldSelector="spec.unschedulable=false") == ["open"]
    assert await names(api, nodes, fieldSelector="spec.unschedulable!=false") == ["closed"]
    assert await names(api, nodes, fieldSelector="spec.unschedulable=true") == ["closed"]


async def test_events_are_found_by_their_object(api: Api) -> None:
    await api.create("Event")

    for selector, found in (("Pod", ["it"]), ("Node", [])):
        field = f"involvedObject.kind={selector},involvedObject.name=web"
        assert await names(api, path("Event"), fieldSelector=field) == found


@pytest.mark.parametrize("version", ["x", "-1", "1.5", "٣", "9" * 30, "9" * 5000])
async def test_versions_that_are_no_numbers(api: Api, version: str) -> None:
    assert (await api.get(MAPS, resourceVersion=version)).status == 400


async def test_a_version_from_the_future_is_told_apart(api: Api) -> None:
    answer = await api.get(MAPS, resourceVersion="1000000")

    assert (answer.status, answer.body["reason"]) == (504, "Timeout")
    (cause,) = answer.body["details"]["causes"]
    assert cause["reason"] == "ResourceVersionTooLarge"  # what client-go looks for


async def test_a_version_that_was_is_good(api: Api) -> None:
    await api.create("ConfigMap")

    assert await names(api, MAPS, resourceVersion="0") == ["it"]
    assert await names(api, MAPS, resourceVersion="2") == ["it"]


# tables


async def test_a_table_has_columns_and_rows() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        await api.create("ConfigMap", body("ConfigMap", "a"))
        await api.create("ConfigMap", body("ConfigMap", "b"))
        await clock.advance(90)
        table = (await api.table(MAPS)).body

    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["columnDefinitions"][0] == {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": table["columnDefinitions"][0]["description"],
        "priority": 0,
    }
    assert [row["cells"] for row in table["rows"]] == [["a", 1, "90s"], ["b", 1, "90s"]]
    partial = table["rows"][0]["object"]
    assert (partial["kind"], partial["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert partial["metadata"]["name"] == "a"
    assert "data" not in partial


async def test_a_table_of_one(api: Api) -> None:
    created = await api.create("ConfigMap")
    table = (await api.table(path("ConfigMap", "it"))).body

    assert len(table["rows"]) == 1
    assert table["metadata"]["resourceVersion"] == created.version
    assert (await api.table(path("ConfigMap", "that"))).status == 404


async def test_a_table_is_of_what_is_selected(api: Api) -> None:
    await api.create("ConfigMap", named("red", color="red"))
    await api.create("ConfigMap", named("blue", color="blue"))
    table = (await api.table(MAPS, labelSelector="color=red")).body

    assert [row["cells"][0] for row in table["rows"]] == ["red"]


@pytest.mark.parametrize("kind", ["Pod", "ConfigMap"])
async def test_a_row_brings_its_object_where_asked(api: Api, kind: str) -> None:
    created = await api.create(kind)
    whole = (await api.table(path(kind), includeObject="Object")).body
    none = (await api.table(path(kind), includeObject="None")).body

    assert whole["rows"][0]["object"] == created.body
    assert "object" not in none["rows"][0]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "ConfigMapList"),
        ("*/*", "ConfigMapList"),
        ("application/*", "ConfigMapList"),
        ("application/vnd.kubernetes.protobuf,application/json", "ConfigMapList"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io", "Table"),
        ("application/json; as=Table; v=v1; g=meta.k8s.io, */*", "Table"),
        ("text/html,application/json;q=0.9", "ConfigMapList"),
    ],
)
async def test_what_is_accepted_is_sent(api: Api, accept: str, kind: str) -> None:
    answer = await api.ask("GET", MAPS, headers={"accept": accept})

    assert answer.body["kind"] == kind
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("accept", ["text/html", "application/xml, image/png"])
async def test_what_nobody_can_send_is_not_acceptable(api: Api, accept: str) -> None:
    answer = await api.ask("GET", MAPS, headers={"accept": accept})

    assert (answer.status, answer.body["reason"]) == (406, "NotAcceptable")


async def test_what_is_read_is_what_was_written(api: Api) -> None:
    created = await api.create("Pod")
    assert (await api.get(path("Pod", "it"))).body == created.body
    patched = await api.ask(
        "PATCH", path("Pod", "it"), {"metadata": {"annotations": {"a": "ä"}}}, kind=MERGE
    )
    assert (await api.get(path("Pod", "it"))).body == patched.body
