"""What becomes of an object that has more, or less, than its schema says: pruning and defaults.

Fields that the schema does not know are dropped, unless it asks to preserve them; so is null where
it stands for a field that may not be null and has no default. Then defaults are filled in.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.extensions.nodes import EMBEDDED, HEAD, OPEN, Node, join, values_of
from argosy.base.errors import too_large

UNKNOWN: Node = {}
Fill = Callable[[Any], None]
"""Fills in, in place, what a value lacks."""
MOST_FILLED = 4 << 20
"""Bytes that defaults may add to an object: it could not be stored with them, and `[{},{},…]` asks
for a million of them in the body of one request."""
_Fill = Callable[[Any, "_Room"], None]


def tidy(root: Node, obj: Mapping[str, Any], unknown: list[str]) -> dict[str, Any]:
    """`obj` without what the schema doesn't know; the paths of that are added to `unknown`.

    The metadata stays as it is. The input is never changed, but shares what it keeps.
    """
    kept: dict[str, Any] = {}
    known = root.get("properties") or {}
    for name, item in obj.items():
        if name in HEAD:
            kept[name] = item
        else:
            _field(root, known, name, item, "", kept, unknown, bool(root.get(OPEN)))
    return kept


def _tidy(node: Node, value: Any, path: str, unknown: list[str], preserved: bool = False) -> Any:
    """`preserved`: it stands in a list whose schema asks to preserve what is unknown."""
    preserved = preserved or bool(node.get(OPEN))
    if type(value) is dict:
        return _map(node, value, path, unknown, preserved)
    if type(value) is list:
        items = node.get("items")
        if isinstance(items, Mapping):
            below = items
        elif preserved:
            return value
        else:  # a list where none should be: nothing in it is known
            below = UNKNOWN
        return [
            _tidy(below, item, f"{path}[{at}]", unknown, preserved) for at, item in enumerate(value)
        ]
    return value


def _map(node: Node, value: dict[str, Any], path: str, unknown: list[str], preserved: bool) -> Any:
    kept: dict[str, Any] = {}
    known = node.get("properties") or {}
    if not known and preserved:
        return value
    embedded = bool(node.get(EMBEDDED))
    for name, item in value.items():
        if embedded and name in HEAD:
            kept[name] = item
        else:
            _field(node, known, name, item, path, kept, unknown, preserved)
    return kept


def _field(
    node: Node,
    known: Mapping[str, Node],
    name: str,
    item: Any,
    path: str,
    kept: dict[str, Any],
    unknown: list[str],
    preserved: bool,
) -> None:
    child = known.get(name)
    if child is None:
        child = values_of(node)
    if child is None:
        if preserved:
            kept[name] = item
        else:
            unknown.append(join(path, name))
    elif item is not None:
        kept[name] = _tidy(child, item, join(path, name), unknown)
    elif child.get("nullable") or child.get("default") is not None:
        kept[name] = item


class _Room:
    """How much may still be filled in."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_FILLED

    def take(self, size: int) -> None:
        """Raises StatusError 413 where there is less."""
        self.left -= size
        if self.left < 0:
            raise too_large(MOST_FILLED)


@dataclass(frozen=True, slots=True)
class _Default:
    """What stands for a field that is not there: None for nothing, of `size` bytes."""

    value: Any
    nullable: bool
    size: int
    below: _Fill | None


def filler(root: Node) -> Fill | None:
    """Fills in the schema's defaults; None where it has none. That raises StatusError 413."""
    fill = _filler(root, top=True)
    return None if fill is None else lambda value: fill(value, _Room())


def _filler(node: Node, *, top: bool = False) -> _Fill | None:
    hidden = HEAD if top else ()
    fields = {
        name: _default(child)
        for name, child in (node.get("properties") or {}).items()
        if name not in hidden
    }
    wanted = {
        name: facts
        for name, facts in fields.items()
        if facts.value is not None or facts.below is not None
    }
    values = values_of(node)
    each = _filler(values) if values is not None else None
    items = node.get("items")
    inside = _filler(items) if isinstance(items, Mapping) else None
    if wanted:
        return lambda value, room: _fill_fields(wanted, value, room)
    if each is not None:
        return lambda value, room: _fill_each(
            each, value.values() if type(value) is dict else (), room
        )
    if inside is not None:
        return lambda value, room: _fill_each(inside, value if type(value) is list else (), room)
    return None


def _default(node: Node) -> _Default:
    value = node.get("default")
    size = 0 if value is None else len(msgspec.json.encode(value))
    return _Default(value, bool(node.get("nullable")), size, _filler(node))


def _fill_fields(wanted: Mapping[str, _Default], value: Any, room: _Room) -> None:
    if type(value) is not dict:
        return
    for name, default in wanted.items():
        item = value.get(name)
        if item is None:
            if default.value is None or (name in value and default.nullable):
                continue
            room.take(len(name) + default.size)
            item = default.value
            item = copy.deepcopy(item) if isinstance(item, dict | list) else item
            value[name] = item
        if default.below is not None:
            default.below(item, room)


def _fill_each(fill: _Fill, values: Any, room: _Room) -> None:
    for item in values:
        fill(item, room)
