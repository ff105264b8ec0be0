"""Protobuf's scalars: what each is on the wire and in JSON.

Readers take what `decoder` found, a number or bytes, and so raise only for bytes that are not
UTF-8 or JSON; writers take what an object holds, which may be anything.
"""

import binascii
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.protobuf.wire import (
    BYTES,
    FIXED64,
    VARINT,
    ProtobufError,
    write_bytes,
    write_varint,
)

Write = Callable[[bytearray, Any, int], None]
"""Appends a tag and a value; the integer tells how many levels may still follow."""

_MASK32, _MASK64 = (1 << 32) - 1, (1 << 64) - 1
_EXACT = 2.0**53  # up to here every whole float is that integer


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type: its wire type, its zero value in JSON, and both ways between them."""

    wire: int
    zero: Any
    read: Callable[[Any], Any]
    writer: Callable[[bytes], Write]  # of a tag


def wrong(expected: str, value: object) -> ProtobufError:
    """An object holds something else than its type says."""
    return ProtobufError(f"expected {expected}, found {type(value).__name__}")


def _int32(word: int) -> int:
    """Negative numbers come in 64 bits; of longer ones the lower 32 count, as everywhere."""
    word &= _MASK32
    return word - (1 << 32) if word >> 31 else word


def _int64(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _double(chunk: bytes) -> int | float:
    """Whole numbers as integers: JSON from Go has no `1.0`."""
    value: float = struct.unpack("<d", chunk)[0]
    if not math.isfinite(value):
        raise ProtobufError("JSON has no infinite number, and none that is not a number")
    return int(value) if abs(value) <= _EXACT and value.is_integer() else value


def _base64(chunk: bytes) -> str:
    return binascii.b2a_base64(chunk, newline=False).decode("ascii")


def _json(chunk: bytes) -> Any:
    if not chunk:
        return None
    try:
        return msgspec.json.decode(chunk)
    except (msgspec.DecodeError, ValueError):
        raise ProtobufError("a field that carries JSON has none") from None
    except RecursionError:
        raise ProtobufError("a field's JSON is nested too deeply") from None


def _write_string(tag: bytes) -> Write:
    def write(out: bytearray, value: Any, depth: int) -> None:
        if not isinstance(value, str):
            raise wrong("a string", value)
        encoded = value.encode()
        out += tag
        if (size := len(encoded)) < 0x80:
            out.append(size)
        else:
            write_varint(out, size)
        out += encoded

    return write


def _write_bool(tag: bytes) -> Write:
    def write(out: bytearray, value: Any, depth: int) -> None:
        if not isinstance(value, bool):
            raise wrong("a boolean", value)
        out += tag
        out.append(value)

    return write


def _write_integer(bits: int) -> Callable[[bytes], Write]:
    limit = 1 << (bits - 1)

    def write_tagged(tag: bytes) -> Write:
        def write(out: bytearray, value: Any, depth: int) -> None:
            if type(value) is not int:  # a boolean is an int too
                raise wrong("an integer", value)
            if not -limit <= value < limit:
                raise ProtobufError(f"an integer has more than {bits} bits")
            out += tag
            write_varint(out, value & _MASK64)

        return write

    return write_tagged


def _write_double(tag: bytes) -> Write:
    def write(out: bytearray, value: Any, depth: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("a number", value)
        out += tag
        try:
            out += struct.pack("<d", float(value))
        except OverflowError:
            raise ProtobufError("a number is too large for a double") from None

    return write


def _write_base64(tag: bytes) -> Write:
    def write(out: bytearray, value: Any, depth: int) -> None:
        if not isinstance(value, str):
            raise wrong("base64", value)
        try:
            # Upstream's decoder passes over line breaks, and over nothing else.
            plain = value.replace("\n", "").replace("\r", "")
            decoded = binascii.a2b_base64(plain, strict_mode=True)
        except ValueError:
            raise ProtobufError("bytes are not in base64") from None
        write_bytes(out, tag, decoded)

    return write


def _write_json(tag: bytes) -> Write:
    def write(out: bytearray, value: Any, depth: int) -> None:
        try:
            encoded = msgspec.json.encode(value)
        except RecursionError:
            raise ProtobufError("a field's JSON is nested too deeply") from None
        except TypeError:
            raise wrong("JSON", value) from None
        write_bytes(out, tag, encoded)

    return write


SCALARS: Mapping[str, Scalar] = {
    "string": Scalar(BYTES, "", bytes.decode, _write_string),
    "bytes": Scalar(BYTES, "", _base64, _write_base64),
    "bool": Scalar(VARINT, False, bool, _write_bool),
    "int32": Scalar(VARINT, 0, _int32, _write_integer(32)),
    "int64": Scalar(VARINT, 0, _int64, _write_integer(64)),
    "double": Scalar(FIXED64, 0, _double, _write_double),
    "json": Scalar(BYTES, None, _json, _write_json),
}
