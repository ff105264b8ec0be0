"""Bytes: what is a varint and a field, and what is none."""

import pytest

from argosy.api.protobuf.wire import (
    ProtobufError,
    UnknownKindError,
    read_field,
    read_varint,
    tag_of,
    write_bytes,
    write_varint,
)

VARINTS = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "8001"),
    (300, "ac02"),
    (2**32, "8080808010"),
    (2**64 - 1, "ffffffffffffffffff01"),
]


@pytest.mark.parametrize(("value", "hexadecimal"), VARINTS)
def test_varints_both_ways(value: int, hexadecimal: str) -> None:
    out = bytearray(b"x")
    write_varint(out, value)
    assert out == b"x" + bytes.fromhex(hexadecimal)
    assert read_varint(bytes(out) + b"y", 1) == (value, len(out))


def test_a_varint_may_have_needless_bytes() -> None:
    assert read_varint(bytes.fromhex("818000"), 0) == (1, 3)


@pytest.mark.parametrize(
    ("hexadecimal", "reason"),
    [
        ("", "ends within"),
        ("80", "ends within"),
        ("ffffffffffffffffff02", "longer than 64 bits"),
        ("8080808080808080808000", "longer than 64 bits"),
        ("ff" * 20, "longer than 64 bits"),
    ],
)
def test_what_is_no_varint(hexadecimal: str, reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        read_varint(bytes.fromhex(hexadecimal), 0)


@pytest.mark.parametrize(
    ("hexadecimal", "tag", "value"),
    [
        ("0805", 0x08, 5),
        ("09" + "0102030405060708", 0x09, bytes(range(1, 9))),
        ("0a026869", 0x0A, b"hi"),
        ("0d01020304", 0x0D, bytes(range(1, 5))),
        ("a00601", 0x320, 1),
    ],
)
def test_fields(hexadecimal: str, tag: int, value: bytes | int) -> None:
    field = bytes.fromhex(hexadecimal)
    assert read_field(b"_" + field + b"_", 1) == (tag, value, 1 + len(field))


@pytest.mark.parametrize(
    ("hexadecimal", "reason"),
    [
        ("0a", "ends within"),
        ("0a0368", "ends within"),
        ("0aff01", "ends within"),
        ("0affffffffffffffffff01", "ends within"),
        ("0901020304", "ends within"),
        ("0d010203", "ends within"),
        ("0b", "wire type 3"),
        ("0c", "wire type 4"),
        ("0e", "wire type 6"),
        ("0f", "wire type 7"),
        ("0200", "0 is no field number"),
        ("808080801000", "no field number"),
    ],
)
def test_what_is_no_field(hexadecimal: str, reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        read_field(bytes.fromhex(hexadecimal), 0)


def test_bytes_go_with_tag_and_size() -> None:
    out = bytearray()
    write_bytes(out, tag_of(19, 2), b"a" * 200)
    assert out == bytes.fromhex("9a01c801") + b"a" * 200


def test_every_error_is_a_value_error() -> None:
    assert issubclass(ProtobufError, ValueError)
    assert issubclass(UnknownKindError, ProtobufError)
