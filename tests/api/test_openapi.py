"""Tests of OpenAPI v3 documents: what kubectl looks for is where it looks."""

import json
from typing import Annotated, Any

import msgspec
import pytest

from argosy.api import builtin, openapi
from argosy.api.openapi import Described
from argosy.api.openapi_paths import Below
from argosy.api.resource import Resource
from argosy.api.structs import Builtin, schema_of

DEFINITIONS = builtin.load()
CORE = "io.k8s.api.core.v1."
TEMPLATE = f"{CORE}PodTemplateSpec"


class Spec(msgspec.Struct):
    template: Annotated[dict[str, Any], Builtin(TEMPLATE)]


class Widget(msgspec.Struct):
    """A widget."""

    spec: Spec


POD = Resource(
    version="v1", kind="Pod", plural="pods", status=True, definition="io.k8s.api.core.v1.Pod"
)
NODE = Resource(
    version="v1",
    kind="Node",
    plural="nodes",
    namespaced=False,
    definition="io.k8s.api.core.v1.Node",
)
WIDGET = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")
BELOW = (
    Below("status", ("GET", "PUT", "PATCH")),
    Below("eviction", ("POST",), "Eviction", "policy", "v1"),
    Below("log", ("GET",)),
    Below("proxy", ("GET", "HEAD"), "PodProxyOptions", deeper=True),
)
POD_PATH = "/api/v1/namespaces/{namespace}/pods/{name}"
CORE_V1 = openapi.document([Described(POD, below=BELOW), Described(NODE)], DEFINITIONS)
OWN = openapi.document([Described(WIDGET, schema_of(Widget, DEFINITIONS))], DEFINITIONS)


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in references(item)}
    if not isinstance(value, dict):
        return set()
    found = {name for item in value.values() for name in references(item)}
    target = value.get("$ref")
    return found | ({target} if isinstance(target, str) else set())


@pytest.mark.parametrize("document", [CORE_V1, OWN])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= schemas
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    "document, path, kind",
    [
        (CORE_V1, "/api/v1/namespaces/{namespace}/pods/{name}", "Pod"),
        (CORE_V1, "/api/v1/namespaces/{namespace}/pods/{name}/status", "Pod"),
        (CORE_V1, "/api/v1/nodes/{name}", "Node"),
        (OWN, "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}", "Widget"),
    ],
)
def test_patches_of_a_kind_take_field_validation(
    document: dict[str, Any], path: str, kind: str
) -> None:
    patch = document["paths"][path]["patch"]
    assert patch["x-kubernetes-group-version-kind"]["kind"] == kind
    assert ("fieldValidation", "query") in {(p["name"], p["in"]) for p in patch["parameters"]}
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]


def test_paths_follow_scope() -> None:
    assert {"/api/v1/pods", "/api/v1/namespaces/{namespace}/pods", "/api/v1/nodes"} <= set(
        CORE_V1["paths"]
    )
    assert not any("namespaces" in path and "nodes" in path for path in CORE_V1["paths"])
    assert "/api/v1/nodes/{name}/status" not in CORE_V1["paths"]


def test_built_in_kinds_explain_themselves() -> None:
    schemas = CORE_V1["components"]["schemas"]
    pod = schemas[f"{CORE}Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    assert pod["description"].startswith("Pod is")
    containers = schemas[f"{CORE}PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert f"{CORE}PodList" in schemas


def test_own_kinds_refer_to_built_in_ones() -> None:
    schemas = OWN["components"]["schemas"]
    widget = schemas["com.example.v1.Widget"]
    assert widget["description"] == "A widget."
    assert widget["x-kubernetes-group-version-kind"][0]["group"] == "example.com"
    template = widget["properties"]["spec"]["properties"]["template"]
    assert template == {"$ref": f"#/components/schemas/{TEMPLATE}"}
    items = schemas["com.example.v1.WidgetList"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/components/schemas/com.example.v1.Widget"}


def test_the_index_changes_with_the_documents() -> None:
    first = openapi.index({"apis/example.com/v1": "A", "api/v1": "A"})["paths"]
    second = openapi.index({"api/v1": "B"})["paths"]
    assert list(first) == ["api/v1", "apis/example.com/v1"]
    assert first["api/v1"]["serverRelativeURL"] == "/openapi/v3/api/v1?hash=A"
    assert first["api/v1"] != second["api/v1"]


@pytest.mark.parametrize(
    "path, method, name, action",
    [
        ("/api/v1/pods", "get", "listCoreV1PodForAllNamespaces", "list"),
        ("/api/v1/namespaces/{namespace}/pods", "get", "listCoreV1NamespacedPod", "list"),
        ("/api/v1/namespaces/{namespace}/pods", "post", "createCoreV1NamespacedPod", "post"),
        (
            "/api/v1/namespaces/{namespace}/pods",
            "delete",
            "deleteCoreV1CollectionNamespacedPod",
            "deletecollection",
        ),
        ("/api/v1/nodes/{name}", "get", "readCoreV1Node", "get"),
        ("/api/v1/nodes/{name}", "put", "replaceCoreV1Node", "put"),
        ("/api/v1/nodes/{name}", "patch", "patchCoreV1Node", "patch"),
        ("/api/v1/nodes/{name}", "delete", "deleteCoreV1Node", "delete"),
        (f"{POD_PATH}/status", "get", "readCoreV1NamespacedPodStatus", "get"),
        (f"{POD_PATH}/eviction", "post", "createCoreV1NamespacedPodEviction", "post"),
        (f"{POD_PATH}/log", "get", "readCoreV1NamespacedPodLog", "get"),
        (f"{POD_PATH}/proxy", "head", "connectCoreV1HeadNamespacedPodProxy", "connect"),
        (
            f"{POD_PATH}/proxy/{{path}}",
            "get",
            "connectCoreV1GetNamespacedPodProxyWithPath",
            "connect",
        ),
    ],
)
def test_operations_have_kubernetes_names(path: str, method: str, name: str, action: str) -> None:
    operation = CORE_V1["paths"][path][method]
    assert (operation["operationId"], operation["x-kubernetes-action"]) == (name, action)
    assert operation["tags"] == ["core_v1"]


def test_groups_give_their_names_to_operations() -> None:
    named = {o["operationId"] for i in OWN["paths"].values() for o in i.values() if "tags" in o}
    assert "readExampleComV1NamespacedWidget" in named


def test_what_a_kind_can_not_do_is_not_told() -> None:
    review = Resource(
        group="authorization.k8s.io",
        version="v1",
        kind="SubjectAccessReview",
        plural="subjectaccessreviews",
        namespaced=False,
        verbs=("create",),
        definition="io.k8s.api.authorization.v1.SubjectAccessReview",
    )
    paths = openapi.document([Described(review)], DEFINITIONS)["paths"]
    (item,) = paths.values()
    assert set(item) == {"parameters", "post"}
