"""What becomes of an object that has more, or less, than its schema says: pruning and defaults.

Fields that the schema does not know are dropped, unless it asks to preserve them; so is null where
it stands for a field that may not be null and has no default. Then defaults are filled in.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.extensions.nodes import EMBEDDED, HEAD, OPEN, Node, join, values_of

Fill = Callable[[Any], None]
"""Fills in, in place, what a value lacks."""


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
            _field(root, known, name, item, "", kept, unknown)
    return kept


def _tidy(node: Node, value: Any, path: str, unknown: list[str]) -> Any:
    if type(value) is dict:
        return _map(node, value, path, unknown)
    if type(value) is list:
        items = node.get("items")
        if isinstance(items, Mapping):
            return [_tidy(items, item, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
    return value


def _map(node: Node, value: dict[str, Any], path: str, unknown: list[str]) -> Any:
    kept: dict[str, Any] = {}
    known = node.get("properties") or {}
    if not known and node.get(OPEN):
        return value
    embedded = bool(node.get(EMBEDDED))
    for name, item in value.items():
        if embedded and name in HEAD:
            kept[name] = item
        else:
            _field(node, known, name, item, path, kept, unknown)
    return kept


def _field(
    node: Node,
    known: Mapping[str, Node],
    name: str,
    item: Any,
    path: str,
    kept: dict[str, Any],
    unknown: list[str],
) -> None:
    child = known.get(name)
    if child is None:
        child = values_of(node)
    if child is None:
        if node.get(OPEN):
            kept[name] = item
        else:
            unknown.append(join(path, name))
    elif item is not None:
        kept[name] = _tidy(child, item, join(path, name), unknown)
    elif child.get("nullable") or child.get("default") is not None:
        kept[name] = item


def filler(root: Node) -> Fill | None:
    """Fills in the schema's defaults; None where it has none."""
    return _filler(root, top=True)


def _filler(node: Node, *, top: bool = False) -> Fill | None:
    hidden = HEAD if top else ()
    fields = {
        name: (child.get("default"), bool(child.get("nullable")), _filler(child))
        for name, child in (node.get("properties") or {}).items()
        if name not in hidden
    }
    wanted = {
        name: facts
        for name, facts in fields.items()
        if facts[0] is not None or facts[2] is not None
    }
    values = values_of(node)
    each = _filler(values) if values is not None else None
    items = node.get("items")
    inside = _filler(items) if isinstance(items, Mapping) else None
    if wanted:
        return lambda value: _fill_fields(wanted, value)
    if each is not None:
        return lambda value: _fill_each(each, value.values() if type(value) is dict else ())
    if inside is not None:
        return lambda value: _fill_each(inside, value if type(value) is list else ())
    return None


def _fill_fields(wanted: Mapping[str, tuple[Any, bool, Fill | None]], value: Any) -> None:
    if type(value) is not dict:
        return
    for name, (default, nullable, below) in wanted.items():
        item = value.get(name)
        if item is None:
            if name in value and nullable:
                continue
            if default is None:
                continue
            item = copy.deepcopy(default) if isinstance(default, dict | list) else default
            value[name] = item
        if below is not None:
            below(item)


def _fill_each(fill: Fill, values: Any) -> None:
    for item in values:
        fill(item)
