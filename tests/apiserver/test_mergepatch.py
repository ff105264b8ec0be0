"""The table is that of RFC 7386, appendix A."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.mergepatch import MAX_DEPTH, merge
from argosy.base.errors import StatusError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merges_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def test_leaves_its_arguments_alone_and_shares_the_rest() -> None:
    target = {"a": {"b": 1}, "c": {"d": 2}}
    merged = merge(target, {"a": {"b": None}})
    assert target == {"a": {"b": 1}, "c": {"d": 2}}
    assert merged["c"] is target["c"]


def test_refuses_deep_nesting() -> None:
    patch: dict[str, Any] = {}
    for _ in range(MAX_DEPTH):
        patch = {"a": patch}
    with pytest.raises(StatusError, match="nested more than") as caught:
        merge({}, patch)
    assert caught.value.code == 400


@given(JSON, st.dictionaries(st.sampled_from("xyz"), JSON))
def test_patching_twice_is_patching_once(target: Any, patch: dict[str, Any]) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once
