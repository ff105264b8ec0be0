"""Protobuf written by hand: what the tests hold against the codec, and share no code with it."""


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64 bits."""
    value %= 1 << 64
    out = b""
    while True:
        low, value = value % 128, value // 128
        if not value:
            return out + bytes([low])
        out += bytes([low + 128])


def number(field: int, value: int) -> bytes:
    """A field of wire type 0."""
    return varint(field * 8) + varint(value)


def chunk(field: int, value: bytes | str) -> bytes:
    """A field of wire type 2."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field * 8 + 2) + varint(len(value)) + value


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    """A whole body around an object's bytes, as Go makes it."""
    types = chunk(1, api_version) + chunk(2, kind)
    return b"k8s\0" + chunk(1, types) + chunk(2, raw) + chunk(3, "") + chunk(4, "")
