"""From bytes to JSON's form, by one function for each message, made when it is first met.

What comes twice behaves as in every protobuf: the last scalar counts, messages are merged, lists
grow. Fields with unknown numbers, which newer minors send, are dropped and named. A zero value that
JSON leaves out is left out here too, so that an object is the same whichever way it came.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from argosy.api.protobuf.scalars import SCALARS
from argosy.api.protobuf.special import SPECIAL
from argosy.api.protobuf.table import Field, Table
from argosy.api.protobuf.wire import (
    BYTES,
    FIXED64,
    VARINT,
    ProtobufError,
    read_field,
    read_varint,
    truncated,
)

Fields = dict[str, Any]
Unknown = list[str]
"""Names of dropped fields, such as `core.v1.PodSpec.99`; each once, and not more than a few."""

Decode = Callable[[bytes, Fields, int, Unknown], None]
"""Adds a message's fields to a dict; the integer tells how many levels may still follow."""

_Read = Callable[[Any, int, Unknown], Any]
_Simple = Callable[[Any], Any]
_Put = Callable[[Fields, Any, int, Unknown], None]
_Rare = Callable[[bytes, int, Fields, Unknown], int]
_Slot = tuple[str, bool, _Simple, _Put | None]
"""A scalar's name, whether its zero value is kept, and its reader; or a function for the rest."""

_MOST_UNKNOWN = 16
_REMEMBERED, _SHORT = 1024, 48  # values of times and quantities, and up to how many bytes
_KEY_TAG = 1 << 3 | BYTES


def _too_deep() -> ProtobufError:
    return ProtobufError("the message is nested too deeply")


class Decoders(dict[str, Decode]):
    """The function of each message. Raises KeyError for an unknown message."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self._simple: dict[str, _Simple] = {}

    def __missing__(self, message: str) -> Decode:
        decode = self[message] = _decode(message, self._table.fields(message), self)
        return decode

    def simple(self, kind: str) -> _Simple | None:
        """The reader of a scalar, or of a message that is as simple as one."""
        if kind in self._simple:
            return self._simple[kind]
        if scalar := SCALARS.get(kind):
            return scalar.read
        special = SPECIAL.get(kind)
        if special is None or not special.simple:
            return None
        read = self._simple[kind] = _remembering(self[kind], special.to_json)
        return read


def _decode(  # noqa: C901 - the loop would be slower in parts
    message: str, fields: tuple[Field, ...], decoders: Decoders
) -> Decode:
    slots = _all_slots(fields, decoders)
    rare = _rare(message, {field.number: field for field in fields})

    # Every field of every body comes through here: no call that can be saved is made.
    def decode(chunk: bytes, out: Fields, depth: int, unknown: Unknown) -> None:
        position, size = 0, len(chunk)
        try:
            while position < size:
                start = position
                key = chunk[start]
                position += 1
                if key > 0x7F:
                    key, position = read_varint(chunk, start)
                slot = slots.get(key)
                if slot is None:
                    position = rare(chunk, start, out, unknown)
                    continue
                value: Any = chunk[position]
                position += 1
                if value > 0x7F:
                    value, position = read_varint(chunk, position - 1)
                if key & 7 == BYTES:
                    start = position
                    position += value
                    if position > size:
                        raise truncated()
                    value = chunk[start:position]
                name, keep, read, put = slot
                if put is not None:
                    put(out, value, depth, unknown)
                elif (value := read(value)) or keep:
                    out[name] = value
                else:
                    out.pop(name, None)
        except IndexError:
            raise truncated() from None

    return decode


def _rare(message: str, fields: dict[int, Field]) -> _Rare:
    """For what has no slot: doubles, unknown numbers and wrong wire types."""

    def rare(chunk: bytes, position: int, out: Fields, unknown: Unknown) -> int:
        tag, value, position = read_field(chunk, position)
        if field := fields.get(tag >> 3):
            if tag & 7 != FIXED64 or field.type != "double":
                raise ProtobufError(f"{message}.{field.name} has the wrong wire type")
            out[field.name] = SCALARS["double"].read(value)
        elif len(unknown) < _MOST_UNKNOWN and (name := f"{message}.{tag >> 3}") not in unknown:
            unknown.append(name)
        return position

    return rare


def _all_slots(fields: tuple[Field, ...], decoders: Decoders) -> dict[int, _Slot]:
    return {
        field.number << 3 | wire: slot
        for field in fields
        for wire, slot in _slots(field, decoders).items()
    }


def _slots(field: Field, decoders: Decoders) -> dict[int, _Slot]:
    """What to do with a field's value, by its wire type."""
    scalar = SCALARS.get(field.type)
    wire = BYTES if scalar is None else scalar.wire
    simple = decoders.simple(field.type)
    if field.shape == "one" and simple is not None:
        return {} if wire == FIXED64 else {wire: (field.name, not field.drop_zero, simple, None)}
    read = _message(field.type, decoders) if simple is None else _leaf(simple)
    slots = {wire: _calls(_put(field, wire, read, decoders))}
    if field.shape == "list" and wire == VARINT and simple is not None:
        slots[BYTES] = _calls(_packed(field.name, simple))
    return slots


def _calls(put: _Put) -> _Slot:
    return "", True, _nothing, put


def _nothing(value: Any) -> None:
    """Stands where a slot has a `put` instead."""


def _put(field: Field, wire: int, read: _Read, decoders: Decoders) -> _Put:
    match field.shape:
        case "inline":
            return _inline(field.type, decoders)
        case "map":
            return _entry(field.name, wire, read)
        case "list":
            return _item(field.name, read)
    if field.type in SPECIAL:
        return _special(field.name, read)
    return _merged(field.name, field.type, decoders)


def _remembering(decode: Decode, to_json: Callable[[Fields], Any]) -> _Simple:
    def read(chunk: bytes) -> Any:
        fields: Fields = {}
        decode(chunk, fields, 0, [])
        return to_json(fields)

    remembered = lru_cache(maxsize=_REMEMBERED)(read)
    return lambda chunk: remembered(chunk) if len(chunk) <= _SHORT else read(chunk)


def _leaf(read: _Simple) -> _Read:
    return lambda value, depth, unknown: read(value)


def _message(message: str, decoders: Decoders) -> _Read:
    special = SPECIAL.get(message)

    def read(chunk: bytes, depth: int, unknown: Unknown) -> Fields:
        if depth <= 0:
            raise _too_deep()
        fields: Fields = {}
        decoders[message](chunk, fields, depth - 1, unknown)
        return fields

    if special is None:
        return read
    to_json = special.to_json
    return lambda chunk, depth, unknown: to_json(read(chunk, depth, unknown))


def _special(name: str, read: _Read) -> _Put:
    def put(out: Fields, value: Any, depth: int, unknown: Unknown) -> None:
        out[name] = read(value, depth, unknown)

    return put


def _merged(name: str, message: str, decoders: Decoders) -> _Put:
    def put(out: Fields, value: Any, depth: int, unknown: Unknown) -> None:
        if depth <= 0:
            raise _too_deep()
        fields = out.get(name)
        if fields is None:
            fields = out[name] = {}
        decoders[message](value, fields, depth - 1, unknown)

    return put


def _inline(message: str, decoders: Decoders) -> _Put:
    def put(out: Fields, value: Any, depth: int, unknown: Unknown) -> None:
        if depth <= 0:
            raise _too_deep()
        decoders[message](value, out, depth - 1, unknown)

    return put


def _item(name: str, read: _Read) -> _Put:
    def put(out: Fields, value: Any, depth: int, unknown: Unknown) -> None:
        found = read(value, depth, unknown)
        if name in out:
            out[name].append(found)
        else:
            out[name] = [found]

    return put


def _packed(name: str, read: _Simple) -> _Put:
    """Numbers behind each other without tags."""

    def put(out: Fields, value: Any, depth: int, unknown: Unknown) -> None:
        if not value:
            return
        found = out.setdefault(name, [])
        if value.isascii():  # a number a byte
            found.extend(map(read, value))
            return
        position = 0
        while position < len(value):
            word, position = read_varint(value, position)
            found.append(read(word))

    return put


def _entry(name: str, wire: int, read: _Read) -> _Put:
    """An entry of a map is a message of its key, 1, and its value, 2."""
    value_tag = 2 << 3 | wire

    def put(out: Fields, chunk: Any, depth: int, unknown: Unknown) -> None:
        key, value = _pair(chunk, value_tag)
        entries = out.get(name)
        if entries is None:
            entries = out[name] = {}
        entries[key.decode()] = read(value, depth, unknown)

    return put


def _pair(chunk: bytes, value_tag: int) -> tuple[bytes, Any]:
    """Key and value. The usual form, both short and in this order, needs no loop."""
    size = len(chunk)
    if 4 <= size < 0x80 and chunk[0] == _KEY_TAG and value_tag & 7 == BYTES:
        middle = 2 + chunk[1]
        if (
            middle + 2 <= size
            and chunk[middle] == value_tag
            and middle + 2 + chunk[middle + 1] == size
        ):
            return chunk[2:middle], chunk[middle + 2 :]
    found: dict[int, Any] = {_KEY_TAG: b"", value_tag: b"" if value_tag & 7 == BYTES else 0}
    position = 0
    while position < size:
        tag, value, position = read_field(chunk, position)
        if tag not in found and tag >> 3 in (1, 2):
            raise ProtobufError("an entry of a map has the wrong wire type")
        found[tag] = value
    return found[_KEY_TAG], found[value_tag]
