"""Tests of values against schemas: words, ratcheting, and the quick question's honesty."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.extensions import checking, fitting
from argosy.api.extensions.nodes import ABSENT
from argosy.api.extensions.tidying import filler, tidy
from argosy.base.errors import FieldError
from tests.api.extensions.kit import NUMBER, TEXT, Json, fields

KEYED: Json = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {**fields(name=TEXT, size={**NUMBER, "maximum": 9}), "required": ["name"]},
}


def found(node: Json, value: Any, old: Any = ABSENT) -> list[str]:
    errors: list[FieldError] = []
    checking.compiled(node)(value, old, "a", errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    "node, value, text",
    [
        (TEXT, 5, 'a: Invalid value: "integer": a in body must be of type string: "integer"'),
        (NUMBER, True, 'a: Invalid value: "boolean": a in body must be of type integer: "boolean"'),
        (NUMBER, None, 'a: Invalid value: "null": a in body must be of type integer: "null"'),
        (
            {**TEXT, "enum": ["x", "y"]},
            "z",
            'a: Unsupported value: "z": supported values: "x", "y"',
        ),
        ({**TEXT, "maxLength": 2}, "abc", "a: Too long: may not be more than 2 bytes"),
        (
            {**TEXT, "minLength": 2},
            "b",
            'a: Invalid value: "b": a in body should be at least 2 chars long',
        ),
        ({**TEXT, "pattern": "^x"}, "b", "a: Invalid value: \"b\": a in body should match '^x'"),
        (
            {**TEXT, "format": "date-time"},
            "b",
            'a: Invalid value: "b": a in body must be of type date-time: "b"',
        ),
        (
            {**NUMBER, "minimum": 3},
            2,
            "a: Invalid value: 2: a in body should be greater than or equal to 3",
        ),
        (
            {**NUMBER, "maximum": 3, "exclusiveMaximum": True},
            3,
            "a: Invalid value: 3: a in body should be less than 3",
        ),
        (
            {**NUMBER, "multipleOf": 2},
            3,
            "a: Invalid value: 3: a in body should be a multiple of 2",
        ),
        (
            {**NUMBER, "format": "int32"},
            2**31,
            '<nil>: Invalid value: "": '
            "Checked value must be of type integer with format int32 in a",
        ),
        ({**fields(b=TEXT), "required": ["b"]}, {}, "a.b: Required value"),
        (
            {"type": "array", "items": TEXT, "maxItems": 1},
            ["x", "y"],
            "a: Too many: 2: must have at most 1 item",
        ),
        (
            {"type": "array", "items": TEXT, "minItems": 1},
            [],
            "a: Invalid value: 0: a in body should have at least 1 items",
        ),
        (
            {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
            ["x", "x"],
            'a[1]: Duplicate value: "x"',
        ),
        (KEYED, [{"name": "x"}, {"name": "x"}], 'a[1]: Duplicate value: {"name":"x"}'),
        (
            {"type": "object", "additionalProperties": NUMBER},
            {"k": "v"},
            'a.k: Invalid value: "string": a.k in body must be of type integer: "string"',
        ),
        (
            {**TEXT, "anyOf": [{"minLength": 5}, {"pattern": "^z"}]},
            "x",
            '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        ),
        (
            {**fields(b=TEXT, c=TEXT), "oneOf": [{"required": ["b"]}, {"required": ["c"]}]},
            {"b": "", "c": ""},
            '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). '
            "Found 2 valid alternatives",
        ),
        (
            {**TEXT, "allOf": [{"minLength": 5}]},
            "x",
            '<nil>: Invalid value: "": "a" must validate all the schemas (allOf). None validated',
        ),
        (
            {**TEXT, "not": {"minLength": 1}},
            "x",
            '<nil>: Invalid value: "": "a" must not validate the schema (not)',
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True},
            {"kind": "Pod"},
            "a.apiVersion: Required value: must not be empty",
        ),
    ],
)
def test_a_wrong_value_is_told_of_in_upstreams_words(node: Json, value: Any, text: str) -> None:
    assert text in found(node, value)


def test_what_was_wrong_before_and_stays_is_not_complained_of() -> None:
    node = fields(items=KEYED, name={**TEXT, "maxLength": 1})
    old = {"items": [{"name": "x", "size": 10}, {"name": "y"}], "name": "long"}
    new = {"items": [{"name": "y", "size": 1}, {"name": "x", "size": 10}], "name": "long"}
    assert not found(node, new, old)
    assert found(node, new) and found(node, {**new, "name": "longer"}, old)
    assert found(node, {**new, "items": [{"name": "x", "size": 11}]}, old)


def test_null_is_a_value_where_it_may_be_one() -> None:
    assert not found({**TEXT, "nullable": True}, None)


def test_no_pattern_takes_long() -> None:
    """One that tried every split would never end, and this test neither."""
    assert found({**TEXT, "pattern": "^(a+)+$"}, "a" * 100_000 + "b")


LEAVES = st.sampled_from(
    [
        TEXT,
        {**TEXT, "maxLength": 1},
        {**TEXT, "nullable": True},
        {**TEXT, "enum": ["a"]},
        NUMBER,
        {**NUMBER, "maximum": 1},
        {"type": "boolean"},
        {"type": "number"},
        {"x-kubernetes-int-or-string": True},
        {"x-kubernetes-preserve-unknown-fields": True},
    ]
)
NODES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(lambda one: {"type": "object", "additionalProperties": one}, inner)
        | st.builds(lambda one, two: fields(a=one, b=two), inner, inner)
        | st.builds(lambda one: {**fields(a=one), "required": ["a"]}, inner)
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "bb"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(node=NODES, value=VALUES)
def test_what_fits_is_right_and_needs_no_tidying(node: Json, value: Any) -> None:
    root = fields(spec=node)
    obj = {"apiVersion": "v1", "kind": "K", "metadata": {}, "spec": value}
    errors: list[FieldError] = []
    checking.compiled(root, root=True)(obj, ABSENT, "", errors)
    unknown: list[str] = []
    tidied = tidy(root, obj, unknown)
    if fitting.compiled(root)(obj):
        assert not errors and not unknown and tidied == obj
    again: list[str] = []
    assert tidy(root, tidied, again) == tidied and not again


def test_defaults_are_filled_in_where_nothing_or_null_stands() -> None:
    inner = fields(size={**NUMBER, "default": 1}, note={**TEXT, "nullable": True, "default": "n"})
    root = fields(
        spec={**inner, "default": {}},
        list={"type": "array", "items": inner},
        map={"type": "object", "additionalProperties": inner},
    )
    obj: Json = {"list": [{"size": None}], "map": {"k": {"note": None}}}
    fill = filler(root)
    assert fill is not None
    fill(obj)
    assert obj == {
        "spec": {"size": 1, "note": "n"},
        "list": [{"size": 1, "note": "n"}],
        "map": {"k": {"note": None, "size": 1}},
    }
    assert root["properties"]["spec"]["default"] == {}
    assert filler(fields(a=TEXT)) is None


def test_what_nobody_knows_is_dropped_but_where_it_is_wanted() -> None:
    root = fields(
        spec=fields(a=TEXT, open={"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    )
    unknown: list[str] = []
    obj = {"metadata": {"x": 1}, "spec": {"a": None, "b": 1, "open": {"c": None}}, "more": []}
    assert tidy(root, obj, unknown) == {"metadata": {"x": 1}, "spec": {"open": {"c": None}}}
    assert unknown == ["spec.b", "more"]


def test_metadata_is_required_below_the_root_as_any_other_field_is() -> None:
    node = {**fields(template=fields()), "required": ["metadata"]}
    node["properties"]["template"]["required"] = ["metadata"]
    errors: list[FieldError] = []
    checking.compiled(node, root=True)({"template": {}}, ABSENT, "", errors)
    assert [str(error) for error in errors] == ["template.metadata: Required value"]


def test_of_alternatives_the_one_that_says_most_of_the_value_is_told_of() -> None:
    least = fields(type={"not": {"enum": ["IP"]}})
    most = fields(type={"enum": ["IP"]}, value={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
    for alternatives in ([least, most], [most, least]):
        told = found({"oneOf": alternatives}, {"type": "IP", "value": "x"})
        assert told[-1] == (
            'a.value: Invalid value: "x": a.value in body must be of type ipv4: "x"'
        )
