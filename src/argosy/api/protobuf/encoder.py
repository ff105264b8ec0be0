"""From JSON's form to bytes, by one function for each message, made when it is first met.

Fields come by rising numbers and maps by sorted keys, as Go's encoders write them. What is absent
or null is not written; keys that the message doesn't know are passed over.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from argosy.api.protobuf.scalars import SCALARS, Write, wrong
from argosy.api.protobuf.special import SPECIAL
from argosy.api.protobuf.table import Field, Table
from argosy.api.protobuf.wire import BYTES, ProtobufError, tag_of, write_bytes, write_varint

Encode = Callable[[bytearray, Any, int], None]
"""Appends a message's fields; the integer tells how many levels may still follow."""

_EMPTY = object()  # a null in a list or a map of messages, and so one without fields
_REMEMBERED, _SHORT = 1024, 48  # values of times and quantities, and up to which length


class Encoders(dict[str, Encode]):
    """The function of each message. Raises KeyError for an unknown message."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self._simple: dict[str, Callable[[Any], bytes]] = {}

    def __missing__(self, message: str) -> Encode:
        encode = self[message] = _encode(self._table.fields(message), self)
        return encode

    def simple(self, message: str) -> Callable[[Any], bytes] | None:
        """For a message that is no dict and no list in JSON: what gives its bytes."""
        special = SPECIAL.get(message)
        if special is None or not special.simple:
            return None
        if message not in self._simple:
            self._simple[message] = _remembering(self[message], special.from_json)
        return self._simple[message]


def _encode(fields: tuple[Field, ...], encoders: Encoders) -> Encode:
    plan = tuple((field.name, _put(field, encoders)) for field in fields)
    inline = frozenset(field.name for field in fields if field.shape == "inline")

    def encode(out: bytearray, obj: Any, depth: int) -> None:
        if not isinstance(obj, dict):
            raise wrong("an object", obj)
        get = obj.get
        for name, put in plan:
            if (value := get(name)) is not None:
                put(out, value, depth)

    def encode_with_inline(out: bytearray, obj: Any, depth: int) -> None:
        if not isinstance(obj, dict):
            raise wrong("an object", obj)
        for name, put in plan:
            if (value := obj if name in inline else obj.get(name)) is not None:
                put(out, value, depth)

    return encode_with_inline if inline else encode


def _put(field: Field, encoders: Encoders) -> Write:
    scalar = SCALARS.get(field.type)
    wire, zero = (BYTES, _EMPTY) if scalar is None else (scalar.wire, scalar.zero)
    if field.shape == "map":
        value = _one(field.type, tag_of(2, wire), encoders)
        return _map(tag_of(field.number, BYTES), value, zero)
    put = _one(field.type, tag_of(field.number, wire), encoders)
    return _list(put, zero) if field.shape == "list" else put


def _one(kind: str, tag: bytes, encoders: Encoders) -> Write:
    if scalar := SCALARS.get(kind):
        return scalar.writer(tag)
    content = encoders.simple(kind)
    return _message(kind, tag, encoders) if content is None else _put_content(tag, content)


def _message(message: str, tag: bytes, encoders: Encoders) -> Write:
    from_json = special.from_json if (special := SPECIAL.get(message)) else None

    def put(out: bytearray, value: Any, depth: int) -> None:
        if depth <= 0:
            raise ProtobufError("the object is nested too deeply")
        inner = bytearray()
        if value is not _EMPTY:
            fields = value if from_json is None else from_json(value)
            encoders[message](inner, fields, depth - 1)
        out += tag
        if (size := len(inner)) < 0x80:
            out.append(size)
        else:
            write_varint(out, size)
        out += inner

    return put


def _remembering(
    encode: Encode, from_json: Callable[[Any], dict[str, Any]]
) -> Callable[[Any], bytes]:
    def content(value: Any) -> bytes:
        if value is _EMPTY:
            return b""
        out = bytearray()
        encode(out, from_json(value), 0)
        return bytes(out)

    remembered = lru_cache(maxsize=_REMEMBERED)(content)

    def short(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= _SHORT

    return lambda value: remembered(value) if short(value) else content(value)


def _put_content(tag: bytes, content: Callable[[Any], bytes]) -> Write:
    return lambda out, value, depth: write_bytes(out, tag, content(value))


def _list(put: Write, zero: Any) -> Write:
    def put_all(out: bytearray, value: Any, depth: int) -> None:
        if not isinstance(value, list):
            raise wrong("a list", value)
        for item in value:
            put(out, zero if item is None else item, depth)

    return put_all


def _map(tag: bytes, put_value: Write, zero: Any) -> Write:
    """An entry of a map is a message of its key, 1, and its value, 2."""
    put_key = SCALARS["string"].writer(tag_of(1, BYTES))

    def put(out: bytearray, value: Any, depth: int) -> None:
        if not isinstance(value, dict):
            raise wrong("a map", value)
        for key in sorted(value):
            entry = bytearray()
            put_key(entry, key, depth)
            item = value[key]
            put_value(entry, zero if item is None else item, depth)
            write_bytes(out, tag, entry)

    return put
