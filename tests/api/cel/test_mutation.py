"""Expressions that make patches: their types, what they come to, what is wrong with them."""

from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment, Program
from argosy.api.cel.mutation import OBJECT, PATCHES, Constructed, mismatches, plain
from argosy.api.cel.values import CelError, Duration, UInt


@lru_cache(maxsize=1)
def patching() -> Environment:
    """An environment with `object`."""
    return Environment({"object": "dyn"}, patches=True)


SEEN: dict[str, Any] = {"object": {"metadata": {"name": "n", "labels": {"a": "b"}}}}


def program(expression: str) -> Program:
    return patching().compile(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Object{}", {}),
        (
            'Object{spec: Object.spec{replicas: 3, list: [Object.spec.list{name: "x"}]}}',
            {"spec": {"replicas": 3, "list": [{"name": "x"}]}},
        ),
        (
            "Object{metadata: Object.metadata{labels: object.metadata.labels}}",
            {"metadata": {"labels": {"a": "b"}}},
        ),
        ("Object{?a: optional.none(), ?b: optional.of(1)}", {"b": 1}),
        ("object.metadata.name == 'n' ? Object{a: 1} : Object{b: 2}", {"a": 1}),
        # What only looks like a type is none.
        ("""Object{a: "Object.b{c: 1}", d: r'{\\d', e: '''{'''} // Object.f{""", None),
    ],
)
def test_what_is_to_be_applied(expression: str, expected: dict[str, Any] | None) -> None:
    found = program(expression)
    assert found.type == OBJECT
    value = found.evaluate(SEEN)
    assert mismatches(value) == []
    if expected is None:
        expected = {"a": "Object.b{c: 1}", "d": "{\\d", "e": "{"}
    assert plain(value) == expected


def test_a_json_patch() -> None:
    found = program(
        '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a.io/b~c"), '
        'value: Object.metadata.labels{x: "y"}}, JSONPatch{op: "remove", path: "/spec"}]'
    )
    assert found.type == PATCHES
    assert plain(found.evaluate(SEEN)) == [
        {"op": "add", "path": "/metadata/labels/a.io~1b~0c", "value": {"x": "y"}},
        {"op": "remove", "path": "/spec"},
    ]


def test_a_type_must_say_where_its_value_stands() -> None:
    value = program("Object{spec: Object.spec{selector: [Object.spec.wrong{}]}}").evaluate(SEEN)
    assert mismatches(value) == [
        'unexpected type name "Object.spec.wrong", expected "Object.spec.selector", which matches '
        "field name path from root Object type"
    ]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Object{spec: 1", "mismatched input '<EOF>'"),
        ("JSONPatch{value: 1, op: 2}", "ERROR: <input>:1:23: expected type of field 'op'"),
        ("JSONPatch{oops: 1}", "undefined field 'oops'"),
        ("Object.a{}.b", "undefined field 'b'"),
        ("Other{}", "undeclared reference to 'Other'"),
        ("Object{a: Object.a_b{}, b: Object.a.b{}}", "can't both be told apart"),
    ],
)
def test_what_is_wrong(expression: str, text: str) -> None:
    with pytest.raises(CompileError) as refused:
        program(expression)
    assert text in str(refused.value)


def test_only_patches_may_make_values() -> None:
    with pytest.raises(CompileError, match="undeclared reference to 'Object'"):
        Environment({}).compile("Object{}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 1.5, True, None, "x"]}, {"a": [1, 1.5, True, None, "x"]}),
        (UInt(3), 3),
        (Duration(1_500_000_000), "1.5s"),
    ],
)
def test_values_as_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize("value", [{1: 2}, b"x", [object()]])
def test_what_is_no_json(value: Any) -> None:
    with pytest.raises(CelError):
        plain(value)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="Object.spec{}[]():,'\"\\ra1 \n/", max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert len(Constructed.of(text).text) == len(text)
