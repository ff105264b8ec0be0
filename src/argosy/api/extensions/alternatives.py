"""`anyOf`, `oneOf`, `allOf` and `not`: conditions that are made of other schemas' checks."""

from collections.abc import Iterable, Mapping
from typing import Any

from argosy.api.extensions.limits import NOWHERE, Check, Errors
from argosy.api.extensions.nodes import ABSENT, Node, values_of
from argosy.base.errors import FieldError


def _each(checks: Iterable[Check], value: Any, path: str) -> list[Errors]:
    found: list[Errors] = []
    for check in checks:
        errors: Errors = []
        check(value, ABSENT, path, errors)
        found.append(errors)
    return found


def _told(nodes: list[Node], found: list[Errors], value: Any) -> Errors:
    """What is wrong by the schema that says most of the value: the first of these, as upstream."""
    return max(zip(nodes, found, strict=True), key=lambda pair: _extent(pair[0], value))[1]


def _extent(node: Node, value: Any) -> int:
    """How many schemas are held against a value and what is in it."""
    extent = 2 if node.get("format") and type(value) is str else 1
    if type(value) is dict:
        known, other = node.get("properties") or {}, values_of(node)
        children = [(known.get(name, other), item) for name, item in value.items()]
    elif type(value) is list:
        children = [(node.get("items"), item) for item in value]
    else:
        children = []
    extent += sum(_extent(one, item) for one, item in children if isinstance(one, Mapping))
    for name in ("anyOf", "oneOf"):
        extent += max((_extent(one, value) for one in node.get(name) or ()), default=0)
    return extent


def _composite(path: str, text: str) -> FieldError:
    return FieldError("FieldValueInvalid", NOWHERE, f'Invalid value: "": "{path}" {text}')


def any_of(nodes: list[Node], checks: list[Check]) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        found = _each(checks, value, path)
        if all(found):
            errors.append(_composite(path, "must validate at least one schema (anyOf)"))
            errors.extend(_told(nodes, found, value))

    return check


def one_of(nodes: list[Node], checks: list[Check]) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        found = _each(checks, value, path)
        fine = sum(not item for item in found)
        if fine == 1:
            return
        counted = f"Found {fine} valid alternatives" if fine else "Found none valid"
        text = f"must validate one and only one schema (oneOf). {counted}"
        errors.append(_composite(path, text))
        if not fine:
            errors.extend(_told(nodes, found, value))

    return check


def all_of(checks: list[Check]) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        found = _each(checks, value, path)
        wrong = [item for item in found if item]
        if wrong:
            none = ". None validated" if len(wrong) == len(found) else ""
            errors.append(_composite(path, f"must validate all the schemas (allOf){none}"))
            errors.extend(error for item in wrong for error in item)

    return check


def none_of(check_not: Check) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if not _each([check_not], value, path)[0]:
            errors.append(_composite(path, "must not validate the schema (not)"))

    return check
