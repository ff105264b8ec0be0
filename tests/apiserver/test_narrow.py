"""Decoders see what a selector sees in the whole object, and nothing beside it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.narrow import decoder
from argosy.base.selectors import FieldSelector, FieldTerm

NAMES = st.sampled_from(("a", "b", "c"))
VALUES = st.recursive(
    st.sampled_from((None, True, 1, "x", "y", "")),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)


@given(obj=st.dictionaries(NAMES, VALUES), paths=PATHS, value=st.sampled_from(("x", "")))
def test_a_selector_sees_no_difference(obj: Any, paths: list[tuple[str, ...]], value: str) -> None:
    selector = FieldSelector(tuple(FieldTerm(path, value, True) for path in paths))
    narrow = decoder(paths)(msgspec.json.encode(obj))
    assert selector.matches(narrow) == selector.matches(obj)


def test_what_lies_beside_is_left_out() -> None:
    pod = {"metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {"nodeName": "n", "other": 1}}
    found = decoder([("spec", "nodeName"), ("metadata", "labels")])(msgspec.json.encode(pod))
    assert found == {"metadata": {"labels": {"x": "y"}}, "spec": {"nodeName": "n"}}


def test_the_same_paths_have_the_same_decoder() -> None:
    assert decoder([("a",), ("b", "c")]) is decoder([("b", "c"), ("a",)])


def test_what_is_not_json_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decoder([("a",)])(b"{")
