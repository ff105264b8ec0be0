"""How defaults are filled in: in place, never over what is there."""

from collections.abc import Mapping
from typing import Any

from argosy.api.schema import Schema

Json = dict[str, Any]


def from_schema(schema: Schema, value: Any) -> None:
    """Fill in the schema's defaults inside of `value`, as structural schemas do."""
    if isinstance(value, dict):
        for name, node in schema.properties.items():
            if name not in value and node.default is not None:
                value[name] = node.default
            if name in value:
                from_schema(node, value[name])
        if schema.values is not None:
            for item in value.values():
                from_schema(schema.values, item)
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            from_schema(schema.items, item)


def fill(target: Json, defaults: Mapping[str, Any]) -> None:
    """Set each of `defaults` that `target` does not say."""
    for name, value in defaults.items():
        target.setdefault(name, value.copy() if isinstance(value, dict) else value)


def fill_empty(target: Json, defaults: Mapping[str, Any]) -> None:
    """Set each of `defaults` that `target` does not say, or says with an empty text or a zero."""
    for name, value in defaults.items():
        if not target.get(name):
            target[name] = value
