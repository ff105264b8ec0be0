"""YAML, both ways."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.yamlform import MOST_TOLD, read, write
from argosy.base.errors import StatusError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\n", []),
        ("a: 1\na: 2\n", ['line 2: key "a" already set in map']),
        ("x:\n  a: 1\n  b:\n    c: 1\n  a:\n    - 1\n", ['line 6: key "a" already set in map']),
        ("b: {c: 1, c: 2}\na: 1\na: 2\n", ['line 1: key "c"', 'line 3: key "a"']),
        ("1: a\n1: b\n", ["line 2: key 1 already set in map"]),
        ("true: a\ntrue: b\n", ["line 2: key true already set in map"]),
        ("- {a: 1}\n- {a: 1, a: 2}\n", ['line 2: key "a" already set in map']),
        ("<<: {a: 1}\na: 2\n", []),
        ('{"a": 1,\n"a": 2}', ['line 2: key "a" already set in map']),
    ],
)
def test_repeated_keys_are_told_with_their_lines(text: str, told: list[str]) -> None:
    twice: list[str] = []
    read(text.encode(), twice)

    assert len(twice) == len(told)
    assert all(one.startswith(start) for one, start in zip(twice, told, strict=True))


def test_not_all_of_a_thousand_are_told() -> None:
    twice: list[str] = []
    read(b"a: 1\n" * 1000, twice)

    assert len(twice) == MOST_TOLD


def test_the_last_of_them_counts() -> None:
    assert read(b"a: 1\na: 2\n") == {"a": 2}


@pytest.mark.parametrize("text", ["? [a]\n: 1", "a: !!binary x", "a: .nan", "a: {b", "\x01"])
def test_what_json_can_not_say_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as caught:
        read(text.encode())
    assert caught.value.code == 400


DOUBTFUL = [
    "1e3",
    "y",
    "No",
    "0x1f",
    "1_000",
    "2026-01-01",
    "~",
    "null",
    ".5",
    "-",
    "12:30",
    "=",
    "",
]
WORDS = st.sampled_from(DOUBTFUL) | st.text(
    alphabet="aY01e:-#'\"\n\t é😀\u2028%&*|>@`{}[],?!", max_size=8
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    text = write(value)

    assert yaml.safe_load(text) == value


@pytest.mark.parametrize("text", DOUBTFUL[:-1])
def test_what_could_be_something_else_is_quoted(text: str) -> None:
    assert write({"a": text}) == f'a: "{text}"\n'.encode()


def test_lines_stay_lines_and_keys_are_in_order() -> None:
    assert write({"b": "x\ny\n", "a": ["c"]}) == b"a:\n- c\nb: |\n  x\n  y\n"
