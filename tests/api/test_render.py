"""Tests of schemas written as OpenAPI nodes."""

import re
from typing import Any

import pytest

from argosy.api.render import render
from argosy.api.schema import Schema

NAMED = Schema(type="object", name="a.B", properties={"x": Schema(type="string")})


@pytest.mark.parametrize(
    "schema, expected",
    [
        (Schema(type="any"), {"x-kubernetes-preserve-unknown-fields": True}),
        (
            Schema(type="object", unknown=True),
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        ),
        (
            Schema(type="string", enum=("a",), min_length=1, max_length=3, pattern="a", default=""),
            {
                "type": "string",
                "enum": ["a"],
                "minLength": 1,
                "maxLength": 3,
                "pattern": "a",
                "default": "",
            },
        ),
        (
            Schema(type="integer", format="int32", minimum=0, maximum=9),
            {"type": "integer", "format": "int32", "minimum": 0, "maximum": 9},
        ),
        (
            Schema(type="array", items=Schema(type="string"), list_type="set"),
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        ),
        (
            Schema(type="object", values=Schema(type="string"), atomic=True),
            {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "x-kubernetes-map-type": "atomic",
            },
        ),
        (NAMED, {"type": "object", "properties": {"x": {"type": "string"}}}),
    ],
)
def test_nodes(schema: Schema, expected: dict[str, Any]) -> None:
    assert render(schema) == expected


def test_a_quantity_is_a_number_or_a_text_that_reads_as_one() -> None:
    node = render(Schema(type="quantity"))
    assert node["x-kubernetes-int-or-string"] is True
    texts = {text: bool(re.search(node["pattern"], text)) for text in ("1", "2.5Gi", "1e3", "x")}
    assert texts == {"1": True, "2.5Gi": True, "1e3": True, "x": False}


def test_references_stand_for_named_schemas() -> None:
    described = Schema(type="object", name="a.B", description="Why.")
    outer = Schema(type="object", properties={"a": NAMED, "b": described})
    node = render(outer, lambda name: {"$ref": name})
    assert node["properties"] == {
        "a": {"$ref": "a.B"},
        "b": {"description": "Why.", "allOf": [{"$ref": "a.B"}]},
    }
