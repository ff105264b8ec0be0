"""Tests of OpenAPI v2 as protobuf, read back by field numbers that were copied by hand."""

import json
import struct
from typing import Any

import pytest

from argosy.api import openapi_protobuf
from argosy.api.protobuf.wire import ProtobufError, read_field

Fields = dict[int, list[Any]]


def fields(message: bytes) -> Fields:
    """The values of a message by field number."""
    found: Fields = {}
    position = 0
    while position < len(message):
        tag, value, position = read_field(message, position)
        found.setdefault(tag >> 3, []).append(value)
    return found


def one(message: bytes, *path: int) -> Any:
    """What stands at the end of a path of field numbers that occur once."""
    value: Any = message
    for number in path:
        (value,) = fields(value)[number]
    return value


def extensions(message: bytes, number: int) -> dict[str, Any]:
    """The extensions of a message, by name."""
    entries = (fields(entry) for entry in fields(message).get(number, ()))
    return {entry[1][0].decode(): json.loads(one(entry[2][0], 2)) for entry in entries}


def schema(node: dict[str, Any]) -> bytes:
    entry = fields(one(openapi_protobuf.named_definition("a.B", node), 1))
    assert entry[1] == [b"a.B"]
    found: bytes = entry[2][0]
    return found


def test_a_schema() -> None:
    message = schema(
        {
            "description": "It.",
            "type": "object",
            "required": ["b", "a"],
            "properties": {
                "a": {"$ref": "#/definitions/c.D"},
                "b": {"type": "array", "items": {"type": "string", "format": "byte"}},
                "c": {"type": "object", "additionalProperties": {"type": "integer"}},
                "d": {"type": "object", "additionalProperties": False},
                "e": {"type": "number", "minimum": 0.5, "maxLength": 300, "enum": ["x", 1]},
            },
            "x-kubernetes-group-version-kind": [{"group": "", "kind": "B", "version": "v1"}],
        }
    )
    assert one(message, 4) == b"It."
    assert one(message, 22, 1) == b"object"
    assert fields(message)[19] == [b"b", b"a"]
    kind = [{"group": "", "kind": "B", "version": "v1"}]
    assert extensions(message, 31) == {"x-kubernetes-group-version-kind": kind}
    entries = [fields(entry) for entry in fields(one(message, 25))[1]]
    inner = {entry[1][0].decode(): entry[2][0] for entry in entries}
    assert one(inner["a"], 1) == b"#/definitions/c.D"
    assert one(inner["b"], 23, 1, 2) == b"byte"
    assert one(inner["c"], 21, 1, 22, 1) == b"integer"
    assert one(inner["d"], 21, 2) == 0
    assert struct.unpack("<d", one(inner["e"], 9)) == (0.5,)
    assert one(inner["e"], 11) == 300
    assert [json.loads(one(value, 2)) for value in fields(inner["e"])[20]] == ["x", 1]


def test_a_path() -> None:
    name = {"name": "name", "in": "path", "required": True, "type": "string", "uniqueItems": True}
    force = {"name": "force", "in": "query", "type": "boolean", "uniqueItems": True}
    sent = {"name": "body", "in": "body", "required": True, "schema": {"type": "object"}}
    operation = {
        "description": "does",
        "operationId": "patchIt",
        "tags": ["core_v1"],
        "consumes": ["a/b"],
        "produces": ["c/d", "e/f"],
        "schemes": ["https"],
        "parameters": [force, sent],
        "responses": {"200": {"description": "OK", "schema": {"$ref": "#/definitions/a.B"}}},
        "x-kubernetes-action": "patch",
    }
    path = openapi_protobuf.named_path("/a", {"parameters": [name], "patch": operation})
    entry = fields(one(path, 2))
    assert entry[1] == [b"/a"]
    item = entry[2][0]
    placed = one(item, 9, 1, 2, 4)
    assert (one(placed, 4), one(placed, 2), one(placed, 5)) == (b"name", b"path", b"string")
    assert (one(placed, 1), one(placed, 19)) == (1, 1)
    patch = one(item, 8)
    assert (one(patch, 5), one(patch, 3), one(patch, 1)) == (b"patchIt", b"does", b"core_v1")
    assert (fields(patch)[6], one(patch, 7), one(patch, 10)) == ([b"c/d", b"e/f"], b"a/b", b"https")
    asked, body = (one(value, 1) for value in fields(patch)[8])
    query = one(asked, 2, 3)
    assert (one(query, 4), one(query, 2), one(query, 6)) == (b"force", b"query", b"boolean")
    assert one(query, 20) == 1
    assert (one(body, 1, 2), one(body, 1, 4), one(body, 1, 5, 22, 1)) == (b"body", 1, b"object")
    answer = fields(one(patch, 9, 1))
    assert answer[1] == [b"200"]
    response = one(answer[2][0], 1)
    assert (one(response, 1), one(response, 2, 1, 1)) == (b"OK", b"#/definitions/a.B")
    assert extensions(patch, 13) == {"x-kubernetes-action": "patch"}


def test_a_document() -> None:
    whole = openapi_protobuf.info("Kubernetes", "v1.37.0") + openapi_protobuf.sections(
        [openapi_protobuf.named_path("/a", {})],
        [openapi_protobuf.named_definition("a.B", {"type": "object"})],
    )
    assert one(whole, 1) == b"2.0"
    assert (one(whole, 2, 1), one(whole, 2, 2)) == (b"Kubernetes", b"v1.37.0")
    assert one(whole, 8, 2, 1) == b"/a"
    assert one(whole, 9, 1, 1) == b"a.B"


def test_what_v2_does_not_know_is_an_error() -> None:
    with pytest.raises(ProtobufError, match="oneOf"):
        schema({"oneOf": []})
