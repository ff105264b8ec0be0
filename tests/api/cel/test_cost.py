"""Estimated costs. The figures are those of Kubernetes for the same schema and expression."""

from typing import Any

import pytest

from argosy.api.cel.callcost import shown_factor
from tests.api.cel.kit import typed


def one(kind: str) -> dict[str, Any]:
    if kind == "int-or-string":
        return {"x-kubernetes-int-or-string": True}
    if kind in ("duration", "date", "date-time"):
        return {"type": "string", "format": kind}
    return {"type": kind}


def array(kind: str | dict[str, Any], most: int | None = None) -> dict[str, Any]:
    items = one(kind) if isinstance(kind, str) else kind
    return {"type": "array", "items": items, **({} if most is None else {"maxItems": most})}


def mapping(kind: str | dict[str, Any], most: int | None = None) -> dict[str, Any]:
    values = one(kind) if isinstance(kind, str) else kind
    bound = {} if most is None else {"maxProperties": most}
    return {"type": "object", "additionalProperties": values, **bound}


def text(most: int | None = None) -> dict[str, Any]:
    return {"type": "string", **({} if most is None else {"maxLength": most})}


@pytest.mark.parametrize(
    ("schema", "expression", "cost"),
    [
        (array("number"), "self.all(x, true)", 4718591),
        (array("number", 10), "self.all(x, true)", 32),
        (array("string"), "self.all(x, true)", 3145727),
        (array("boolean"), "self.all(x, true)", 1887437),
        (array(array("number")), "self.all(x, true)", 3145727),
        (mapping("number"), "self.all(x, true)", 1348169),
        (mapping("string", 3), "self.all(x, true)", 11),
        (mapping("date-time"), "self.all(x, true)", 349526),
        (array("duration"), "self[0].getHours() == 2", 4),
        (array("int-or-string"), "self[0] == 5", 3),
        (array("number", 10), "self.all(x, self.all(y, self.all(z, true)))", 3552),
        (array("number", 3 * 1024 * 2048), "self.all(x, x == 0.0)", 25165826),
        (array(mapping("number"), 12), "self.all(x, x.y == 25.2)", 74),
        (array("string"), "self[1] == self[1]", 314577),
        (text(), "self.contains('test')", 314574),
        (text(10), "self.contains('test')", 5),
        (text(), "self.startsWith('test')", 2),
        (text(), "size(self + 'hello') > size('hello')", 314578),
        (text(50), "self.matches('x')", 22),
        (text(), "''.matches('(((((((((())))))))))[0-9]')", 7),
        (text(0), "self == 'x'", 1),
        (text(), "self.find('[0-9]+') == ''", 629147),
        (text(10), "self.lowerAscii() == 'lower!'", 6),
        (mapping("date-time"), "self['a'] == self['b']", 8),
    ],
)
def test_estimate(schema: dict[str, Any], expression: str, cost: int) -> None:
    assert typed(schema).compile(expression).cost.most == cost


@pytest.mark.parametrize(
    "expression", ["self.all(x, self.all(y, true))", "self.map(x, self.map(y, self))[0] == []"]
)
def test_loops_in_loops_are_dear(expression: str) -> None:
    assert typed(array("number")).compile(expression).cost.most > 10**12


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (10_000_001, "1.000000x"),
        (14_000_000, "1.400000x"),
        (20_000_000, "2.0x"),
        (10**12, "more than 100x"),
    ],
)
def test_factor(cost: int, shown: str) -> None:
    assert shown_factor(cost, 10_000_000) == shown
