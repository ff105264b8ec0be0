"""Tests of what a schema may be: structural, in upstream's words, and never too much to look at."""

from typing import Any

import pytest

from argosy.api.extensions.structure import faults
from tests.api.extensions.kit import NUMBER, TEXT, fields

OPEN = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"


def found(schema: Any, *, status: bool = False) -> list[str]:
    return [str(error) for error in faults(schema, "s", status=status)]


WRONG: list[tuple[Any, str]] = [
    ({}, "s.type: Required value: must not be empty at the root"),
    ({"type": "string"}, 's.type: Invalid value: "string": must be object at the root'),
    (
        fields(a={}),
        "s.properties[a].type: Required value: must not be empty for specified object fields",
    ),
    (
        fields(a={"type": "array", "items": {}}),
        "s.properties[a].items.type: Required value: must not be empty for specified array items",
    ),
    (fields(a={"type": "array"}), "s.properties[a].items: Required value: must be specified"),
    (
        fields(a={"type": "text"}),
        's.properties[a].type: Unsupported value: "text": supported values: '
        '"array", "boolean", "integer", "number", "object", "string"',
    ),
    (
        {"type": "object", "additionalProperties": TEXT},
        "s.additionalProperties: Forbidden: must not be used at the root",
    ),
    (
        fields(a={**fields(b=TEXT), "additionalProperties": TEXT}),
        "s.properties[a].additionalProperties: Forbidden: "
        "additionalProperties and properties are mutual exclusive",
    ),
    (
        fields(a={**TEXT, "pattern": "("}),
        's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, '
        "but isn't: error parsing regexp: missing ): (",
    ),
    (
        fields(a={**TEXT, "anyOf": [{"type": "string"}]}),
        "s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
    ),
    (
        fields(a={**fields(), "not": {"properties": {"b": {"minLength": 1}}}}),
        "s.properties[a].properties[b]: Required value: "
        "because it is defined in s.properties[a].not.properties[b]",
    ),
    (
        fields(a={"type": "array", "items": TEXT, "uniqueItems": True}),
        "s.properties[a].uniqueItems: Forbidden: "
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    ),
    (
        fields(a={"$ref": "#/b", "type": "string"}),
        "s.properties[a].$ref: Forbidden: $ref is not supported",
    ),
    (
        fields(a={**NUMBER, "default": "one"}),
        's.properties[a].default: Invalid value: "string": '
        's.properties[a].default in body must be of type integer: "string"',
    ),
    (
        fields(a={**fields(b=TEXT), "default": {"c": "x"}}),
        's.properties[a].default: Invalid value: {"c":"x"}: must not have unknown fields',
    ),
    (
        fields(metadata={"type": "object", "properties": {"labels": {"type": "object"}}}),
        "s.properties[metadata]: Forbidden: must not specify anything other than name and "
        "generateName, but metadata is implicitly specified",
    ),
    (
        fields(a={"type": "object", OPEN: False}),
        f"s.properties[a].{OPEN}: Invalid value: false: must be true or undefined",
    ),
    (
        fields(a={"type": "object", EMBEDDED: True}),
        "s.properties[a].properties: Required value: must not be empty if "
        f"{EMBEDDED} is true without {OPEN}",
    ),
    (
        fields(a={"x-kubernetes-int-or-string": True, OPEN: True}),
        f"s.properties[a].{OPEN}: Invalid value: true: "
        "must be false if x-kubernetes-int-or-string is true",
    ),
    (
        fields(a={"type": "array", "items": fields(), "x-kubernetes-list-type": "map"}),
        "s.properties[a].x-kubernetes-list-map-keys: Required value: "
        "must not be empty if x-kubernetes-list-type is map",
    ),
    (
        fields(
            a={
                "type": "array",
                "items": fields(name=TEXT),
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            }
        ),
        "s.properties[a].items.properties[name].default: Required value: this property is in "
        "x-kubernetes-list-map-keys, so it must have a default or be a required property",
    ),
    (
        fields(a={**TEXT, "x-kubernetes-validations": [{"rule": " "}]}),
        "s.properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified",
    ),
    (
        fields(a={"type": "array", "items": {"type": 5}}),
        's.properties[a].items.type: Invalid value: "int": '
        's.properties[a].items.type in body must be of type string: "int"',
    ),
]


@pytest.mark.parametrize("schema, text", WRONG, ids=[text[:60] for _, text in WRONG])
def test_a_schema_is_refused_in_upstreams_words(schema: Any, text: str) -> None:
    assert text in found(schema)


def test_a_schema_of_all_that_there_is_passes() -> None:
    either = {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
    }
    assert not found(
        fields(
            apiVersion=TEXT,
            kind=TEXT,
            metadata={"type": "object"},
            spec={
                **fields(
                    port=either,
                    size={**NUMBER, "minimum": 1, "default": 3},
                    labels={"type": "object", "additionalProperties": TEXT},
                    template={"type": "object", EMBEDDED: True, OPEN: True},
                    names={"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                ),
                "anyOf": [{"required": ["port"]}, {"required": ["size"]}],
                "default": {"port": 1},
            },
        ),
        status=True,
    )


def test_a_kind_with_a_status_has_little_at_its_root() -> None:
    (text,) = found({**fields(), "oneOf": [{"required": ["a"]}]}, status=True)
    assert "fields are allowed at the root of the schema if the status subresource" in text


def test_a_thousand_properties_of_a_thousand_are_seen_soon() -> None:
    """Within the suite's limit on a test."""
    wide = fields(**{f"p{at}": fields(**{f"q{i}": TEXT for i in range(30)}) for at in range(1000)})
    assert not found(wide)
