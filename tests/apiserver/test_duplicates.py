"""Keys that are there twice: found by counting colons, named by a second look."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.duplicates import MOST_TOLD, repeated, repeats


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("{}", []),
        ('{"a":1,"b":2}', []),
        ('{"a":1,"a":1}', ["a"]),
        ('{"a":1,"a":2,"a":3}', ["a"]),
        ('{"spec":{"replicas":1,"replicas":2}}', ["spec.replicas"]),
        ('{"a":[{"b":1},{"b":1,"b":2}]}', ["a[1].b"]),
        ('{"a":[[{"b":1,"b":2}]]}', ["a[0][0].b"]),
        ('[{"op":1,"op":2}]', ["[0].op"]),
        ('{"a":{"x":1,"x":2},"b":1,"b":2,"c":{"y":1,"y":1}}', ["a.x", "b", "c.y"]),
        ('{"a":{"x":1},"a":{"x":1,"x":2}}', ["a", "a.x"]),
        # Texts that look like keys, and keys that look like texts.
        (r'{"a":":","b":"\":\"","c":"{\"a\":1,\"a\":2}"}', []),
        (r'{"a:a":1,"\u0061:a":2}', ["a:a"]),
        (r'{"a":1,"\u0061":2}', ["a"]),
        # An escaped colon in a text must not stand in for the colon of a key.
        (r'{"a":"\u003a","b":1,"b":1}', ["b"]),
        (r'{"a":"\u003A\u003a","b":1,"b":1,"b":1}', ["b"]),
        (r'{"a":"\\u003a","b":1}', []),
        (r'{"a":"\\\u003a","b":1}', []),
        (r'{"a":"\\u003a","b":1,"b":1}', ["b"]),
        (r'{"a:":1,"a\u003a":1}', ["a:"]),
        (' \n{ "a" : 1e3 , "b" : "\\/" }\n', []),
        ('{"":{"":1,"":2}}', [""]),
    ],
)
def test_each_repeated_field_is_named_once(body: str, paths: list[str]) -> None:
    encoded = body.encode()

    assert repeats(encoded, msgspec.json.decode(encoded)) is bool(paths)
    assert repeated(encoded) == [f'duplicate field "{path}"' for path in paths]


def test_a_quote_in_a_name_is_quoted() -> None:
    assert repeated(rb'{"a\"b":1,"a\"b":2}') == [r'duplicate field "a\"b"']


def test_not_all_of_a_thousand_are_told() -> None:
    body = "{" + ",".join(f'"{i % 1000}":0' for i in range(2000)) + "}"

    assert len(repeated(body.encode())) == MOST_TOLD


# Objects as lists of pairs, so that keys can repeat; texts of what matters to a scanner.

TEXTS = st.text(alphabet=':"\\/u03aAé{}[], ', max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS


class Pairs(list[tuple[str, Any]]):
    """An object, key after key."""


TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(st.tuples(TEXTS, inner), max_size=4).map(Pairs),
    ),
    max_leaves=12,
)


def text_of(value: str, draw: Any) -> str:
    """The text in one of the many ways in which JSON can say it."""
    plain = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        plain = plain.replace(":", draw(st.sampled_from([r"\u003a", r"\u003A"])))
    return plain.replace("/", "\\/") if draw(st.booleans()) else plain


def written(value: Any, draw: Any) -> str:
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(value, Pairs):
        parts = (f"{text_of(key, draw)}{space}:{written(item, draw)}" for key, item in value)
        return "{" + f",{space}".join(parts) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(written(item, draw) for item in value) + "]"
    return text_of(value, draw) if isinstance(value, str) else json.dumps(value)


def has_repeats(value: Any) -> bool:
    """The plain question, asked of the tree."""
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(has_repeats(item) for _, item in value)
    return isinstance(value, list) and any(map(has_repeats, value))


@settings(max_examples=100)
@given(TREES, st.data())
def test_counting_is_exact(tree: Any, data: st.DataObject) -> None:
    body = written(tree, data.draw).encode()
    decoded = msgspec.json.decode(body)

    assert repeats(body, decoded) is has_repeats(tree)
    assert bool(repeated(body)) is has_repeats(tree)
