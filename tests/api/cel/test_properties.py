"""The simple functions agree with plain Python, whatever they are given."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.cel.decltypes import escape, unescape
from argosy.api.cel.values import Budget, equal
from tests.api.cel.kit import value

NUMBERS = st.lists(st.integers(-1000, 1000), max_size=20)
WORDS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(NUMBERS)
def test_lists_agree(numbers: list[int]) -> None:
    assert value("x.sum()", x=numbers) == sum(numbers)
    assert value("x.isSorted()", x=numbers) == (numbers == sorted(numbers))
    assert value("x.sort()", x=numbers) == sorted(numbers)
    assert value("x.filter(i, i > 0).map(i, i * 2)", x=numbers) == [i * 2 for i in numbers if i > 0]
    assert value("x.exists(i, i > 500)", x=numbers) == any(i > 500 for i in numbers)


@settings(max_examples=50)
@given(WORDS, WORDS)
def test_strings_agree(one: str, other: str) -> None:
    assert value("x.indexOf(y)", x=one, y=other) == one.find(other)
    assert value("x.replace(y, '-')", x=one, y=other) == one.replace(other, "-")
    assert value("x + y", x=one, y=other) == one + other
    assert value("x.contains(y)", x=one, y=other) == (other in one)
    assert value("x < y", x=one, y=other) == (one < other)


@settings(max_examples=50)
@given(JSON)
def test_equality_is_reflexive(item: Any) -> None:
    assert equal(item, item, Budget(10_000))


@settings(max_examples=100)
@given(st.text("ab_-./9", min_size=1, max_size=12))
def test_names_survive_escaping(name: str) -> None:
    escaped = escape(name)
    assert not escaped or unescape(escaped) == name
