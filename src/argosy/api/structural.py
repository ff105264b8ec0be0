"""Whether a value has the shape of its kind, and what it becomes where it hasn't.

`check` reports wrong types, missing fields and broken limits with their paths. `unknown_fields`
names the fields that the kind doesn't know: an error or a warning by the request's
`fieldValidation`. `prune` drops those and nulls, as decoding into upstream's Go types does: a null
is an absent field, or the zero value where it is an element of a list or a map. All three take any
JSON and never raise. What a `Schema` leaves open (`any`, `unknown`) stays as it is.

An absent value and null are one; formats are those of OpenAPI as Kubernetes reads them.
"""

import binascii
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from argosy.api.schema import Schema
from argosy.base import quantity
from argosy.base.errors import (
    MOST_FIELDS,
    FieldError,
    StatusError,
    bad_request,
    invalid_value,
    not_supported,
    required,
    too_long,
    type_invalid,
)

DEEPEST = 100  # levels of nesting; what lies deeper is refused
_RANGES: Mapping[str, tuple[int, int]] = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_JSON_TYPES: Mapping[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def check(schema: Schema, value: Any, path: str = "") -> list[FieldError]:
    """What is wrong with `value`, which stands at `path`; nothing where the list is empty."""
    errors: list[FieldError] = []
    _CHECKS[schema.type](schema, value, path, errors, DEEPEST)
    return errors


def unknown_fields(schema: Schema, value: Any) -> list[str]:
    """The paths of the fields that `schema` doesn't know, such as `spec.containers[0].nmae`."""
    found: list[str] = []
    _find_unknown(schema, value, "", found, DEEPEST)
    return found


def unknown_field(path: str) -> str:
    """What a warning or an error says of one unknown field."""
    return f'unknown field "{path}"'


def strict_decoding_error(
    kind: str, version: str, paths: Sequence[str], *, twice: Sequence[str] = ()
) -> StatusError:
    """400 for an object with unknown fields under `fieldValidation=Strict`.

    `twice` is what is to be said of repeated keys, which only the body tells.
    """
    texts = ", ".join([*twice, *map(unknown_field, paths)])
    return bad_request(
        f'{kind} in version "{version}" cannot be handled as a {kind}: '
        f"strict decoding error: {texts}"
    )


def prune(schema: Schema, value: Any) -> Any:
    """`value` without unknown fields and nulls: itself where there is nothing to drop.

    The input is never changed, but the answer shares what it keeps with it.
    """
    return _prune(schema, value, DEEPEST)


# check

_Check = Callable[[Schema, Any, str, list[FieldError], int], None]


def _object(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if value is None:
        value = {}
    if type(value) is not dict:
        errors.append(_mistyped(path, value, "object"))
    elif depth == 0:
        errors.append(_too_deep(path))
    elif schema.values is not None:
        _elements(schema.values, value.items(), path, errors, depth)
    else:
        _fields(schema, value, path, errors, depth)


def _fields(
    schema: Schema, value: dict[str, Any], path: str, errors: list[FieldError], depth: int
) -> None:
    properties = schema.properties
    for name, item in value.items():
        child = properties.get(name)
        if item is None or (child is None and not schema.unknown):
            continue
        if child is None:
            _any(schema, item, _join(path, name), errors, depth - 1)
            continue
        kind = child.type
        # The most frequent leaf of all isn't worth a call and a path.
        if kind == "string" and type(item) is str and not _limited(child):
            continue
        _CHECKS[kind](child, item, _join(path, name), errors, depth - 1)
    if schema.required:
        missing = [name for name in schema.required if value.get(name) is None]
        errors.extend(required(_join(path, name)) for name in sorted(missing))


def _array(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is not list:
        errors.append(_mistyped(path, value, "array"))
    elif depth == 0:
        errors.append(_too_deep(path))
    elif schema.items is not None:
        _elements(schema.items, enumerate(value), path, errors, depth)


def _elements(
    child: Schema,
    pairs: Iterable[tuple[str | int, Any]],
    path: str,
    errors: list[FieldError],
    depth: int,
) -> None:
    plain = child.type == "string" and not _limited(child)
    for key, item in pairs:
        if plain and type(item) is str:
            continue
        if len(errors) > MOST_FIELDS:  # more are not told
            return
        if item is not None or child.type == "object":
            _CHECKS[child.type](child, item, f"{path}[{key}]", errors, depth - 1)


def _limited(schema: Schema) -> bool:
    """Whether a string's type is not all that is to be checked."""
    return bool(
        schema.format
        or schema.enum
        or schema.pattern
        or schema.min_length
        or schema.max_length is not None
    )


def _string(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is not str:
        errors.append(_mistyped(path, value, "string"))
        return
    if not _limited(schema):
        return
    if len(value) < schema.min_length:
        detail = f"{path} in body should be at least {schema.min_length} chars long"
        errors.append(invalid_value(path, value, detail))
    if schema.max_length is not None and len(value) > schema.max_length:
        errors.append(too_long(path, schema.max_length))
    if schema.enum and value not in schema.enum:
        errors.append(not_supported(path, value, schema.enum))
    if schema.pattern and not re.search(schema.pattern, value):
        errors.append(invalid_value(path, value, f"{path} in body should match '{schema.pattern}'"))
    if schema.format == "date-time" and not is_time(value):
        errors.append(invalid_value(path, value, f"{path} in body must be of type date-time"))
    if schema.format == "byte" and not is_base64(value):
        errors.append(invalid_value(path, value, f"{path} in body must be of type byte"))


def _integer(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is not int:  # True is an int to isinstance
        errors.append(_mistyped(path, value, "integer"))
        return
    lowest, highest = _RANGES.get(schema.format, _RANGES["int64"])
    least = lowest if schema.minimum is None else schema.minimum
    most = highest if schema.maximum is None else schema.maximum
    _bounds(path, value, least, most, errors)


def _number(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is not int and type(value) is not float:
        errors.append(_mistyped(path, value, "number"))
    else:
        _bounds(path, value, schema.minimum, schema.maximum, errors)


def _boolean(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is not bool:
        errors.append(_mistyped(path, value, "boolean"))


def _quantity(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) not in (str, int, float):
        errors.append(_mistyped(path, value, "quantity"))
        return
    try:
        quantity.parse(value)
    except ValueError as error:
        errors.append(invalid_value(path, value, str(error)))


def _int_or_string(
    schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int
) -> None:
    if type(value) is not int and type(value) is not str:
        errors.append(_mistyped(path, value, "int-or-string"))
        return
    least, most = _RANGES["int32"]
    if type(value) is int and not least <= value <= most:
        errors.append(invalid_value(path, value, f"{path} in body must be of type int32"))


def _any(schema: Schema, value: Any, path: str, errors: list[FieldError], depth: int) -> None:
    if type(value) is dict or type(value) is list:
        if not _within(value, depth):
            errors.append(_too_deep(path))


_CHECKS: Mapping[str, _Check] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "any": _any,
}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _mistyped(path: str, value: Any, wanted: str) -> FieldError:
    """The type is shown, not the value, which may be of any size."""
    got = _JSON_TYPES.get(type(value), type(value).__name__)
    return type_invalid(path, got, f'{path} in body must be of type {wanted}: "{got}"')


def _bounds(
    path: str, value: float, least: float | None, most: float | None, errors: list[FieldError]
) -> None:
    rule = f"{path} in body should be"
    if least is not None and value < least:
        errors.append(invalid_value(path, value, f"{rule} greater than or equal to {least}"))
    elif most is not None and value > most:
        errors.append(invalid_value(path, value, f"{rule} less than or equal to {most}"))


def _too_deep(path: str) -> FieldError:
    detail = f"must not be nested more than {DEEPEST} levels deep"
    return FieldError("FieldValueInvalid", path, f"Invalid value: {detail}")


def _within(value: Any, depth: int) -> bool:
    """Whether all containers in `value` lie within `depth` more levels."""
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return True
    return depth > 0 and all(_within(item, depth - 1) for item in value)


def is_time(text: str) -> bool:
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        return False
    return True


# unknown fields


def _find_unknown(schema: Schema, value: Any, path: str, found: list[str], depth: int) -> None:
    if depth == 0:
        return
    if type(value) is list and schema.items is not None:
        for index, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                _find_unknown(schema.items, item, f"{path}[{index}]", found, depth - 1)
    elif type(value) is dict and schema.type == "object":
        for name, item in value.items():
            child = schema.properties.get(name) or schema.values
            if child is None:
                if not schema.unknown:
                    found.append(_join(path, name))
            elif type(item) is dict or type(item) is list:
                _find_unknown(child, item, _join(path, name), found, depth - 1)


# prune

_ZEROES: Mapping[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "quantity": "0",
    "int-or-string": 0,
}


def _prune(schema: Schema, value: Any, depth: int) -> Any:
    if depth == 0:
        return value
    if type(value) is dict and schema.type == "object":
        if schema.values is not None:
            return _prune_map(schema.values, value, depth)
        return _prune_fields(schema, value, depth)
    if type(value) is list and schema.items is not None:
        kept = [_prune_element(schema.items, item, depth) for item in value]
        return value if all(map(operator.is_, kept, value)) else kept
    return value


def _prune_map(child: Schema, value: dict[str, Any], depth: int) -> dict[str, Any]:
    kept = {key: _prune_element(child, item, depth) for key, item in value.items()}
    return value if all(map(operator.is_, kept.values(), value.values())) else kept


def _prune_fields(schema: Schema, value: dict[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.properties
    kept: dict[str, Any] = {}
    changed = False
    for name, item in value.items():
        child = properties.get(name)
        if child is None:
            if schema.unknown:
                kept[name] = item
        elif type(item) is dict or type(item) is list:
            kept[name] = pruned = _prune(child, item, depth - 1)
            changed = changed or pruned is not item
        elif item is not None:
            kept[name] = item
    return kept if changed or len(kept) != len(value) else value


def _prune_element(child: Schema, item: Any, depth: int) -> Any:
    if item is not None:
        return _prune(child, item, depth - 1)
    if child.type == "object":
        return {}
    return None if child.format == "date-time" else _ZEROES.get(child.type)
