"""Compiling against types: what passes, what is said of what doesn't, and the JSON below."""

from typing import Any

import pytest

from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment
from argosy.api.cel.lib_authorizer import Authorizer, Decision, Question
from argosy.api.cel.values import Budget, BudgetExceeded
from tests.api.cel.kit import anything, typed, value

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": "string"},
        "port": {"x-kubernetes-int-or-string": True},
        "when": {"type": "string", "format": "date-time"},
        "a-b": {"type": "string"},
        "namespace": {"type": "string"},
        "deep": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "hidden": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
OBJECT: dict[str, Any] = {
    "n": 3,
    "ratio": 3,
    "name": "web",
    "port": "http",
    "when": "2024-01-02T03:04:05Z",
    "a-b": "dash",
    "namespace": "default",
    "deep": [[1], [2]],
    "labels": {"app": "x"},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("self.n + 1", 4),
        ("self.ratio / 2.0", 1.5),  # JSON's 3 is a double here
        ("self.port == 'http' || self.port == 80", True),
        ("self.when.getDayOfMonth()", 1),
        ("self.a__dash__b", "dash"),
        ("self.namespace + self.__namespace__", "defaultdefault"),
        ("self.deep.all(row, row.all(i, i > 0))", True),
        ("self.labels.app", "x"),
        ("has(self.labels) && !('y' in self.labels)", True),
        ("self.?name.orValue('') == 'web'", True),
    ],
)
def test_typed_value(expression: str, expected: Any) -> None:
    assert typed(SCHEMA).compile(expression).evaluate({"self": OBJECT}) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("self.nope", "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^"),
        ("self.hidden", "ERROR: <input>:1:5: undefined field 'hidden'\n | self.hidden\n | ....^"),
        (
            "self.n == 'a'",
            "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'"
            "\n | self.n == 'a'\n | .......^",
        ),
        (
            "other",
            "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other\n | ^",
        ),
        (
            "[1, 'a'] == []",
            "ERROR: <input>:1:5: expected type 'int' but found 'string'\n"
            " | [1, 'a'] == []\n | ....^",
        ),
    ],
)
def test_compile_error(expression: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        typed(SCHEMA).compile(expression)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("self.n +", "Syntax error: mismatched input '<EOF>'"),
        ("self.name.foo", "type 'string' does not support field selection"),
        ("self + 1", "found no matching overload for '_+_' applied to '(object, int)'"),
        ("self.name.nope()", "undeclared reference to 'nope'"),
        ("self.name.matches('(')", "invalid matches argument"),
        ("duration('soon') == duration('1s')", "invalid duration argument"),
        ("'" + "a" * 100_001 + "'", "expression code point size exceeds limit"),
        ("1" + "+1" * 2000, "ERROR: <input>"),
    ],
)
def test_compile_error_says(expression: str, part: str) -> None:
    with pytest.raises(CompileError, match="ERROR: ") as caught:
        typed(SCHEMA).compile(expression)
    assert part in str(caught.value)


def test_programs_share_an_activation() -> None:
    shared = {"x": {"a": 1}, "y": 2}
    programs = [anything().compile(text) for text in ("x.a + y", "x.a == y", "x")]
    assert [program.evaluate(shared) for program in programs] == [3, False, {"a": 1}]
    assert [sorted(program.uses) for program in programs] == [["x", "y"], ["x", "y"], ["x"]]


def _decide(question: Question) -> Decision:
    allowed = question == Question(
        verb="create", group="apps", resource="deployments", namespace="default"
    )
    return Decision(allowed, reason=question.user)


AUTHORIZER = "kubernetes.authorization.Authorizer"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            ".group('apps').resource('deployments').namespace('default').check('create').allowed()",
            1,
        ),
        (".group('apps').resource('deployments').check('create').allowed()", 0),
        (".path('/healthz').check('get').allowed()", 0),
        (
            ".serviceAccount('ns', 'sa').group('').resource('pods').check('get').reason()"
            " == 'system:serviceaccount:ns:sa'",
            1,
        ),
    ],
)
def test_authorizer_asks_its_caller(expression: str, expected: int) -> None:
    program = Environment({"authorizer": AUTHORIZER}).compile(f"authorizer{expression}")
    assert program.evaluate({"authorizer": Authorizer(_decide)}) is bool(expected)


def test_third_check_is_over_budget() -> None:
    check = "authorizer.path('/').check('get').allowed()"
    environment = Environment({"authorizer": AUTHORIZER})
    two = environment.compile(f"{check} || {check}")
    assert two.evaluate({"authorizer": Authorizer(_decide)}) is False
    three = environment.compile(f"{check} || {check} || {check}")
    with pytest.raises(BudgetExceeded):
        three.evaluate({"authorizer": Authorizer(_decide)})


BOMBS: list[str] = [
    "x.all(a, x.all(b, x.all(c, true)))",
    "x.map(a, x.map(b, x.map(c, [a, b, c]))).size() > 0",
    "x.map(a, y + y + y).size() > 0",  # the same megabytes again and again
    "y.replace('a', y).size() > 0",
    "x.map(a, y).join(y).size() > 0",
    "lists.range(100000000).size() > 0",
    "x.all(a, y.matches('(a*)*b') || true)",
    "x.all(a, y.findAll('a').size() > 0)",
    "x.all(a, x == x.map(b, b))",
    "cel.bind(a, x + x, cel.bind(b, a.map(i, a), b.map(j, b).flatten().flatten().size() > 0))",
    "x.map(a, '%s %s'.format([x, x])).size() > 0",
    "x.transformMap(i, v, x.transformMap(j, w, x.map(b, b))).size() > 0",
    "sets.contains(x, x.map(a, a)) && x.all(a, a in x) && x.all(a, x.all(b, a in x))",
]


@pytest.mark.parametrize("expression", BOMBS)
def test_bomb_stops_at_its_budget(expression: str) -> None:
    program = anything().compile(expression)
    budget = Budget(300_000)
    with pytest.raises(BudgetExceeded):
        program.evaluate({"x": list(range(400)), "y": "a" * 100_000}, budget)


def test_string_doubling_stops_at_its_budget() -> None:
    expression = "'" + "a" * 1000 + "'"
    for at in range(24):
        expression = f"cel.bind(v{at}, {expression}, v{at} + v{at})"
    with pytest.raises(BudgetExceeded):
        value(expression)
