"""Shows the types of a schema to the engine's checker, which knows objects only as messages.

What protobuf can't say is dynamic: a list within a list, and a map of lists or of maps.
"""

from collections.abc import Iterable
from typing import Final

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
)

from argosy.api.cel.decltypes import DeclType

PACKAGE: Final = "schema"
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "bool": _Field.TYPE_BOOL,
    "int": _Field.TYPE_INT64,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}
_MESSAGES: Final = {
    "timestamp": ".google.protobuf.Timestamp",
    "duration": ".google.protobuf.Duration",
}
_DYNAMIC: Final = ".google.protobuf.Value"
_RESERVED_NUMBERS: Final = range(19_000, 20_000)


class Messages:
    """Collects the messages of some types, and names them."""

    def __init__(self) -> None:
        self.file = descriptor_pb2.FileDescriptorProto(
            name="schema.proto", package=PACKAGE, syntax="proto3"
        )
        self.names: dict[int, str] = {}
        self.keep: list[DeclType] = []  # so that an id stays its own

    def name(self, decl: DeclType) -> str:
        """The name of an object's message, described once."""
        if id(decl) not in self.names:
            self.names[id(decl)] = f"T{len(self.names)}"
            self.keep.append(decl)
            self._describe(decl, self.names[id(decl)])
        return f"{PACKAGE}.{self.names[id(decl)]}"

    def spec(self, decl: DeclType) -> str:
        """A type as the engine's configuration names it."""
        if decl.kind == "message":
            return self.name(decl)
        if decl.kind == "list" and decl.element is not None:
            return f"list({self.spec(decl.element)})"
        if decl.kind == "map" and decl.element is not None:
            return f"map(string,{self.spec(decl.element)})"
        return decl.kind

    def pool(self, *others: descriptor_pb2.FileDescriptorProto) -> descriptor_pool.DescriptorPool:
        """The messages so far, and those of other files. To be called once."""
        made = descriptor_pool.DescriptorPool()
        for known in (struct_pb2, timestamp_pb2, duration_pb2):
            file = descriptor_pb2.FileDescriptorProto()
            known.DESCRIPTOR.CopyToProto(file)
            made.Add(file)
            self.file.dependency.append(file.name)
        made.Add(self.file)
        for other in others:
            made.Add(other)
        return made

    def _describe(self, decl: DeclType, name: str) -> None:
        message = descriptor_pb2.DescriptorProto(name=name)
        for number, (field, kind) in zip(_numbers(), decl.fields.items(), strict=False):
            made = message.field.add(
                name=field, number=number, json_name=f"f{number}", label=_Field.LABEL_OPTIONAL
            )
            if kind.kind == "list" and kind.element is not None:
                made.label = _Field.LABEL_REPEATED
                self._typed(made, kind.element)
            elif kind.kind == "map" and kind.element is not None:
                self._map(message, made, kind.element)
            else:
                self._typed(made, kind)
        self.file.message_type.append(message)

    def _typed(self, field: descriptor_pb2.FieldDescriptorProto, kind: DeclType) -> None:
        if kind.kind in _SCALARS:
            field.type = _SCALARS[kind.kind]
            return
        field.type = _Field.TYPE_MESSAGE
        if kind.kind == "message":
            field.type_name = f".{self.name(kind)}"
        else:
            field.type_name = _MESSAGES.get(kind.kind, _DYNAMIC)

    def _map(
        self,
        message: descriptor_pb2.DescriptorProto,
        field: descriptor_pb2.FieldDescriptorProto,
        value: DeclType,
    ) -> None:
        # protoc's rule for the entry's name, which the pool checks.
        entry = message.nested_type.add(name=f"{_camel(field.name)}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        held = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
        self._typed(held, value)
        field.label = _Field.LABEL_REPEATED
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"


def _camel(name: str) -> str:
    made, upper = "", True
    for letter in name:
        if letter == "_":
            upper = True
        else:
            made += letter.upper() if upper else letter
            upper = False
    return made


def _numbers() -> Iterable[int]:
    number = 0
    while True:
        number += 1
        if number not in _RESERVED_NUMBERS:
            yield number
