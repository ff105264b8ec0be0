"""The quick question before the thorough one, for kinds that users define.

`compiled` turns a schema into one function that only says whether there is nothing wrong with an
object, nothing too much in it and no null to drop. It may say no of an object that is right: then
`checking` and `tidying` decide.
"""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.extensions import checking
from argosy.api.extensions.limits import Errors, distinct
from argosy.api.extensions.nodes import ABSENT, COMBINED, EMBEDDED, HEAD, OPEN, Node, values_of
from argosy.api.extensions.patterns import pattern
from argosy.api.extensions.tidying import tidy

Fits = Callable[[Any], bool]

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
LIMITS = ("enum", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "multipleOf")


def compiled(root: Node) -> Fits:
    """A function that is true of objects that need nothing; it doesn't look at their metadata."""
    if root.get(OPEN) or any(root.get(name) for name in (*COMBINED, "not")):
        return lambda value: False
    inside = {
        name: child for name, child in (root.get("properties") or {}).items() if name not in HEAD
    }
    fits = _object({**root, "properties": inside}, HEAD)

    def bounded(value: Any) -> bool:
        try:
            return fits(value)
        except RecursionError:
            return False

    return bounded


def _node(node: Node) -> Fits:
    if node.get(OPEN) or node.get(EMBEDDED) or node.get("nullable"):
        return _thorough(node)
    kind = node.get("type")
    if any(node.get(name) for name in (*COMBINED, "not")):
        return _thorough(node)
    if kind == "object":
        return _object(node, ())
    if kind == "array" and not node.get("uniqueItems"):
        return _array(node)
    return _leaf(node, kind)


def _leaf(node: Node, kind: object) -> Fits:
    limits = {name for name in LIMITS if node.get(name) is not None}
    if kind == "string":
        return _string(node, limits)
    if kind == "boolean" and not limits:
        return lambda value: type(value) is bool
    if kind == "integer" and limits <= {"format", "minimum", "maximum"}:
        return _integer(node)
    return _thorough(node)


def _string(node: Node, limits: set[str]) -> Fits:
    if not limits:
        return lambda value: type(value) is str
    if limits == {"enum"}:
        allowed = frozenset(item for item in node["enum"] if isinstance(item, str))
        return lambda value: type(value) is str and value in allowed
    if not limits <= {"pattern", "minLength", "maxLength"}:
        return _thorough(node)
    found = pattern(node["pattern"]).found if "pattern" in limits else None
    least, most = node.get("minLength") or 0, node.get("maxLength")
    return lambda value: (
        type(value) is str
        and len(value) >= least
        and (most is None or len(value) <= most)
        and (found is None or found(value))
    )


def _integer(node: Node) -> Fits:
    bounds = INT32 if node.get("format") == "int32" else INT64
    least, most = node.get("minimum"), node.get("maximum")
    if node.get("exclusiveMinimum") or node.get("exclusiveMaximum"):
        return _thorough(node)
    return lambda value: (
        type(value) is int
        and value in bounds
        and (least is None or value >= least)
        and (most is None or value <= most)
    )


def _object(node: Node, head: tuple[str, ...]) -> Fits:
    known = {name: _node(child) for name, child in (node.get("properties") or {}).items()}
    values = values_of(node)
    other = None if values is None else _node(values)
    needed = frozenset(node.get("required") or ()) - {*head}
    least = node.get("minProperties") or 0
    most = node.get("maxProperties")

    def fits(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for name, item in value.items():
            if name in head:
                continue
            below = known.get(name, other)
            if below is None or not below(item):
                return False
        return (
            needed <= value.keys() and len(value) >= least and (most is None or len(value) <= most)
        )

    return fits


def _array(node: Node) -> Fits:
    items = node.get("items")
    if not isinstance(items, Mapping):
        return _thorough(node)
    below = _node(items)
    least, most = node.get("minItems") or 0, node.get("maxItems")
    differ = distinct(node)

    def fits(value: Any) -> bool:
        if (
            type(value) is not list
            or len(value) < least
            or (most is not None and len(value) > most)
        ):
            return False
        if not all([below(item) for item in value]):
            return False
        errors: Errors = []
        if differ is not None and len(value) > 1:
            differ(value, ABSENT, "", errors)
        return not errors

    return fits


def _thorough(node: Node) -> Fits:
    """For the rarer nodes: ask both."""
    check = checking.compiled(node)
    wrapped: Node = {"type": "object", "properties": {"it": node}}

    def fits(value: Any) -> bool:
        if value is None and not node.get("nullable"):
            return False
        errors: list[Any] = []
        check(value, ABSENT, "", errors)
        if errors:
            return False
        if not isinstance(value, dict | list):
            return True
        unknown: list[str] = []
        tidied = tidy(wrapped, {"it": value}, unknown)
        return not unknown and tidied["it"] == value

    return fits
