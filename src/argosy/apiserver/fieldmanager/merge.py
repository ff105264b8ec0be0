"""Laying an applied configuration over an object, and taking away what was applied before.

Results share what is unchanged with their arguments, which are never changed. `shape` says what is
granular; `check` has seen to it that the configuration has the form of its schema.
"""

from collections.abc import Mapping
from typing import Any

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.fieldset import FieldSet, is_member
from argosy.apiserver.fieldmanager.shape import (
    ANY,
    CONTAINERS,
    child,
    is_list,
    is_map,
    item_key,
    same,
)

SCALARS = (str, int, bool, float)


def merge(live: Any, patch: Any, schema: Schema) -> Any:
    """`live` with every field that `patch` has set to its value; `live` itself if that is all so.

    Parts that stay are handed over as they are, so that a comparison sees at once what is equal.
    """
    if type(live) is dict and is_map(patch, schema):
        return _merge_maps(live, patch, schema)
    if type(live) is list and is_list(patch, schema):
        return _merge_lists(live, patch, schema)
    return live if same(live, patch) else patch


def _merge_maps(live: dict[str, Any], patch: dict[str, Any], schema: Schema) -> dict[str, Any]:
    merged = live
    properties = schema.properties
    for name, value in patch.items():
        new = value
        if name in live:
            old = live[name]
            if type(value) in CONTAINERS:
                new = merge(old, value, properties.get(name) or schema.values or ANY)
            if new is old or (new == old and type(new) in SCALARS and type(new) is type(old)):
                continue
        if merged is live:
            merged = dict(live)
        merged[name] = new
    return merged


def _merge_lists(live: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    """Items in the order of `patch`, with those that only `live` has kept before what followed."""
    keys = [item_key(item, schema) for item in live]
    wanted = [item_key(item, schema) for item in patch]
    if keys == wanted and None not in keys and len(set(keys)) == len(keys):
        return _merge_pairs(live, patch, schema)
    merged: list[Any] = []
    added: list[Any] = []
    taken = 0
    only_live = set(keys).difference(wanted)
    positions = _positions(keys)
    for key, item in zip(wanted, patch, strict=True):
        found = positions.get(key)
        if found is None:
            added.append(item)
            continue
        merged += [live[at] for at in range(taken, found[0]) if keys[at] in only_live] + added
        added.clear()
        taken = max(taken, found[0] + 1)
        # An item that is there twice has no one value to merge with.
        single = len(found) == 1
        merged.append(merge(live[found[0]], item, schema.items or ANY) if single else item)
    rest = [live[at] for at in range(taken, len(live)) if keys[at] in only_live]
    return merged + rest + added


def _positions(keys: list[str | None]) -> dict[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(position)
    return found


def _merge_pairs(live: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    items = schema.items or ANY
    merged = [merge(old, new, items) for old, new in zip(live, patch, strict=True)]
    unchanged = all(new is old for old, new in zip(live, merged, strict=True))
    return live if unchanged else merged


def prune(value: Any, last: FieldSet, kept: FieldSet, schema: Schema) -> Any:
    """`value` without the fields of `last` that are not in `kept`.

    A named field counts as in a set if something below it is, so that a structure goes with the
    last field that was applied to it, and stays while anyone holds a field of it.
    """
    if is_map(value, schema):
        return _prune_map(value, last, kept, schema)
    if is_list(value, schema):
        return _prune_list(value, last, kept, schema)
    return value


def _prune_map(
    value: Mapping[str, Any], last: FieldSet, kept: FieldSet, schema: Schema
) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    for name, item in value.items():
        key, inner = "f:" + name, child(schema, name)
        named = name in schema.properties
        gone, held = last.get(key), kept.get(key)
        if gone is None:
            rest[name] = item
        elif not _claims(gone, named) or _claims(held, named):
            left = prune(item, gone, held or {}, inner)
            if left or not item or (held is not None and is_member(held)):
                rest[name] = left
    return rest


def _prune_list(value: list[Any], last: FieldSet, kept: FieldSet, schema: Schema) -> list[Any]:
    rest: list[Any] = []
    items = schema.items or ANY
    for item in value:
        key = item_key(item, schema) or ""
        gone, held = last.get(key), kept.get(key)
        if gone is None:
            rest.append(item)
        elif not _claims(gone, False) or _claims(held, False):
            rest.append(prune(item, gone, held or {}, items))
    return rest


def _claims(node: FieldSet | None, named: bool) -> bool:
    return node is not None and (named or is_member(node))
