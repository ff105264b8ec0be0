"""The messages of KMS v2: what a plugin is asked and answers, and the envelope of a sealed value.

Field numbers are those of `k8s.io/kms/apis/v2` and of `EncryptedObject` in kube-apiserver's
`kmsv2/v2`, so that plugins and values are the same. What is not known is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.api.protobuf.wire import (
    BYTES,
    VARINT,
    ProtobufError,
    read_field,
    tag_of,
    write_bytes,
)

KEY = 0
"""The kind of an envelope whose sealed key is the key itself, as early KMS v2 wrote them."""
SEED = 1
"""The kind whose sealed key is a seed: of it and 32 random bytes comes a key for each value."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a plugin is, and with which key it seals now."""

    version: str
    healthz: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A key that the plugin has sealed; `annotations` are the plugin's own."""

    ciphertext: bytes
    key_id: str
    annotations: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A value with the sealed key that it was sealed by."""

    data: bytes
    key: Sealed
    kind: int = SEED


def read_status(chunk: bytes) -> Status:
    """A StatusResponse. Raises ProtobufError, as the others here."""
    found = _Fields(chunk)
    return Status(found.text(1), found.text(2), found.text(3))


def encrypt_request(plain: bytes, uid: str) -> bytes:
    """An EncryptRequest."""
    return _packed((1, plain), (2, uid.encode()))


def read_encrypted(chunk: bytes) -> Sealed:
    """An EncryptResponse."""
    found = _Fields(chunk)
    return Sealed(found.data(1), found.text(2), found.mapping(3))


def decrypt_request(key: Sealed, uid: str) -> bytes:
    """A DecryptRequest."""
    fields = ((1, key.ciphertext), (2, uid.encode()), (3, key.key_id.encode()))
    return _packed(*fields) + _mapped(4, key.annotations)


def read_decrypted(chunk: bytes) -> bytes:
    """The plain text of a DecryptResponse."""
    return _Fields(chunk).data(1)


def envelope_tail(key: Sealed) -> bytes:
    """What follows the data in each EncryptedObject that is sealed by a seed."""
    names = _packed((2, key.key_id.encode()), (3, key.ciphertext))
    return names + _mapped(4, key.annotations) + tag_of(5, VARINT) + bytes([SEED])


def envelope(data: bytes, tail: bytes) -> bytes:
    """An EncryptedObject."""
    return _packed((1, data)) + tail


def split_envelope(chunk: bytes) -> tuple[bytes, bytes]:
    """The data of an EncryptedObject, and the rest: the same for all values of a seed."""
    tag, data, position = read_field(chunk, 0)
    if tag != 1 << 3 | BYTES or not isinstance(data, bytes):
        raise ProtobufError("a sealed value begins with its data")
    return data, chunk[position:]


def read_envelope(chunk: bytes) -> Envelope:
    """An EncryptedObject."""
    found = _Fields(chunk)
    key = Sealed(found.data(3), found.text(2), found.mapping(4))
    return Envelope(found.data(1), key, found.number(5))


class _Fields:
    """The fields of a message by tag; of one that comes again the last counts."""

    def __init__(self, chunk: bytes) -> None:
        self._found: dict[int, list[bytes | int]] = {}
        position = 0
        while position < len(chunk):
            tag, value, position = read_field(chunk, position)
            self._found.setdefault(tag, []).append(value)

    def data(self, number: int) -> bytes:
        value = self._found.get(number << 3 | BYTES, (b"",))[-1]
        return value if isinstance(value, bytes) else b""

    def number(self, number: int) -> int:
        value = self._found.get(number << 3 | VARINT, (0,))[-1]
        return value if isinstance(value, int) else 0

    def text(self, number: int) -> str:
        try:
            return self.data(number).decode()
        except UnicodeDecodeError:
            raise ProtobufError(f"field {number} is not valid UTF-8") from None

    def mapping(self, number: int) -> dict[str, bytes]:
        entries = self._found.get(number << 3 | BYTES, ())
        pairs = (_Fields(entry) for entry in entries if isinstance(entry, bytes))
        return {pair.text(1): pair.data(2) for pair in pairs}


def _packed(*fields: tuple[int, bytes]) -> bytes:
    """Fields of bytes; empty ones are left out, as proto3 does."""
    out = bytearray()
    for number, value in fields:
        if value:
            write_bytes(out, tag_of(number, BYTES), value)
    return bytes(out)


def _mapped(number: int, entries: Mapping[str, bytes]) -> bytes:
    out = bytearray()
    for name in sorted(entries):  # in this order, so that equal ones have equal bytes
        write_bytes(out, tag_of(number, BYTES), _packed((1, name.encode()), (2, entries[name])))
    return bytes(out)
