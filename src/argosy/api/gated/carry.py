"""Fields that the served minor doesn't know, in objects that a newer one wrote.

Nobody can see them change: an update is made of the object without them, and what it leaves of the
places where they stood gets them back. Elements of a list are the same by their keys, or by their
places if there are as many as there were.
"""

from collections.abc import Iterable
from typing import Any

from argosy.api.schema import Schema


def carry(schema: Schema, new: Any, old: Any) -> None:
    """Give `new`, in place, what `old` has and `schema` doesn't know."""
    if schema.unknown or type(new) is not type(old):
        return
    if isinstance(old, dict):
        if schema.values is not None:
            for name in new.keys() & old.keys():
                carry(schema.values, new[name], old[name])
        elif schema.properties:
            _carry_fields(schema, new, old)
    elif isinstance(old, list) and schema.items is not None:
        for after, before in _pairs(schema.list_keys, new, old):
            carry(schema.items, after, before)


def _carry_fields(schema: Schema, new: dict[str, Any], old: dict[str, Any]) -> None:
    for name, value in old.items():
        known = schema.properties.get(name)
        if known is None:
            new.setdefault(name, value)
        elif name in new:
            carry(known, new[name], value)


def _pairs(keys: tuple[str, ...], new: list[Any], old: list[Any]) -> Iterable[tuple[Any, Any]]:
    if not keys:
        return zip(new, old, strict=True) if len(new) == len(old) else ()

    def identity(item: Any) -> tuple[str, ...]:
        return tuple(repr(item.get(key)) for key in keys) if isinstance(item, dict) else ()

    before = {identity(item): item for item in old}
    return [(item, before[identity(item)]) for item in new if identity(item) in before]
