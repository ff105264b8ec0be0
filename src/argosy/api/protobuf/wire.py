"""Protobuf's bytes: varints, tags, and how to pass over what is not known.

Every fault of the bytes is a `ProtobufError`.
"""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The wire types. 3 and 4, the groups, are refused: no Kubernetes type has one."""

_LAST_NUMBER = (1 << 29) - 1
_WORD = 1 << 64


class ProtobufError(ValueError):
    """Bytes that are no such message, or an object that has no such form."""


class UnknownKindError(ProtobufError):
    """A kind without a protobuf form: every custom one, and a few of Kubernetes' own."""


def truncated() -> ProtobufError:
    """The bytes end within a field."""
    return ProtobufError("the message ends within a field")


def read_varint(chunk: bytes, position: int) -> tuple[int, int]:
    """The unsigned number at `position`, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(chunk):
            raise truncated()
        byte = chunk[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= _WORD:
                break
            return value, position
    raise ProtobufError("a varint is longer than 64 bits")


def write_varint(out: bytearray, value: int) -> None:
    """Append `value`, 0 to 2^64-1."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def write_bytes(out: bytearray, tag: bytes, value: bytes | bytearray) -> None:
    """Append a field of wire type BYTES; `tag` as `tag_of` made it."""
    out += tag
    write_varint(out, len(value))
    out += value


def tag_of(number: int, wire: int) -> bytes:
    """What stands before a value on the wire."""
    out = bytearray()
    write_varint(out, number << 3 | wire)
    return bytes(out)


def read_value(chunk: bytes, position: int, wire: int) -> tuple[bytes | int, int]:
    """The value of a field behind its tag: a number for VARINT, else its bytes."""
    if wire == VARINT:
        return read_varint(chunk, position)
    if wire == BYTES:
        size, position = read_varint(chunk, position)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        raise ProtobufError(f"wire type {wire} is not accepted")
    end = position + size
    if end > len(chunk):
        raise truncated()
    return chunk[position:end], end


def read_field(chunk: bytes, position: int) -> tuple[int, bytes | int, int]:
    """The tag (number << 3 | wire type) and the value of a field, and the position behind it."""
    tag, position = read_varint(chunk, position)
    if not 0 < tag >> 3 <= _LAST_NUMBER:
        raise ProtobufError(f"{tag >> 3} is no field number")
    value, position = read_value(chunk, position, tag & 7)
    return tag, value, position
