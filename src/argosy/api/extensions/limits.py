"""What a schema may ask of a single value: how long, how large, one of which, in what form.

Each part of a schema becomes a function that adds to a list of errors what it finds wrong, in the
words of kube-apiserver. `checking` puts them together.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from argosy.api.extensions.formats import format_test
from argosy.api.extensions.nodes import LIST_KEYS, LIST_TYPE, Node, same
from argosy.api.extensions.patterns import pattern
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    too_long,
    too_many,
    type_invalid,
)

Errors = list[FieldError]
Check = Callable[[Any, Any, str, Errors], None]
"""(the value, the one before it or ABSENT, its path, where errors go)"""

NOWHERE = "<nil>"
"""The path that upstream gives for what its schema library tells no path of."""
RANGES: Mapping[str, range] = {
    "int32": range(-(2**31), 2**31),
    "int64": range(-(2**63), 2**63),
}
JSON_TYPES: Mapping[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def is_of(wanted: Iterable[str], value: Any) -> bool:
    """Whether the value has one of the types."""
    found = JSON_TYPES.get(type(value), "")
    return any(
        found == name
        or (name == "number" and found == "integer")
        or (name == "integer" and found == "number" and value.is_integer())
        for name in wanted
    )


def mistyped(path: str, value: Any, wanted: str) -> FieldError:
    """The type is shown, not the value, which may be of any size."""
    got = JSON_TYPES.get(type(value), type(value).__name__)
    return type_invalid(path, got, f'{path} in body must be of type {wanted}: "{got}"')


def enum(allowed: list[Any]) -> Check:
    shown = [item if isinstance(item, str) else _text(item) for item in allowed]

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if not any(same(value, item) for item in allowed):
            errors.append(not_supported(path, value, shown))

    return check


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)


# strings


def of_strings(node: Node) -> Iterable[Check]:
    if node.get("maxLength") is not None:
        yield _longest(node["maxLength"])
    if node.get("minLength"):
        yield _shortest(node["minLength"])
    if node.get("pattern"):
        yield _matching(node["pattern"])
    if node.get("format") and node.get("type", "string") == "string":
        test = format_test(node["format"])
        if test is not None:
            yield _formatted(node["format"], test)


def _longest(limit: int) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is str and len(value) > limit:
            errors.append(too_long(path, limit))

    return check


def _shortest(limit: int) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is str and len(value) < limit:
            detail = f"{path} in body should be at least {limit} chars long"
            errors.append(invalid_value(path, value, detail))

    return check


def _matching(text: str) -> Check:
    found = pattern(text).found

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is str and not found(value):
            errors.append(invalid_value(path, value, f"{path} in body should match '{text}'"))

    return check


def _formatted(name: str, test: Callable[[str], bool]) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is str and not test(value):
            detail = f'{path} in body must be of type {name}: "{value}"'
            errors.append(type_invalid(path, value, detail))

    return check


# numbers


def of_numbers(node: Node) -> Iterable[Check]:
    if node.get("type") == "integer":
        yield _ranged(node.get("format") or "")
    if node.get("minimum") is not None:
        yield _least(node["minimum"], beyond=bool(node.get("exclusiveMinimum")))
    if node.get("maximum") is not None:
        yield _most(node["maximum"], beyond=bool(node.get("exclusiveMaximum")))
    if node.get("multipleOf"):
        yield _multiple(node["multipleOf"])


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return type(value) is int or type(value) is float


def shown_number(value: float) -> str:
    """A number as Go prints it."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e21 else repr(value)


def _ranged(name: str) -> Check:
    bounds = RANGES.get(name, RANGES["int64"])
    told = f"format {name}" if name in RANGES else ""

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if is_number(value) and int(value) not in bounds:
            of = f"integer with {told}" if told else "integer (default format)"
            detail = f"Checked value must be of type {of} in {path}"
            errors.append(FieldError("FieldValueInvalid", NOWHERE, f'Invalid value: "": {detail}'))

    return check


def _least(limit: float, *, beyond: bool) -> Check:
    rule = f"greater than {'' if beyond else 'or equal to '}{shown_number(limit)}"

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if is_number(value) and (value < limit or (beyond and value == limit)):
            errors.append(invalid_value(path, value, f"{path} in body should be {rule}"))

    return check


def _most(limit: float, *, beyond: bool) -> Check:
    rule = f"less than {'' if beyond else 'or equal to '}{shown_number(limit)}"

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if is_number(value) and (value > limit or (beyond and value == limit)):
            errors.append(invalid_value(path, value, f"{path} in body should be {rule}"))

    return check


def _multiple(factor: float) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if is_number(value) and not (value / factor).is_integer():
            detail = f"{path} in body should be a multiple of {shown_number(factor)}"
            errors.append(invalid_value(path, value, detail))

    return check


def sized(node: Node, what: str, kind: type) -> Iterable[Check]:
    least, most = node.get(f"min{what}"), node.get(f"max{what}")

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        count = len(value) if isinstance(value, dict | list) and type(value) is kind else None
        if count is None:
            return
        if most is not None and count > most:
            errors.append(too_many(path, count, most))
        if least is not None and count < least:
            detail = f"{path} in body should have at least {least} {what.lower()}"
            errors.append(invalid_value(path, count, detail))

    if least is not None or most is not None:
        yield check


def unique(value: Any, old: Any, path: str, errors: Errors) -> None:
    if type(value) is list and len({identity(item) for item in value}) < len(value):
        detail = f"{path} in body shouldn't contain duplicates"
        errors.append(invalid_value(path, "", detail))


def identity(value: Any) -> Any:
    """Something hashable that is equal for equal JSON values only."""
    if type(value) is dict:
        return frozenset((name, identity(item)) for name, item in value.items())
    if type(value) is list:
        return ("list", *map(identity, value))
    return (type(value) is bool, value)


def distinct(node: Node) -> Check | None:
    """The check that no two items of a set, or of a list of type map, are one."""
    if node.get(LIST_TYPE) not in ("set", "map"):
        return None
    return _listed(node[LIST_TYPE], tuple(node.get(LIST_KEYS) or ()), node)


def _listed(kind: str, keys: tuple[str, ...], node: Node) -> Check:
    """Sets have each item once, maps each combination of keys."""
    known = node["items"].get("properties") or {}

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        met: set[Any] = set()
        for at, item in enumerate(value if type(value) is list else ()):
            named = item
            if kind == "map":
                if type(item) is not dict:
                    continue
                named = {key: _keyed(item, key, known) for key in keys}
                named = {key: part for key, part in named.items() if part is not None}
            told = identity(named)
            if told in met:
                errors.append(duplicate(f"{path}[{at}]", named))
            met.add(told)

    return check


def _keyed(item: Mapping[str, Any], key: str, known: Mapping[str, Node]) -> Any:
    value = item.get(key)
    return (known.get(key) or {}).get("default") if value is None else value
