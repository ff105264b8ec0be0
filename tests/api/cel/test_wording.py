"""Faults of expressions, at the places and in the order in which cel-go tells them."""

import re

import pytest

from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment
from argosy.api.cel.wording import worded

HEAD = re.compile(r"^ERROR: <input>:(\d+:\d+): (.*)$", re.MULTILINE)


def told(expression: str) -> list[tuple[str, str]]:
    with pytest.raises(CompileError) as raised:
        Environment({"object": "dyn"}).compile(expression)
    return HEAD.findall(str(raised.value))


def unknown(*places: tuple[str, str]) -> list[tuple[str, str]]:
    return [(at, f"undeclared reference to '{name}' (in container '')") for at, name in places]


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("foo.bar == 1", [("1:1", "foo")]),
        ("foo.foo.foo", [("1:1", "foo")]),
        ("foo.bar + baz.q", [("1:1", "foo"), ("1:11", "baz")]),
        ("(foo).bar", [("1:2", "foo")]),
        ("true &&\n foo\n.bar", [("2:2", "foo")]),
        (".foo.bar", [("1:2", ".foo")]),
        ("has(foo.bar)", [("1:5", "foo")]),
        ("'é' + foo.bar", [("1:7", "foo")]),
        ("a.b.c.d(e.f)", [("1:1", "a"), ("1:8", "d"), ("1:9", "e")]),
        ("object.x == a.B{c: d}", [("1:16", "a.B"), ("1:20", "d")]),
    ],
)
def test_names_that_nobody_knows(expression: str, places: list[tuple[str, str]]) -> None:
    assert told(expression) == unknown(*places)


@pytest.mark.parametrize("expression", ["x.map(y, y.z)", "x.?bar", "x.exists(i, i.x)"])
def test_what_only_follows_is_not_told(expression: str) -> None:
    assert told(expression) == unknown(("1:1", "x"))


def test_a_question_mark_is_one() -> None:
    ((_, text),) = told("object{")
    assert text.endswith("expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}")


def test_the_place_is_shown() -> None:
    given = "ERROR: <input>:1:10: undeclared reference to 'foo.bar' (in container '')\n | x\n | ^"
    assert worded(given, "'é' + foo.bar") == (
        "ERROR: <input>:1:7: undeclared reference to 'foo' (in container '')\n"
        " | 'é' + foo.bar\n"
        " | .．....^"
    )


def test_very_many_faults_are_told_as_they_come() -> None:
    one = "ERROR: <input>:1:2: undeclared reference to 'a.b' (in container '')\n | a.b\n | .^\n"
    assert worded(one * 101, "a.b") == one * 101
