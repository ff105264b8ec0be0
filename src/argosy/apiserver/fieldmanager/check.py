"""Whether an applied configuration has the form of its schema.

Only what merging needs is asked here: maps, lists and scalars where the schema has them, no field
that it doesn't declare, and list items that can be told apart. The values themselves are judged
when the merged object is validated. The wording is that of structured-merge-diff.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.fieldset import readable
from argosy.apiserver.fieldmanager.shape import ANY, CONTAINERS, child, item_key
from argosy.base.errors import StatusError, bad_request

MAX_DEPTH = 200
"""Levels of nesting in a configuration; Kubernetes' own kinds stay below 30."""

DEEP = ": nested too deeply"
NESTED = ("object", "array")


def check(patch: Mapping[str, Any], schema: Schema, kind: str) -> None:
    """Refuse `patch` (400) unless it has the form of `schema`; `kind` is `group/version, Kind=…`.

    The API server of Kubernetes answers 500 to such a configuration; the message is the same.
    """
    found = _errors(patch, schema, MAX_DEPTH)
    if found:
        raise _refusal(patch, kind, found)


def _refusal(patch: Mapping[str, Any], kind: str, found: list[str]) -> StatusError:
    texts = [text if text.startswith((".", "[")) else f".{text}" for text in found]
    shown = texts[0] if len(texts) == 1 else "\n  ".join(["errors:", *texts])
    metadata = patch.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    name = f"{names.get('namespace', '')}/{names.get('name', '')}"
    return bad_request(f"failed to create typed patch object ({name}; {kind}): {shown}")


def _errors(value: Any, schema: Schema, depth: int) -> list[str]:
    """The faults of `value`: each starts with the path below it, then `: ` and what is wrong."""
    if value is None or schema.type == "any":
        return [] if _shallow(value, depth) else [DEEP]
    if schema.type == "object":
        return _map_errors(value, schema, depth)
    if schema.type == "array":
        return _list_errors(value, schema, depth)
    if isinstance(value, dict | list):
        return [f": expected {schema.type}, got {_shown(value)}"]
    return []


def _shallow(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_shallow(item, depth - 1) for item in inner)


def _map_errors(value: Any, schema: Schema, depth: int) -> list[str]:
    if type(value) is not dict:
        return [f": expected map, got {_shown(value)}"]
    if not depth:
        return [DEEP]
    properties = schema.properties
    closed = properties and schema.values is None and not schema.unknown
    found: list[str] = []
    for name, item in value.items():
        inner = properties.get(name)
        if inner is None:
            if closed:
                found.append(f".{name}: field not declared in schema")
                continue
            inner = schema.values or ANY
        # Nearly all fields are scalars; these need no call.
        if inner.type in NESTED or type(item) in CONTAINERS:
            found += [f".{name}{text}" for text in _errors(item, inner, depth - 1)]
    return found


def _list_errors(value: Any, schema: Schema, depth: int) -> list[str]:
    if type(value) is not list:
        return [f": expected list, got {_shown(value)}"]
    if not depth:
        return [DEEP]
    if schema.list_type != "atomic":
        return _item_errors(value, schema, depth)
    found: list[str] = []
    items = schema.items or ANY
    for position, item in enumerate(value):
        if items.type in NESTED or type(item) in CONTAINERS:
            found += [f"[{position}]{text}" for text in _errors(item, items, depth - 1)]
    return found


def _item_errors(value: list[Any], schema: Schema, depth: int) -> list[str]:
    items = schema.items or ANY
    found: list[str] = []
    seen: set[str] = set()
    for position, item in enumerate(value):
        key = item_key(item, schema)
        if key is None:
            found.append(f": element {position}: {_keyless(item, schema)}")
            continue
        if key in seen:
            found.append(f": duplicate entries for key {readable(key)}")
        seen.add(key)
        below = _errors(item, items, depth - 1)
        if below:
            found += [f"{readable(key)}{text}" for text in below]
    return found


def _keyless(item: Any, schema: Schema) -> str:
    if schema.list_type == "set":
        return "associative list without keys has an element that is not a scalar"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    keys = msgspec.json.encode(list(schema.list_keys)).decode()
    return (
        f"associative list with keys has an element that omits all key fields {keys} "
        "(and doesn't have default values for any key fields)"
    )


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def without_nulls(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """`value` less the nulls in fields of known form: there null says the same as leaving it out.

    A null in a field of unknown content is a value like others and stays.
    """
    if b"null" not in msgspec.json.encode(value):
        return value
    cleaned: dict[str, Any] = _cleaned(value, schema)
    return cleaned


def _cleaned(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict) and schema.type == "object":
        return {
            name: _cleaned(item, child(schema, name))
            for name, item in value.items()
            if item is not None or child(schema, name).type == "any"
        }
    if isinstance(value, list) and schema.items is not None:
        return [_cleaned(item, schema.items) for item in value]
    return value
