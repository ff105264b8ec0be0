"""Tests of the schemas that are read from own kinds' structs."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from argosy.api import builtin, structural
from argosy.api.structs import ATOMIC, LIST_SET, Builtin, ListMap, schema_of

DEFINITIONS = builtin.load()
CORE = "io.k8s.api.core.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


class Step(msgspec.Struct, rename="camel"):
    """One step of a plan."""

    name: Annotated[str, msgspec.Meta(min_length=1, pattern="^[a-z]+$")]
    then_do: "tuple[Step, ...]" = ()


class PlanSpec(msgspec.Struct, rename="camel"):
    """What to do."""

    node_count: Annotated[int, msgspec.Meta(ge=1, le=9, description="How many nodes.")]
    policy: Literal["All", "None"] = "All"
    steps: Annotated[list[Step], ListMap("name")] = []
    template: Annotated[dict[str, Any], Builtin(f"{CORE}PodTemplateSpec")] | None = None
    memory: Annotated[str | int | float, Builtin(QUANTITY)] = "1Gi"
    surge: int | str = 1
    tags: Annotated[list[str], LIST_SET] = []
    selector: Annotated[dict[str, str], ATOMIC] = {}
    started: datetime | None = None
    ratio: float = 0.5
    suspend: bool = False
    extra: Any = None


class Plan(msgspec.Struct, rename="camel"):
    """A plan.

    In two paragraphs.
    """

    spec: PlanSpec
    metadata: dict[str, Any] = {}


SCHEMA = schema_of(Plan, DEFINITIONS)
SPEC = SCHEMA.properties["spec"]


def plan(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Plan",
        "metadata": {"name": "a"},
        "spec": {"nodeCount": 2, **spec},
    }


def test_every_kind_has_type_and_metadata() -> None:
    assert list(SCHEMA.properties) == ["spec", "metadata", "apiVersion", "kind"]
    assert SCHEMA.properties["metadata"] is DEFINITIONS(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    )
    assert SCHEMA.required == {"spec"}
    assert SCHEMA.description == "A plan.\n\nIn two paragraphs."


def test_constraints_and_descriptions() -> None:
    count = SPEC.properties["nodeCount"]
    assert (count.type, count.minimum, count.maximum) == ("integer", 1, 9)
    assert count.description == "How many nodes."
    assert SPEC.properties["policy"].enum == ("All", "None")
    assert SPEC.required == {"nodeCount"}


@pytest.mark.parametrize(
    "field, kind",
    [
        ("memory", "quantity"),
        ("surge", "int-or-string"),
        ("started", "string"),
        ("ratio", "number"),
        ("suspend", "boolean"),
        ("extra", "any"),
    ],
)
def test_types(field: str, kind: str) -> None:
    assert SPEC.properties[field].type == kind


def test_markers() -> None:
    steps = SPEC.properties["steps"]
    assert (steps.list_type, steps.list_keys) == ("map", ("name",))
    assert SPEC.properties["tags"].list_type == "set"
    assert SPEC.properties["selector"].atomic
    assert SPEC.properties["template"] is DEFINITIONS(f"{CORE}PodTemplateSpec")


def test_a_struct_that_contains_itself_does_so_by_identity() -> None:
    step = SPEC.properties["steps"].items
    assert step is not None
    assert step.properties["thenDo"].items is step


def test_values_decode_into_the_struct_they_were_checked_for() -> None:
    value = plan(template={"spec": {"containers": [{"name": "a"}]}}, steps=[{"name": "a"}])
    assert structural.check(SCHEMA, value) == []
    view = msgspec.convert(value, Plan)
    assert view.spec.steps[0].name == "a"
    assert view.spec.template == value["spec"]["template"]


@pytest.mark.parametrize(
    "spec, field",
    [
        ({"nodeCount": 0}, "spec.nodeCount"),
        ({"nodeCount": 10}, "spec.nodeCount"),
        ({"nodeCount": None}, "spec.nodeCount"),
        ({"policy": "Some"}, "spec.policy"),
        ({"steps": [{"name": ""}]}, "spec.steps[0].name"),
        ({"steps": [{"name": "a", "thenDo": [{}]}]}, "spec.steps[0].thenDo[0].name"),
        ({"template": {"spec": {"containers": 1}}}, "spec.template.spec.containers"),
        ({"started": "now"}, "spec.started"),
    ],
)
def test_bad_values_are_named(spec: dict[str, Any], field: str) -> None:
    assert {error.field for error in structural.check(SCHEMA, plan(**spec))} == {field}


class Lists(msgspec.Struct):
    x: Annotated[list[str], msgspec.Meta(min_length=1)]


class Strict(msgspec.Struct):
    x: Annotated[int, msgspec.Meta(gt=1)]


class Numbers(msgspec.Struct):
    x: Literal[1, 2]


class Either(msgspec.Struct):
    x: str | list[str]


class Binary(msgspec.Struct):
    x: bytes


@pytest.mark.parametrize(
    "struct, message",
    [
        (Lists, "min_length on ListType is not carried into schemas"),
        (Strict, "gt on IntType is not carried into schemas"),
        (Numbers, "an enumeration in Kubernetes' API is one of strings"),
        (Either, "a union of 2 types has no schema in Kubernetes' API"),
        (Binary, "BytesType has no schema in Kubernetes' API"),
    ],
)
def test_what_schemas_cannot_say_is_refused(struct: type[msgspec.Struct], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        schema_of(struct, DEFINITIONS)
