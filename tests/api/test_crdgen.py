"""Tests of definitions made from structs, checked against Kubernetes' own schema of definitions."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec
import pytest

from argosy.api import builtin, structural
from argosy.api.core import ConfigMap
from argosy.api.crdgen import custom_resource_definition
from argosy.api.kinds import OWN
from argosy.api.meta import Object, View
from argosy.api.resource import NAME, Column, Resource
from argosy.api.structs import LIST_SET, Builtin, ListMap, Rule

DEFINITIONS = builtin.load()
POD_TEMPLATE = Builtin("io.k8s.api.core.v1.PodTemplateSpec")
Json = dict[str, Any]


class Mode(Enum):
    """How it runs."""

    FAST = "Fast"
    SLOW = "Slow"


class Tree(View, frozen=True):
    """A tree."""

    name: str
    label: str = ""
    children: "tuple[Tree, ...]" = ()


class WidgetSpec(View, frozen=True):
    """What is wanted."""

    replicas: Annotated[int, msgspec.Meta(ge=0, description="How many.")] = 1
    template: Annotated[dict[str, Any], POD_TEMPLATE] | None = None
    by_name: Annotated[tuple[Tree, ...], ListMap("name")] = ()
    by_label: Annotated[tuple[Tree, ...], ListMap("label")] = ()


class WidgetStatus(View, frozen=True):
    """What is there."""

    replicas: int = 0
    selector: str = ""


RESOURCE = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    short_names=("wd",),
    categories=("all",),
    status=True,
    subresources=("scale",),
    columns=(
        NAME,
        Column("Replicas", "spec.replicas", "integer"),
        Column("State", "widget-state"),
        Column("Ready", 'status.conditions[?(@.type=="Ready")].status'),
        Column("Age", "metadata.creationTimestamp", "date", 1),
    ),
)


class Widget(Object, frozen=True, kw_only=True):
    """A widget."""

    resource: ClassVar[Resource] = RESOURCE

    spec: Annotated[WidgetSpec, Rule("self.replicas < 9", message="too many"), Rule("true")]
    status: WidgetStatus = WidgetStatus()


CRD = custom_resource_definition(Widget)
(VERSION,) = CRD["spec"]["versions"]
ROOT = VERSION["schema"]["openAPIV3Schema"]
SPEC = ROOT["properties"]["spec"]
TEMPLATE = SPEC["properties"]["template"]


def field(annotation: Any, **default: Any) -> Json:
    """The schema of a field of this type."""
    spec = msgspec.defstruct("Spec", [("it", annotation, *default.values())], frozen=True)
    kind = msgspec.defstruct(
        "Thing", [("spec", spec)], bases=(Object,), namespace={"resource": RESOURCE}, frozen=True
    )
    (version,) = custom_resource_definition(cast(type[Object], kind))["spec"]["versions"]
    node: Json = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert node.get("required", []) == ([] if default else ["it"])
    found: Json = node["properties"]["it"]
    return found


@pytest.mark.parametrize("kind", [Widget, *OWN])
def test_it_is_a_valid_object_of_its_kind(kind: type[Object]) -> None:
    definition = custom_resource_definition(kind)
    name = DEFINITIONS.name_of("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert structural.check(DEFINITIONS(name), definition) == []
    assert structural.unknown_fields(DEFINITIONS(name), definition) == []
    assert "$ref" not in str(definition)


def test_names_scope_and_subresources() -> None:
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
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    assert VERSION["subresources"] == {"status": {}, "scale": scale}


def test_columns_are_those_that_a_path_can_show() -> None:
    ready = '.status.conditions[?(@.type=="Ready")].status'
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1}
    assert VERSION["additionalPrinterColumns"] == [
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "Ready", "type": "string", "jsonPath": ready},
        age,
    ]


def test_the_first_version_is_stored_and_all_are_served() -> None:
    class Older(Widget, frozen=True, kw_only=True):
        resource: ClassVar[Resource] = replace(RESOURCE, version="v1beta1")

    versions = custom_resource_definition(Widget, Older)["spec"]["versions"]
    facts = [(item["name"], item["served"], item["storage"]) for item in versions]
    assert facts == [("v1", True, True), ("v1beta1", True, False)]


def test_a_path_may_begin_with_a_dot_as_kubectl_has_it() -> None:
    columns = (Column("Ready", ".status.ready", "integer"),)

    class Other(Widget, frozen=True, kw_only=True):
        resource: ClassVar[Resource] = replace(RESOURCE, columns=columns)

    [version] = custom_resource_definition(Other)["spec"]["versions"]
    [column] = version["additionalPrinterColumns"]
    assert column["jsonPath"] == ".status.ready"


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="Object is no kind: `resource"):
        custom_resource_definition(Object)
    with pytest.raises(ValueError, match="ConfigMap is of no group"):
        custom_resource_definition(ConfigMap)


def test_versions_of_different_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"widgets\.example\.com differ"):
        custom_resource_definition(Widget, OWN[0])


def test_the_schema_is_structural() -> None:
    assert ROOT["description"] == "A widget."
    assert ROOT["properties"]["metadata"] == {"type": "object"}
    assert ROOT["required"] == ["spec"]
    assert SPEC["description"] == "What is wanted."
    assert SPEC["properties"]["replicas"] == {
        "description": "How many.",
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "default": 1,
    }


def test_rules_stand_at_their_values() -> None:
    first = {"rule": "self.replicas < 9", "message": "too many"}
    assert SPEC["x-kubernetes-validations"] == [first, {"rule": "true"}]


def test_embedded_definitions_are_written_out() -> None:
    assert "nullable" not in TEMPLATE
    containers = TEMPLATE["properties"]["spec"]["properties"]["containers"]
    ports = containers["items"]["properties"]["ports"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert ports["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert ports["items"]["properties"]["protocol"]["default"] == "TCP"


def test_recursion_ends_in_an_open_object() -> None:
    inner = SPEC["properties"]["byName"]["items"]["properties"]["children"]["items"]
    assert inner == {
        "description": "A tree.",
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }


def test_a_list_map_needs_keys_that_are_always_there() -> None:
    by_name, by_label = SPEC["properties"]["byName"], SPEC["properties"]["byLabel"]
    assert by_name["x-kubernetes-list-type"] == "map"
    assert by_label["x-kubernetes-list-type"] == "atomic"
    assert "x-kubernetes-list-map-keys" not in by_label


OPEN = {"x-kubernetes-preserve-unknown-fields": True}
TEXT = {"type": "string"}
WHOLE = {"type": "integer", "format": "int64"}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, TEXT),
        (Annotated[str, msgspec.Meta(pattern="^a", max_length=3)],
         {**TEXT, "pattern": "^a", "maxLength": 3}),
        (bool, {"type": "boolean"}),
        (float, {"type": "number", "format": "double"}),
        (int | float, {"type": "number", "format": "double"}),
        (Annotated[int, msgspec.Meta(gt=0, lt=9, multiple_of=2)],
         {**WHOLE, "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": True,
          "multipleOf": 2}),
        (int | str, {"x-kubernetes-int-or-string": True}),
        (int | str | None, {"x-kubernetes-int-or-string": True, "nullable": True}),
        (str | None, {**TEXT, "nullable": True}),
        (datetime, {**TEXT, "format": "date-time"}),
        (bytes, {**TEXT, "format": "byte"}),
        (Literal["b", "a"], {**TEXT, "enum": ["a", "b"]}),
        (Literal["a"] | None, {**TEXT, "enum": ["a"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Mode, {**TEXT, "enum": ["Fast", "Slow"]}),
        (Any, OPEN),
        (msgspec.Raw, OPEN),
        (dict[str, Any], {"type": "object", **OPEN}),
        (dict[str, int], {"type": "object", "additionalProperties": WHOLE}),
        (Annotated[dict[str, str], msgspec.Meta(max_length=2)],
         {"type": "object", "maxProperties": 2, "additionalProperties": TEXT}),
        (Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)],
         {"type": "array", "minItems": 1, "maxItems": 2, "items": TEXT}),
        (frozenset[str], {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}),
        (Annotated[list[str], LIST_SET],
         {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}),
        (Annotated[str, msgspec.Meta(title="T", examples=["x"], description="D")],
         {**TEXT, "description": "D"}),
        (Annotated[str, Rule("self != ''", reason="FieldValueRequired")],
         {**TEXT, "x-kubernetes-validations": [
             {"rule": "self != ''", "reason": "FieldValueRequired"}]}),
    ],
)  # fmt: skip
def test_types(annotation: Any, expected: Json) -> None:
    assert field(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (str, "x", {**TEXT, "default": "x"}),
        (str, "", TEXT),
        (int, 0, WHOLE),
        (str | None, None, TEXT),
        (str | None, "x", {**TEXT, "nullable": True, "default": "x"}),
        (Mode, Mode.SLOW, {**TEXT, "enum": ["Fast", "Slow"], "default": "Slow"}),
        (Mode | None, Mode.FAST, {**TEXT, "enum": ["Fast", "Slow"], "default": "Fast"}),
        (tuple[str, ...], ("a",), {"type": "array", "items": TEXT, "default": ["a"]}),
        (list[str], msgspec.field(default_factory=lambda: ["a"]),
         {"type": "array", "items": TEXT, "default": ["a"]}),
        (int | msgspec.UnsetType, msgspec.UNSET, WHOLE),
    ],
)  # fmt: skip
def test_defaults_are_written_where_they_are_more_than_empty(
    annotation: Any, default: Any, expected: Json
) -> None:
    assert field(annotation, default=default) == expected


class Tagged(msgspec.Struct, tag=True):
    x: int


class Other(msgspec.Struct, tag=True):
    x: int


class Array(msgspec.Struct, array_like=True):
    x: int


@pytest.mark.parametrize(
    "annotation",
    [
        timedelta,
        tuple[int, str],
        Tagged | Other,
        dict[int, str],
        Literal[1, "a"],
        Array,
        str | bool,
    ],
)
def test_what_no_schema_can_say_is_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match=r"Thing\.spec\.it: "):
        field(annotation)
