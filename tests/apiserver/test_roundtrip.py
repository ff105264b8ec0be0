"""Nothing of any kind gets lost: objects with every field there is, through each form of the wire.

The objects are made from the served minor's own definitions, so that a field that a newer minor
brings is in them from the first day. What repeats inside of itself is followed a few levels down.
"""

import base64
import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
import pytest

from argosy.api import builtin
from argosy.api.builtin import Builtins
from argosy.api.fits import compiled
from argosy.api.protobuf.codec import Codec, load
from argosy.api.schema import Schema
from argosy.api.structural import check, prune, unknown_fields

MINOR = "1.37"
REPEATED = 2  # times that a definition may stand within itself
VARIANTS: Mapping[str, Any] = {
    "JSONSchemaPropsOrArray": [{"type": "string"}],
    "JSONSchemaPropsOrBool": True,
    "JSONSchemaPropsOrStringArray": ["a"],
}
"""What may be one of two things, which the definitions don't tell."""
TYPE = ("apiVersion", "kind")
TYPED = ("APIGroup", "DeleteOptions")
"""Kinds without metadata. Within another object no kind tells what it is."""
UNNUMBERED = frozenset({"compatibilityGroups", "derivedAttributes", "runningInUserNamespace"})
"""Fields of closed gates whose numbers on the wire the table of protobuf lacks."""

Json = dict[str, Any]


@cache
def definitions() -> Builtins:
    return builtin.load(MINOR)


@cache
def codec() -> Codec:
    return load()


def kinds() -> Iterator[tuple[str, str]]:
    """apiVersion and kind of all that has both a definition and a protobuf form."""
    for name in definitions()._archive.kinds:
        group, version, kind = name.split("/")
        api_version = f"{group}/{version}" if group else version
        if codec().knows(api_version, kind):
            yield api_version, kind


KINDS = sorted(kinds())


class Filler:
    """Fills every field with a value of its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._inside: dict[str, int] = {}

    def value(self, schema: Schema) -> Any:
        """A value for `schema`; None where it stands too often within itself."""
        number = next(self._numbers)
        match schema.type:
            case "object":
                return self._object(schema)
            case "array":
                assert schema.items is not None
                item = self.value(schema.items)
                return None if item is None else [item]
            case "string":
                return _string(schema, number)
            case "boolean":
                return True
            case "number":
                return number + 0.5
            case "quantity":
                return f"{number}m"
            case "any":
                return VARIANTS.get(schema.name.rpartition(".")[2], {f"any{number}": number})
        return number

    def _object(self, schema: Schema) -> Json | None:
        if schema.unknown:
            return {f"f:any{next(self._numbers)}": {}}
        if schema.values is not None:
            value = self.value(schema.values)
            return None if value is None else {f"key{next(self._numbers)}": value}
        depth = self._inside.get(schema.name, 0)
        if depth == REPEATED:
            return None
        self._inside[schema.name] = depth + 1
        filled = {name: self.value(child) for name, child in schema.properties.items()}
        self._inside[schema.name] = depth
        unset = TYPE if "metadata" in filled or schema.name.endswith(TYPED) else ()
        return {
            name: value for name, value in filled.items() if value is not None and name not in unset
        }


def _string(schema: Schema, number: int) -> str:
    if schema.format == "byte":
        return base64.b64encode(f"bytes {number}".encode()).decode()
    if schema.format != "date-time":
        return f"text {number}"
    micro = ".000001" if schema.name.endswith("MicroTime") else ""
    return f"2026-01-01T00:00:{number % 60:02d}{micro}Z"


def filled(api_version: str, kind: str) -> tuple[Schema, Json]:
    """A kind's schema, and an object of that kind in which everything is set."""
    group, _, version = api_version.rpartition("/")
    schema = definitions()(definitions().name_of(group, version, kind))
    return schema, {**Filler().value(schema), "apiVersion": api_version, "kind": kind}


def numbered(value: Any) -> Any:
    """What the table of protobuf can say of a value."""
    if isinstance(value, list):
        return [numbered(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: numbered(item) for name, item in value.items() if name not in UNNUMBERED}


def test_there_are_kinds() -> None:
    assert len(KINDS) > 150


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_no_form_loses_a_field(api_version: str, kind: str) -> None:
    schema, obj = filled(api_version, kind)
    assert msgspec.json.decode(msgspec.json.encode(obj)) == obj
    unknown: list[str] = []
    raw = codec().encode_object(obj)
    back = codec().decode_object(raw, unknown=unknown)
    assert back == numbered(obj)
    assert unknown == []
    assert codec().encode_object(back) == raw


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_a_whole_object_has_the_shape_of_its_kind(api_version: str, kind: str) -> None:
    schema, obj = filled(api_version, kind)
    assert check(schema, obj) == []
    assert unknown_fields(schema, obj) == []
    assert prune(schema, obj) == obj
    assert compiled(schema)(obj)
