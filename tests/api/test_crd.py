"""Tests of the CustomResourceDefinitions of own kinds, checked against Kubernetes' own schema."""

from typing import Annotated, Any

import msgspec

from argosy.api import builtin, structural
from argosy.api.crd import custom_resource_definition
from argosy.api.resource import Column, Resource
from argosy.api.structs import Builtin, ListMap, schema_of

DEFINITIONS = builtin.load()
POD_TEMPLATE = Builtin("io.k8s.api.core.v1.PodTemplateSpec")


class Node(msgspec.Struct):
    """A tree."""

    name: str
    label: str = ""
    children: "list[Node]" = []


class Spec(msgspec.Struct):
    replicas: Annotated[int, msgspec.Meta(ge=0, description="How many.")] = 1
    template: Annotated[dict[str, Any], POD_TEMPLATE] | None = None
    by_name: Annotated[list[Node], ListMap("name")] = []
    by_label: Annotated[list[Node], ListMap("label")] = []


class Widget(msgspec.Struct):
    """A widget."""

    spec: Spec


RESOURCE = Resource(
    group="example.com",
    version="v1alpha1",
    kind="Widget",
    plural="widgets",
    short_names=("wd",),
    categories=("all",),
    status=True,
    columns=(
        Column("Name", "metadata.name"),
        Column("Replicas", "spec.replicas", "integer"),
        Column("State", "widget-state"),
        Column("Age", "metadata.creationTimestamp", "date", 1),
    ),
)
CRD = custom_resource_definition(RESOURCE, schema_of(Widget, DEFINITIONS))
(VERSION,) = CRD["spec"]["versions"]
ROOT = VERSION["schema"]["openAPIV3Schema"]
PROPERTIES = ROOT["properties"]["spec"]["properties"]


def test_it_is_a_valid_object_of_its_kind() -> None:
    name = DEFINITIONS.name_of("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert structural.check(DEFINITIONS(name), CRD) == []
    assert structural.unknown_fields(DEFINITIONS(name), CRD) == []


def test_names_scope_and_status() -> None:
    assert CRD["metadata"]["name"] == "widgets.example.com"
    assert CRD["spec"]["scope"] == "Namespaced"
    assert CRD["spec"]["names"] == {
        "plural": "widgets",
        "singular": "widget",
        "kind": "Widget",
        "listKind": "WidgetList",
        "shortNames": ["wd"],
        "categories": ["all"],
    }
    assert VERSION["subresources"] == {"status": {}}


def test_columns_are_those_that_a_path_can_show() -> None:
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1}
    replicas = {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"}
    assert VERSION["additionalPrinterColumns"] == [replicas, age]


def test_the_schema_is_structural() -> None:
    assert ROOT["description"] == "A widget."
    assert ROOT["properties"]["metadata"] == {"type": "object"}
    assert ROOT["required"] == ["spec"]
    assert PROPERTIES["replicas"] == {
        "description": "How many.",
        "type": "integer",
        "format": "int64",
        "minimum": 0,
    }
    assert "$ref" not in str(CRD)


def test_embedded_definitions_are_written_out() -> None:
    containers = PROPERTIES["template"]["properties"]["spec"]["properties"]["containers"]
    ports = containers["items"]["properties"]["ports"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert ports["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert ports["items"]["properties"]["protocol"]["default"] == "TCP"
    cpu = containers["items"]["properties"]["resources"]["properties"]["limits"]
    assert cpu["additionalProperties"] == {"x-kubernetes-int-or-string": True}


def test_recursion_ends_in_an_open_object() -> None:
    inner = PROPERTIES["by_name"]["items"]["properties"]["children"]["items"]
    assert inner == {
        "description": "A tree.",
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }


def test_a_list_map_needs_keys_that_are_always_there() -> None:
    assert PROPERTIES["by_name"]["x-kubernetes-list-type"] == "map"
    assert PROPERTIES["by_label"]["x-kubernetes-list-type"] == "atomic"
