"""OpenAPI v2 as protobuf: the message `openapi.v2.Document`, piece by piece.

Field numbers are those of gnostic's `OpenAPIv2.proto`, which client-go decodes. Values of any
shape, such as extensions', travel as YAML text; JSON is YAML.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from argosy.api.protobuf.wire import (
    BYTES,
    FIXED64,
    VARINT,
    ProtobufError,
    tag_of,
    write_bytes,
    write_varint,
)

Node = Mapping[str, Any]
Write = Callable[[bytearray, int, Any], None]
Fields = Mapping[str, tuple[int, Write]]


def info(title: str, version: str) -> bytes:
    """The beginning of a document."""
    out = bytearray()
    _text(out, 1, "2.0")
    about = bytearray()
    _text(about, 1, title)
    _text(about, 2, version)
    _bytes(out, 2, about)
    return bytes(out)


def named_path(path: str, node: Node) -> bytes:
    """One path, as a field of `Paths`."""
    return _named(2, path, _message(_PATH_ITEM, 10, node))


def named_definition(name: str, node: Node) -> bytes:
    """One schema, as a field of `Definitions`."""
    return _named(1, name, _schema_bytes(node))


def sections(paths: Iterable[bytes], definitions: Iterable[bytes]) -> bytes:
    """The rest of a document: all its paths and schemas."""
    out = bytearray()
    _bytes(out, 8, b"".join(paths))
    _bytes(out, 9, b"".join(definitions))
    return bytes(out)


def _bytes(out: bytearray, number: int, value: bytes | bytearray) -> None:
    write_bytes(out, tag_of(number, BYTES), value)


def _text(out: bytearray, number: int, value: str) -> None:
    _bytes(out, number, value.encode())


def _texts(out: bytearray, number: int, values: Iterable[str]) -> None:
    for value in values:
        _text(out, number, value)


def _whole(out: bytearray, number: int, value: int) -> None:
    """A boolean, or a number that is not negative."""
    out += tag_of(number, VARINT)
    write_varint(out, int(value))


def _double(out: bytearray, number: int, value: float) -> None:
    out += tag_of(number, FIXED64)
    out += struct.pack("<d", value)


def _any_bytes(value: Any) -> bytes:
    out = bytearray()
    _bytes(out, 2, msgspec.json.encode(value))
    return bytes(out)


def _anys(out: bytearray, number: int, values: Iterable[Any]) -> None:
    for value in values:
        _bytes(out, number, _any_bytes(value))


def _named(number: int, name: str, value: bytes) -> bytes:
    """An entry of a map, as a field of its own."""
    entry, out = bytearray(), bytearray()
    _text(entry, 1, name)
    _bytes(entry, 2, value)
    _bytes(out, number, entry)
    return bytes(out)


def _message(fields: Fields, extensions: int, node: Node) -> bytes:
    """A message; what begins with `x-` goes into the field `extensions`. Raises ProtobufError."""
    out = bytearray()
    for key, value in node.items():
        if key in fields:
            number, write = fields[key]
            write(out, number, value)
        elif key.startswith("x-"):
            out += _named(extensions, key, _any_bytes(value))
        else:
            raise ProtobufError(f"OpenAPI v2 has no field {key} here")
    return bytes(out)


def _schema_bytes(node: Node) -> bytes:
    return _message(_SCHEMA, 31, node)


def _schema(out: bytearray, number: int, node: Node) -> None:
    _bytes(out, number, _schema_bytes(node))


def _within(inner: Write, field: int = 1) -> Write:
    """Writes a message whose only field is `inner`."""

    def write(out: bytearray, number: int, value: Any) -> None:
        message = bytearray()
        inner(message, field, value)
        _bytes(out, number, message)

    return write


def _values(out: bytearray, number: int, node: Any) -> None:
    """`additionalProperties`: a schema, or whether there may be any."""
    write = _within(_whole, 2) if isinstance(node, bool) else _within(_schema)
    write(out, number, node)


def _properties(out: bytearray, number: int, nodes: Node) -> None:
    entries = [_named(1, name, _schema_bytes(node)) for name, node in nodes.items()]
    _bytes(out, number, b"".join(entries))


def _parameters(out: bytearray, number: int, nodes: Iterable[Node]) -> None:
    for node in nodes:
        if node["in"] == "body":
            parameter = _tucked(1, _message(_BODY, 6, node))
        elif node["in"] == "query":
            parameter = _tucked(2, _tucked(3, _message(_QUERY, 23, node)))
        else:
            parameter = _tucked(2, _tucked(4, _message(_PATH, 22, node)))
        _bytes(out, number, _tucked(1, parameter))


def _tucked(number: int, message: bytes) -> bytes:
    """A message with this one as its only field."""
    out = bytearray()
    _bytes(out, number, message)
    return bytes(out)


def _responses(out: bytearray, number: int, nodes: Mapping[str, Node]) -> None:
    entries = [
        _named(1, code, _tucked(1, _message(_RESPONSE, 5, node))) for code, node in nodes.items()
    ]
    _bytes(out, number, b"".join(entries))


def _operation(out: bytearray, number: int, node: Node) -> None:
    _bytes(out, number, _message(_OPERATION, 13, node))


_SCHEMA: Fields = {
    "$ref": (1, _text),
    "format": (2, _text),
    "title": (3, _text),
    "description": (4, _text),
    "multipleOf": (6, _double),
    "maximum": (7, _double),
    "exclusiveMaximum": (8, _whole),
    "minimum": (9, _double),
    "exclusiveMinimum": (10, _whole),
    "maxLength": (11, _whole),
    "minLength": (12, _whole),
    "pattern": (13, _text),
    "maxItems": (14, _whole),
    "minItems": (15, _whole),
    "uniqueItems": (16, _whole),
    "maxProperties": (17, _whole),
    "minProperties": (18, _whole),
    "required": (19, _texts),
    "enum": (20, _anys),
    "additionalProperties": (21, _values),
    "type": (22, _within(_text)),
    "items": (23, _within(_schema)),
    "properties": (25, _properties),
}
_OPERATION: Fields = {
    "tags": (1, _texts),
    "description": (3, _text),
    "operationId": (5, _text),
    "produces": (6, _texts),
    "consumes": (7, _texts),
    "parameters": (8, _parameters),
    "responses": (9, _responses),
    "schemes": (10, _texts),
}
_PATH_ITEM: Fields = {
    "get": (2, _operation),
    "put": (3, _operation),
    "post": (4, _operation),
    "delete": (5, _operation),
    "options": (6, _operation),
    "head": (7, _operation),
    "patch": (8, _operation),
    "parameters": (9, _parameters),
}
_BODY: Fields = {
    "description": (1, _text),
    "name": (2, _text),
    "in": (3, _text),
    "required": (4, _whole),
    "schema": (5, _schema),
}
_PLACED: Fields = {
    "required": (1, _whole),
    "in": (2, _text),
    "description": (3, _text),
    "name": (4, _text),
}
_QUERY: Fields = {**_PLACED, "type": (6, _text), "format": (7, _text), "uniqueItems": (20, _whole)}
_PATH: Fields = {**_PLACED, "type": (5, _text), "format": (6, _text), "uniqueItems": (19, _whole)}
_RESPONSE: Fields = {"description": (1, _text), "schema": (2, _within(_schema))}
