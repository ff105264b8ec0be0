"""Sets of fields, kept in the very form that `fieldsV1` has on the wire.

A set is a trie of nested dictionaries. A key is one step of a path: `f:<name>` into a map,
`k:<json of the key fields>` into a list of maps, `v:<json of the value>` into a set. A node is a
member of the set if it is empty or holds the step `.`; a node that has other steps only leads to
members. So an empty node below the root always means "this field", and no operation here may leave
one behind by accident. Steps always stand in the order in which `fieldsV1` lists them. The
operations never change their arguments and may share nodes with them.

The format is described in KEP-555. `shape` builds sets from objects.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

FieldSet: TypeAlias = dict[str, "FieldSet"]

SELF = "."


def step(prefix: str, value: object) -> str:
    """The step into a list's item: `prefix` is `k` for key fields, `v` for a value."""
    return f"{prefix}:{msgspec.json.encode(value).decode()}"


def is_member(node: FieldSet) -> bool:
    """Whether the field at which `node` stands is itself in the set."""
    return not node or SELF in node


def _node(member: bool, children: FieldSet) -> FieldSet | None:
    if not member:
        return children or None
    return {SELF: {}, **children} if children else {}


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """The fields of either."""
    merged = dict(left)
    for key, node in right.items():
        mine = merged.get(key)
        merged[key] = node if mine is None else _union_nodes(mine, node)
    return merged if len(merged) == len(left) else ordered(merged)


def _union_nodes(left: FieldSet, right: FieldSet) -> FieldSet:
    if left and right:
        return union(left, right)
    rest = left or right
    return {SELF: {}, **rest} if rest else {}


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """The fields of `left` that are not in `right`; a parent's loss is not its children's."""
    kept: FieldSet = {}
    for key, node in left.items():
        other = right.get(key)
        if key == SELF:
            continue
        rest = node if other is None else _difference_nodes(node, other)
        if rest is not None:
            kept[key] = rest
    return kept


def _difference_nodes(left: FieldSet, right: FieldSet) -> FieldSet | None:
    return _node(is_member(left) and not is_member(right), difference(left, right))


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """The fields of both."""
    shared: FieldSet = {}
    for key, node in left.items():
        other = right.get(key)
        if other is None or key == SELF:
            continue
        member = is_member(node) and is_member(other)
        rest = _node(member, intersection(node, other))
        if rest is not None:
            shared[key] = rest
    return shared


def exclude(fields: FieldSet, cut: FieldSet) -> FieldSet:
    """The fields that are neither in `cut` nor below one that is."""
    kept: FieldSet = {}
    for key, node in fields.items():
        other = cut.get(key)
        if key == SELF or (other is not None and is_member(other)):
            continue
        rest = node if other is None else _node(is_member(node), exclude(node, other))
        if rest is not None:
            kept[key] = rest
    return kept


def has(fields: FieldSet, path: Iterable[str]) -> bool:
    """Whether the field at `path`, given as steps, is in the set."""
    node = fields
    for key in path:
        found = node.get(key)
        if found is None:
            return False
        node = found
    return node is not fields and is_member(node)


def from_names(paths: Iterable[str]) -> FieldSet:
    """The set of the fields at dotted `paths` of plain names, such as `metadata.labels`."""
    fields: FieldSet = {}
    for path in paths:
        single: FieldSet = {}
        for name in reversed(path.split(".")):
            single = {f"f:{name}": single}
        fields = union(fields, single)
    return fields


def paths(fields: FieldSet, prefix: str = "") -> Iterator[str]:
    """The members as people read them, `.spec.containers[name="web"].image`; parents first."""
    steps = [key for key in fields if key != SELF]
    for key in steps:
        if is_member(fields[key]):
            yield prefix + readable(key)
    for key in steps:
        yield from paths(fields[key], prefix + readable(key))


def readable(key: str) -> str:
    """One step as people read it."""
    kind, rest = key[0], key[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    pairs = msgspec.json.decode(rest).items()
    return f"[{','.join(f'{name}={msgspec.json.encode(item).decode()}' for name, item in pairs)}]"


def ordered(node: FieldSet) -> FieldSet:
    """`node` with its steps in the order in which `fieldsV1` lists them."""
    keys = sorted(node)
    # Field names sort as text; keys and values by what they say, so that port 80 precedes 443.
    if len(keys) > 1 and keys[-2][0] in "kv":
        keys.sort(key=_order)
    return {key: node[key] for key in keys}


def _order(key: str) -> tuple[str, Any]:
    if key == SELF:
        return "", ()
    kind, rest = key[0], key[2:]
    if kind == "f":
        return "f", rest
    value = msgspec.json.decode(rest)
    if kind == "k":
        return "k", tuple((name, *_rank(item)) for name, item in value.items())
    return "v", _rank(value)


def _rank(value: object) -> tuple[int, Any]:
    # Values of several types stand in one set only by a writer's mistake; still they need an order.
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    return 3, msgspec.json.encode(value)


def parse(raw: object) -> FieldSet:
    """A set that came from outside, with its steps in our spelling. Raises ValueError."""
    if not isinstance(raw, dict):
        raise ValueError("fields must be an object")
    fields: FieldSet = {}
    for key, node in raw.items():
        canonical = _parse_step(key)
        if canonical:
            fields[canonical] = parse(node)
    return {} if fields.keys() == {SELF} else ordered(fields)


def _parse_step(key: str) -> str:
    """The step in our spelling; empty for a kind of step that a later version may know."""
    kind, colon, rest = key.partition(":")
    if key == SELF or (kind == "f" and colon):
        return key
    if kind not in ("k", "v") or not colon:
        return ""
    value = msgspec.json.decode(rest)
    if kind == "v":
        return step("v", value)
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{key!r} is not a list key")
    return step("k", dict(sorted(value.items())))
