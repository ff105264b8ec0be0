"""Whole bodies, lists and watch frames of `application/vnd.kubernetes.protobuf`.

A body is the four bytes `k8s\\0` and an envelope {1: {1: apiVersion, 2: kind}, 2: the object,
3: contentEncoding, 4: contentType}; the object itself does not repeat its kind. `decode_object`
raises `ProtobufError` for whatever can't be read, in time and memory in proportion to the body.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from argosy.api.protobuf import table
from argosy.api.protobuf.decoder import Decoders, Unknown
from argosy.api.protobuf.encoder import Encoders
from argosy.api.protobuf.special import SPECIAL
from argosy.api.protobuf.wire import (
    BYTES,
    ProtobufError,
    UnknownKindError,
    read_field,
    read_varint,
    tag_of,
    write_bytes,
)

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"
_DEEPEST = 100
_ONE, _TWO = tag_of(1, BYTES), tag_of(2, BYTES)
_TAIL = tag_of(3, BYTES) + b"\0" + tag_of(4, BYTES) + b"\0"  # no encoding, no other type


class Codec:
    """Both ways between bodies and objects. Its functions are made one by one, on first use."""

    def __init__(self, fields: table.Table) -> None:
        self._table = fields
        self._decoders = Decoders(fields)
        self._encoders = Encoders(fields)

    def knows(self, api_version: str, kind: str) -> bool:
        """Whether the kind has a protobuf form."""
        try:
            self._table.message_of(api_version, kind)
        except UnknownKindError:
            return False
        return True

    def decode_object(
        self,
        body: bytes,
        *,
        default: tuple[str, str] = ("", ""),
        unknown: Unknown | None = None,
    ) -> dict[str, Any]:
        """The object in `body`.

        `default` is the apiVersion and kind of a body that tells none; `unknown` is given the names
        of dropped fields. Raises ProtobufError, for a kind without this form UnknownKindError.
        """
        try:
            api_version, kind, raw = _open(body)
            api_version, kind = api_version or default[0], kind or default[1]
            obj: dict[str, Any] = {"apiVersion": api_version, "kind": kind}
            decode = self._decoders[self._table.message_of(api_version, kind)]
            decode(raw, obj, _DEEPEST, [] if unknown is None else unknown)
        except UnicodeDecodeError:
            raise ProtobufError("a string is not in UTF-8") from None
        return obj

    def encode_object(self, obj: dict[str, Any]) -> bytes:
        """The body of `obj`. Raises as `decode_object`."""
        api_version, kind = obj.get("apiVersion"), obj.get("kind")
        if not isinstance(api_version, str) or not isinstance(kind, str):
            raise ProtobufError("the object has no apiVersion and kind")
        message = self._table.message_of(api_version, kind)
        return _body(api_version, kind, self._message(message, obj))

    def encode_list(
        self,
        api_version: str,
        kind: str,
        metadata: dict[str, Any],
        items: Iterable[dict[str, Any] | bytes],
    ) -> bytes:
        """The body of a list; items are objects, or bodies that `encode_object` made of them."""
        message = self._table.message_of(api_version, kind)
        fields = {field.name: field for field in self._table.fields(message)}
        if "items" not in fields or fields["items"].type in SPECIAL:
            raise UnknownKindError(f"{kind!r} of {api_version!r} is no list of one kind")
        raw = bytearray(self._message(message, {"metadata": metadata}))
        tag, item = tag_of(fields["items"].number, BYTES), fields["items"].type
        head = _head(api_version, item.rpartition(".")[2])
        for one in items:
            if not isinstance(one, bytes):
                write_bytes(raw, tag, self._message(item, one))
            elif one.startswith(head) and one.endswith(_TAIL) and tag == _TWO:
                raw += one[len(head) : -len(_TAIL)]  # field 2 there and here: its tag serves again
            else:
                write_bytes(raw, tag, _open(one)[2])
        return _body(api_version, kind, raw)

    def encode_watch_frame(self, kind: str, obj: dict[str, Any] | bytes) -> bytes:
        """One event with its length before it: `kind` is ADDED, …; an object, or its body."""
        body = obj if isinstance(obj, bytes) else self.encode_object(obj)
        extension, event = bytearray(), bytearray()
        write_bytes(extension, _ONE, body)
        write_bytes(event, _ONE, kind.encode())
        write_bytes(event, _TWO, extension)
        return len(event).to_bytes(4, "big") + event

    def _message(self, message: str, obj: dict[str, Any]) -> bytearray:
        out = bytearray()
        try:
            self._encoders[message](out, obj, _DEEPEST)
        except UnicodeEncodeError:
            raise _surrogate() from None
        return out


def load() -> Codec:
    """A codec for all kinds up to the newest minor; older ones have the same numbers."""
    return Codec(table.load())


def _body(api_version: str, kind: str, raw: bytes | bytearray) -> bytes:
    out = bytearray(_head(api_version, kind))
    write_bytes(out, _TWO, raw)
    out += _TAIL
    return bytes(out)


def _head(api_version: str, kind: str) -> bytes:
    """What stands before the object in a body."""
    types, out = bytearray(), bytearray(_MAGIC)
    try:
        write_bytes(types, _ONE, api_version.encode())
        write_bytes(types, _TWO, kind.encode())
    except UnicodeEncodeError:
        raise _surrogate() from None
    write_bytes(out, _ONE, types)
    return bytes(out)


def _surrogate() -> ProtobufError:
    return ProtobufError("a string has half of a surrogate pair")


def _open(body: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and the object's bytes."""
    if not body.startswith(_MAGIC):
        raise ProtobufError("the body does not begin as Kubernetes' protobuf does")
    return _usual(body) or _unusual(body)


def _usual(body: bytes) -> tuple[str, str, bytes] | None:
    """What `_body` and Go make, read in one go."""
    types_at = len(_MAGIC) + 2
    raw_at = types_at + (body[types_at - 1] if len(body) > types_at else 0)
    if body[types_at - 2 : types_at - 1] != _ONE or body[raw_at : raw_at + 1] != _TWO:
        return None
    size, start = read_varint(body, raw_at + 1)
    if body[start + size :] != _TAIL or raw_at - types_at > 0x7F:
        return None
    return (*_remembered(body[types_at:raw_at]), body[start : start + size])


def _unusual(body: bytes) -> tuple[str, str, bytes]:
    envelope = _fields(body, len(_MAGIC))
    if envelope.get(3) or envelope.get(4, b"").decode() not in ("", MEDIA_TYPE):
        raise ProtobufError("the object in the body is encoded in some other way")
    return (*_types(envelope.get(1, b"")), envelope.get(2, b""))


def _types(chunk: bytes) -> tuple[str, str]:
    """apiVersion and kind."""
    types = _fields(chunk)
    return types.get(1, b"").decode(), types.get(2, b"").decode()


_remembered = lru_cache(maxsize=256)(_types)


def _fields(chunk: bytes, position: int = 0) -> dict[int, bytes]:
    """The fields of an envelope, all of which are bytes, by their numbers."""
    found: dict[int, bytes] = {}
    while position < len(chunk):
        tag, value, position = read_field(chunk, position)
        if tag & 7 == BYTES:
            assert isinstance(value, bytes)
            found[tag >> 3] = value
        elif tag >> 3 <= 4:
            raise ProtobufError("the envelope has the wrong wire type")
    return found
