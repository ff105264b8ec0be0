"""Managed fields of an object that has just begun, straight from its keys.

At creation everything is the writer's, so there is nothing to compare: a schema is turned into
functions that write the JSON of the field set as they walk the object, in half the time of building
the set and encoding it. What they write is what comparing with nothing finds.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.entries import UNOWNED
from argosy.apiserver.fieldmanager.fieldset import ordered, step
from argosy.apiserver.fieldmanager.shape import ANY, Unset, item_key, node_of, unset
from argosy.base.memo import remembered

Writer = Callable[[Any], str]
"""The JSON of the node for a value; empty where there is nothing to own."""

Step = tuple[str, str, Writer | None]
"""Text; and where a writer adds to it, the entry's name and the writer."""

Json = dict[str, Any]
TYPE = ("apiVersion", "kind")
MEMBER = '".":{}'
LEAF = "{}"
PLANS = 64
"""So many sets of names are remembered of each map, the latest."""
LONGEST = 512
"""Characters of a set of names up to which it is remembered: users call labels what they like."""
SHORT = 64
"""Characters of a list item's key up to which its text is remembered."""


def first_fields(schema: Schema) -> Writer:
    """Writes the fields of a new object that has nothing but what its writer can own."""
    return _Compiler().struct(schema, unset(schema), member=False)


class _Compiler:
    """One compilation: schemas that were met already, perhaps inside of themselves, are shared."""

    def __init__(self) -> None:
        self._known: dict[int, list[Writer]] = {}

    def node(self, schema: Schema) -> Writer | None:
        """The writer for a member; None for what is always a leaf."""
        if schema.type == "any":
            return lambda value: _text(node_of(value, schema))
        if schema.type == "object" and not schema.atomic:
            return self._shared(schema, lambda: self.struct(schema, {}, member=True))
        if schema.type == "array" and schema.list_type != "atomic":
            return self._shared(schema, lambda: self._list(schema, member=True))
        return None

    def _shared(self, schema: Schema, make: Callable[[], Writer]) -> Writer:
        known = self._known.get(id(schema))
        if known is None:
            known = self._known[id(schema)] = []
            known.append(make())
            return known[0]
        # Either made already, or in the making: then it is looked up when it is called.
        return known[0] if known else lambda value: known[0](value)

    def struct(self, schema: Schema, begun: Unset, *, member: bool) -> Writer:
        """The writer for a map. `begun` are the entries that are there from the beginning."""
        leaves: dict[str, str] = {}
        nodes: dict[str, tuple[str, Writer]] = {}
        for name, below in schema.properties.items():
            text = f"{_text('f:' + name)}:"
            writer = self._begun(below, begun[name]) if name in begun else self.node(below)
            if name == "spec" and writer is not None:
                writer = remembered(writer)
            if writer is None:
                leaves[name] = text + LEAF
            else:
                nodes[name] = (text, writer)
        entries = _Entries(leaves, nodes, self.node(schema.values or ANY))
        return _map_writer(entries, member=member)

    def _begun(self, schema: Schema, begun: Unset | None) -> Writer | None:
        if begun is not None:
            return self.struct(schema, begun, member=False)
        return None if schema.list_type == "atomic" else self._list(schema, member=False)

    def _list(self, schema: Schema, *, member: bool) -> Writer:
        write = (schema.items and self.node(schema.items)) or (lambda item: LEAF)
        single = schema.list_keys[0] if len(schema.list_keys) == 1 else ""

        def fields(value: Any) -> str:
            if not value or type(value) is not list:
                return LEAF
            found: dict[str, str] = {}
            for item in value:
                key = _key(item, single) or item_key(item, schema)
                if key is not None:
                    # Items that share a key can't be told apart, so they are owned as one.
                    found[key] = LEAF if key in found else write(item)
            if not found:
                return LEAF if member else ""
            keys: Iterable[str] = found if len(found) == 1 else ordered(dict.fromkeys(found, {}))
            parts = [MEMBER] * member + [f"{_key_text(key)}:{found[key]}" for key in keys]
            return "{" + ",".join(parts) + "}"

        return fields


@dataclass(frozen=True, slots=True)
class _Entries:
    """How a map's entries are written: leaves as text, nodes by a writer, others by `other`."""

    leaves: Mapping[str, str]
    nodes: Mapping[str, tuple[str, Writer]]
    other: Writer | None

    def plan(self, names: Iterable[str], steps: list[Step]) -> list[Step]:
        """`steps`, and those for entries of these names; leaves that stand together are one."""
        leaves = [steps.pop()[0]] if steps and steps[-1][2] is None else []
        for name in sorted(names):
            text, writer = self._step(name)
            if writer is None:
                leaves.append(text)
                continue
            if leaves:
                steps.append((",".join(leaves), "", None))
                leaves = []
            steps.append((text, name, writer))
        return [*steps, (",".join(leaves), "", None)] if leaves else steps

    def _step(self, name: str) -> tuple[str, Writer | None]:
        if name in self.nodes:
            return self.nodes[name]
        if name in self.leaves:
            return self.leaves[name], None
        text = f"{_text('f:' + name)}:"
        return (text + LEAF, None) if self.other is None else (text, self.other)


def _map_writer(entries: _Entries, *, member: bool) -> Writer:
    start: list[Step] = [(MEMBER, "", None)] if member else []
    plans: dict[tuple[str, ...], list[Step]] = {}

    def planned(names: tuple[str, ...]) -> list[Step]:
        plan = entries.plan(names, start.copy())
        if sum(map(len, names)) <= LONGEST:
            plans[names] = plan
            if len(plans) > PLANS:
                del plans[next(iter(plans))]
        return plan

    def fields(value: Any) -> str:
        if not value or type(value) is not dict:
            return LEAF if member or value else ""
        names = tuple(value)
        parts = []
        for text, name, writer in plans.get(names) or planned(names):
            if writer is None:
                parts.append(text)
            elif below := writer(value[name]):
                parts.append(text + below)
        return "{" + ",".join(parts) + "}" if parts else ""

    return fields


def begun(
    new: Json, write: Writer, *, manager: str, api_version: str, time: str, strip: Iterable[str]
) -> Json:
    """`new` with its first managed fields, as they are stored."""
    meta = new["metadata"]
    owned = {name: item for name, item in new.items() if name not in TYPE and name not in strip}
    owned["metadata"] = {name: item for name, item in meta.items() if name not in UNOWNED}
    fields = write(owned)
    if not fields:
        return new
    entry = (
        f'[{{"manager":{_text(manager or "unknown")},"operation":"Update",'
        f'"apiVersion":"{api_version}","time":"{time}",'
        f'"fieldsType":"FieldsV1","fieldsV1":{fields}}}]'
    )
    return {**new, "metadata": {**meta, "managedFields": msgspec.Raw(entry.encode())}}


def _key(item: Any, single: str) -> str | None:
    """The step to an item whose one key is a short text; None where it has to be thought about."""
    value = item.get(single) if single and type(item) is dict else None
    return _short_key(single, value) if type(value) is str and len(value) <= SHORT else None


@lru_cache(1024)
def _short_key(name: str, value: str) -> str:
    return step("k", {name: value})


def _key_text(key: str) -> str:
    return _short_text(key) if len(key) <= 2 * SHORT else _text(key)


@lru_cache(1024)
def _short_text(key: str) -> str:
    return _text(key)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
