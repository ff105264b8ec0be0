"""Reads the engine's serialized expressions: `cel.expr.CheckedExpr` in protobuf.

The engine shows its trees in no other way. Field numbers are those of cel-spec's
`syntax.proto` and `checked.proto`.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from argosy.api.cel import nodes
from argosy.api.cel.nodes import DYN, Node, Type

_PRIMITIVES: tuple[nodes.Kind, ...] = ("dyn", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN: tuple[nodes.Kind, ...] = ("dyn", "dyn", "timestamp", "duration")
_NOTHING: tuple[int, Any] = (1, b"")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at, end = 0, len(data)
    while at < end:
        key = data[at]  # numbers below 16, which all are, take one byte
        kind = key & 7
        value = data[at + 1]
        if value < 128 and kind != 1:
            at += 2
        else:
            value, at = (0, at + 1) if kind == 1 else _varint(data, at + 1)
        if kind == 0:
            yield key >> 3, value
            continue
        size = 8 if kind == 1 else value
        yield key >> 3, data[at : at + size]
        at += size


def _one(data: bytes) -> dict[int, Any]:
    return dict(_fields(data))


def _all(data: bytes, number: int) -> list[bytes]:
    return [value for field, value in _fields(data) if field == number]


def _text(data: dict[int, Any], number: int) -> str:
    value = data.get(number, b"")
    return bytes(value).decode()


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _type(data: bytes) -> Type:
    number, value = next(_fields(data), _NOTHING)
    if number == 3:
        return Type(_PRIMITIVES[value])
    if number == 5:
        return Type(_WELL_KNOWN[value])
    if number == 6:
        return Type("list", (_type(_one(value).get(1, b"")),))
    if number == 7:
        fields = _one(value)
        return Type("map", (_type(fields.get(1, b"")), _type(fields.get(2, b""))))
    return _other_type(number, value)


def _other_type(number: int, value: Any) -> Type:
    if number == 2:
        return Type("null")
    if number == 4:
        return Type(_PRIMITIVES[value])
    if number == 9:
        return Type("message", name=value.decode())
    if number == 10:
        return Type("param", name=value.decode())
    if number == 11:
        return Type("type")
    if number == 14:
        params = tuple(_type(part) for part in _all(value, 2))
        return Type("opaque", params, _text(_one(value), 1))
    return DYN


class _Reader:
    def __init__(self, checked: bytes, uint: Callable[[int], Any]) -> None:
        self.uint = uint
        self.types: dict[int, Type] = {}
        self.references: dict[int, bytes] = {}
        self.root = self.source = b""
        for number, value in _fields(checked):
            if number == 3:
                entry = _one(value)
                self.types[entry[1]] = _type(entry.get(2, b""))
            elif number == 2:
                entry = _one(value)
                self.references[entry[1]] = entry.get(2, b"")
            elif number == 4:
                self.root = value
            elif number == 5:
                self.source = value

    def node(self, data: bytes) -> Node:
        ident = 0
        made: Node = nodes.Const(value=None)
        for number, value in _fields(data):
            if number == 2:
                ident = value
            elif number in _KINDS:
                made = _KINDS[number](self, value)
        made.id = ident
        made.type = self.types.get(ident, DYN)
        reference = self.references.get(ident)
        if reference:
            made.overloads = tuple(part.decode() for part in _all(reference, 3))
            return self._resolved(made, reference)
        return made

    def _resolved(self, made: Node, reference: bytes) -> Node:
        name = _text(_one(reference), 1)
        if name and isinstance(made, nodes.Select):  # a name with dots
            return nodes.Ident(id=made.id, type=made.type, name=name)
        if isinstance(made, nodes.Call) and made.target is not None:
            dotted = _dotted(made.target)
            if dotted and made.target.id not in self.types:  # `sets.contains(a, b)`
                made.function = f"{dotted}.{made.function}"
                made.target = None
        return made

    def const(self, data: bytes) -> Node:
        number, value = next(_fields(data))
        if number == 2:
            return nodes.Const(value=bool(value))
        if number == 3:
            return nodes.Const(value=_signed(value))
        if number == 4:
            return nodes.Const(value=self.uint(value))
        if number == 5:
            return nodes.Const(value=struct.unpack("<d", value)[0])
        if number == 6:
            return nodes.Const(value=value.decode())
        return nodes.Const(value=bytes(value) if number == 7 else None)

    def ident(self, data: bytes) -> Node:
        return nodes.Ident(name=_text(_one(data), 1))

    def select(self, data: bytes) -> Node:
        fields = _one(data)
        operand = self.node(fields[1])
        return nodes.Select(operand=operand, name=_text(fields, 2), test=bool(fields.get(3)))

    def call(self, data: bytes) -> Node:
        fields = _one(data)
        target = self.node(fields[1]) if 1 in fields else None
        args = [self.node(part) for part in _all(data, 3)]
        return nodes.Call(function=_text(fields, 2), target=target, args=args)

    def sequence(self, data: bytes) -> Node:
        packed = _one(data).get(2, b"")
        optional, at = set(), 0
        while at < len(packed):
            position, at = _varint(packed, at)
            optional.add(position)
        items = [self.node(part) for part in _all(data, 1)]
        return nodes.ListNode(items=items, optional=frozenset(optional))

    def mapping(self, data: bytes) -> Node:
        made = nodes.MapNode(message=_text(_one(data), 1))
        for part in _all(data, 2):
            entry = _one(part)
            key = self.node(entry[3]) if 3 in entry else nodes.Const(value=_text(entry, 2))
            made.entries.append((key, self.node(entry[4]), bool(entry.get(5))))
        return made

    def fold(self, data: bytes) -> Node:
        fields = _one(data)
        return nodes.Fold(
            var=_text(fields, 1),
            var2=_text(fields, 8),
            range=self.node(fields[2]),
            accu=_text(fields, 3),
            init=self.node(fields[4]),
            condition=self.node(fields[5]),
            step=self.node(fields[6]),
            result=self.node(fields[7]),
        )


_KINDS: dict[int, Callable[[_Reader, bytes], Node]] = {
    3: _Reader.const,
    4: _Reader.ident,
    5: _Reader.select,
    6: _Reader.call,
    7: _Reader.sequence,
    8: _Reader.mapping,
    9: _Reader.fold,
}


def _dotted(node: Node) -> str:
    if isinstance(node, nodes.Ident):
        return node.name
    if isinstance(node, nodes.Select) and not node.test:
        prefix = _dotted(node.operand)
        return prefix and f"{prefix}.{node.name}"
    return ""


def read(serialized: bytes, uint: Callable[[int], Any]) -> tuple[Node, dict[int, int]]:
    """The tree in an engine's `Expression.serialize()`, and each node's place in the source.

    `uint` makes unsigned constants. Places count characters.
    """
    checked = _one(serialized)[2]  # of the Any around it
    reader = _Reader(bytes(checked), uint)
    places = (_one(entry) for entry in _all(reader.source, 4))
    return reader.node(reader.root), {entry.get(1, 0): entry.get(2, 0) for entry in places}
