"""Objects as sets of fields: how a value is taken apart under its schema.

A map is granular (each entry has its owner) unless the schema calls it atomic; a list is taken
apart only if the schema says that it is a set or a map; all else is one leaf. Below a field of
unknown content maps are granular and lists are leaves, as structured-merge-diff deduces them.

`from_object` gives the fields that an applied configuration claims, `compare` those that a write
changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.fieldset import SELF, FieldSet, ordered, step

ANY = Schema(type="any")
MAPS = ("object", "any")
CONTAINERS = (dict, list)
STRUCTS = ("metadata", "spec", "status")

Unset = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a write did: the fields that it set or added, and those that it took away."""

    written: FieldSet
    removed: FieldSet


def is_map(value: object, schema: Schema) -> bool:
    """Whether the entries of `value` are fields of their own."""
    return type(value) is dict and schema.type in MAPS and not schema.atomic


def is_list(value: object, schema: Schema) -> bool:
    """Whether the items of `value` are fields of their own."""
    return type(value) is list and schema.type == "array" and schema.list_type != "atomic"


def child(schema: Schema, name: str) -> Schema:
    """The schema of the entry `name` of a map."""
    return schema.properties.get(name) or schema.values or ANY


def item_key(item: Any, schema: Schema) -> str | None:
    """The step to `item` in a list with `schema`; None if it has no identity there."""
    if schema.list_type == "set":
        return None if item is None or isinstance(item, CONTAINERS) else step("v", item)
    if type(item) is not dict:
        return None
    names = schema.list_keys
    pairs: dict[str, Any] = {}
    for name in names if len(names) == 1 else sorted(names):
        value = item.get(name)
        if value is None:
            value = _key_default(name, schema)
        if value is not None:
            pairs[name] = value
    return step("k", pairs) if pairs else None


def _key_default(name: str, schema: Schema) -> Any:
    declared = schema.items.properties.get(name) if schema.items else None
    return declared.default if declared else None


def same(left: object, right: object) -> bool:
    """Equality of JSON values: unlike in Python, true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right and isinstance(left, bool) is isinstance(right, bool)


def unset(schema: Schema) -> Unset:
    """What an object has before anybody wrote to it: empty structs, and null for required lists.

    Nobody comes to own these by creating an object, as in kube-apiserver, where they are the fields
    that Go's zero value of the type shows. An own kind has no such type: all but its metadata is
    its first writer's.
    """
    if schema.name:
        return _zero(schema)
    return {name: {} for name in ("metadata",) if name in schema.properties}


def _zero(schema: Schema) -> Unset:
    found: Unset = {}
    for name, below in schema.properties.items():
        needed = name in schema.required
        if needed and below.type == "array":
            found[name] = None
        elif is_struct(below) and (needed or name in STRUCTS):
            found[name] = _zero(below)
    return found


def is_struct(schema: Schema) -> bool:
    """Whether the values are maps of known fields, each with an owner."""
    return schema.type == "object" and bool(schema.properties) and not schema.atomic


def from_object(value: Mapping[str, Any], schema: Schema) -> FieldSet:
    """The fields that `value` claims when it is applied.

    Named fields that only lead to others are not claimed; items and entries of maps are.
    """
    return _map_node(value, schema, False, False)


def node_of(value: Any, schema: Schema) -> FieldSet:
    """The node for a value that was not there before, with all that is below it."""
    return _node(value, schema, True, True)


def _node(value: Any, schema: Schema, whole: bool, member: bool) -> FieldSet:
    """The node for `value`, `member` if the field itself is in the set.

    `whole`: all nodes on the way are members, as in a comparison with nothing.
    """
    if type(value) is dict:
        return _map_node(value, schema, whole, member)
    if type(value) is list:
        return _list_node(value, schema, whole, member)
    return {}


def _map_node(value: Mapping[str, Any], schema: Schema, whole: bool, member: bool) -> FieldSet:
    if not value or schema.atomic or schema.type not in MAPS:
        return {}
    node: FieldSet = {SELF: {}} if member else {}
    properties = schema.properties
    for name in sorted(value):
        item = value[name]
        kind = type(item)
        if kind is dict or kind is list:
            named = properties.get(name)
            build = _map_node if kind is dict else _list_node
            inner = named or schema.values or ANY
            node["f:" + name] = build(item, inner, whole, whole or named is None)
        else:
            node["f:" + name] = {}
    return node


def _list_node(value: list[Any], schema: Schema, whole: bool, member: bool) -> FieldSet:
    if not value or schema.type != "array" or schema.list_type == "atomic":
        return {}
    node: FieldSet = {SELF: {}} if member else {}
    items = schema.items or ANY
    for item in value:
        key = item_key(item, schema)
        if key is not None:
            # Items that share a key can't be told apart, so they are owned as one.
            node[key] = {} if key in node else _node(item, items, whole, True)
    if len(node) == member:
        return {}
    return ordered(node) if len(value) > 1 else node


def compare(live: Mapping[str, Any], new: Mapping[str, Any], schema: Schema) -> Changes:
    """What became different from `live` to `new`."""
    changes = Changes({}, {})
    _compare_maps(live, new, schema, changes)
    return changes


def _compare_maps(
    live: Mapping[str, Any], new: Mapping[str, Any], schema: Schema, into: Changes
) -> None:
    for name in sorted(new):
        value = new[name]
        if name not in live:
            into.written["f:" + name] = node_of(value, child(schema, name))
        elif (old := live[name]) is not value and not (type(old) is str and old == value):
            _compare("f:" + name, old, value, child(schema, name), into)
    for name in sorted(live.keys() - new.keys()):
        into.removed["f:" + name] = node_of(live[name], child(schema, name))


def _compare(key: str, live: Any, new: Any, schema: Schema, into: Changes) -> None:
    if not isinstance(live, CONTAINERS) and not isinstance(new, CONTAINERS):
        if not same(live, new):
            into.written[key] = {}
        return
    below = Changes({}, {})
    if _both(is_map, live, new, schema):
        _compare_maps(live or {}, new or {}, schema, below)
    elif _both(is_list, live, new, schema):
        _compare_lists(live or [], new or [], schema, below)
    elif not same(live, new):
        _replace(key, live, new, schema, into)
    if below.written:
        into.written[key] = ordered(below.written)
    if below.removed:
        into.removed[key] = ordered(below.removed)


def _both(test: Any, live: Any, new: Any, schema: Schema) -> bool:
    """Whether both pass `test`; null goes with anything, and two empty ones are one leaf."""
    if not live and not new:
        return False
    return (live is None or test(live, schema)) and (new is None or test(new, schema))


def _replace(key: str, live: Any, new: Any, schema: Schema, into: Changes) -> None:
    """One leaf by another, or something by what has a different form."""
    into.written[key] = node_of(new, schema)
    below = _node(live, schema, True, False)
    if below:
        into.removed[key] = below


def _compare_lists(live: list[Any], new: list[Any], schema: Schema, into: Changes) -> None:
    before, after = _by_key(live, schema), _by_key(new, schema)
    items = schema.items or ANY
    for key, values in after.items():
        old = before.get(key)
        if old is None:
            into.written[key] = _item_fields(values, items)
        elif len(old) == len(values) == 1:
            _compare(key, old[0], values[0], items, into)
        elif not same(old, values):
            into.written[key] = _item_fields(values, items)
            into.removed[key] = _item_fields(old, items)
    for key, values in before.items():
        if key not in after:
            into.removed[key] = _item_fields(values, items)


def _by_key(items: list[Any], schema: Schema) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        key = item_key(item, schema)
        if key is not None:
            found.setdefault(key, []).append(item)
    return found


def _item_fields(values: list[Any], items: Schema) -> FieldSet:
    return {} if len(values) > 1 else node_of(values[0], items)
