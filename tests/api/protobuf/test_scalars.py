"""Each scalar on the wire and in JSON."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.protobuf.scalars import SCALARS
from argosy.api.protobuf.wire import ProtobufError
from tests.api.protobuf.wiremade import chunk, number, varint


def written(kind: str, value: Any) -> bytes:
    """A field with the number 1."""
    out = bytearray()
    scalar = SCALARS[kind]
    scalar.writer(bytes([1 << 3 | scalar.wire]))(out, value, 0)
    return bytes(out)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "", chunk(1, "")),
        ("string", "zürich", chunk(1, "zürich")),
        ("string", "a" * 300, chunk(1, "a" * 300)),
        ("bytes", "aGk=", chunk(1, b"hi")),
        ("bytes", "aG\nk=\r\n", chunk(1, b"hi")),
        ("bytes", "", chunk(1, b"")),
        ("bool", True, number(1, 1)),
        ("bool", False, number(1, 0)),
        ("int32", -1, bytes.fromhex("08ffffffffffffffffff01")),
        ("int32", 2**31 - 1, number(1, 2**31 - 1)),
        ("int32", -(2**31), number(1, -(2**31))),
        ("int64", 2**63 - 1, number(1, 2**63 - 1)),
        ("int64", -(2**63), number(1, -(2**63))),
        ("double", 0.5, b"\x09" + struct.pack("<d", 0.5)),
        ("double", 3, b"\x09" + struct.pack("<d", 3.0)),
        ("json", {"f:spec": {}}, chunk(1, b'{"f:spec":{}}')),
        ("json", None, chunk(1, b"null")),
    ],
)
def test_writing(kind: str, value: Any, expected: bytes) -> None:
    assert written(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("string", "zürich".encode(), "zürich"),
        ("bytes", b"hi", "aGk="),
        ("bytes", b"", ""),
        ("bool", 1, True),
        ("bool", 2**40, True),
        ("bool", 0, False),
        ("int32", 2**64 - 1, -1),
        ("int32", 2**31, -(2**31)),
        ("int32", 2**32 + 7, 7),
        ("int64", 2**64 - 2, -2),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("double", struct.pack("<d", 2.5), 2.5),
        ("json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("json", b"", None),
    ],
)
def test_reading(kind: str, raw: Any, expected: Any) -> None:
    assert SCALARS[kind].read(raw) == expected


def test_a_whole_double_becomes_an_integer() -> None:
    assert repr(SCALARS["double"].read(struct.pack("<d", 3.0))) == "3"
    assert repr(SCALARS["double"].read(struct.pack("<d", 1e300))) == "1e+300"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1),
        ("string", b"bytes"),
        ("bytes", 1),
        ("bytes", "not base64!"),
        ("bytes", "aGk"),
        ("bytes", "ü"),
        ("bool", 1),
        ("bool", "true"),
        ("int32", True),
        ("int32", 1.0),
        ("int32", "1"),
        ("int32", 2**31),
        ("int32", -(2**31) - 1),
        ("int64", 2**63),
        ("double", "1"),
        ("double", True),
        ("double", 10**400),
        ("json", object()),
    ],
)
def test_values_of_another_type_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(ProtobufError):
        written(kind, value)


def test_json_nested_without_end_is_refused_both_ways() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ProtobufError, match="too deeply"):
        written("json", nested)
    with pytest.raises(ProtobufError, match="too deeply"):
        SCALARS["json"].read(b"[" * 100_000)
    while nested:  # or freeing it would recurse
        nested = nested.pop()


@pytest.mark.parametrize("raw", [b"{", b"nope", b"\xff", b'"\xff"', b"NaN", b"1e400", b"{}{}"])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtobufError, match="JSON"):
        SCALARS["json"].read(raw)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_doubles_that_json_lacks_are_refused(value: str) -> None:
    with pytest.raises(ProtobufError, match="JSON has no"):
        SCALARS["double"].read(struct.pack("<d", float(value)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_of_64_bits_come_back(value: int) -> None:
    field = written("int64", value)
    assert field == b"\x08" + varint(value)
    assert SCALARS["int64"].read(value % 2**64) == value
