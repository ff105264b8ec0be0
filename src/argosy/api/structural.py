"""Whether a value has the shape of its kind, and what it becomes where it hasn't.

`check` reports wrong types, missing fields and broken limits with their paths. `unknown_fields`
names the fields that the kind doesn't know: an error or a warning by the request's
`fieldValidation`. `prune` drops those and nulls, as decoding into upstream's Go types does: a null
is an absent field, or the zero value where it is an element of a list or a map. All three take any
JSON and never raise. What a `Schema` leaves open (`any`, `unknown`) stays as it is.

An absent value and null are one; formats are those of OpenAPI as Kubernetes reads them.
"""

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from argosy.api.schema import Schema
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    StatusError,
    bad_request,
    invalid_value,
    not_supported,
    required,
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


def strict_decoding_error(kind: str, version: str, paths: Sequence[str]) -> StatusError:
    """400 for an object with unknown fields under `fieldValidation=Strict`."""
    texts = ", ".join(unknown_field(path) for path in paths)
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
        _elements(schema.values, _keyed(value, path), errors, depth)
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
        if kind == "string" and type(item) is str and not (child.format or child.enum):
            if not child.pattern:
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
