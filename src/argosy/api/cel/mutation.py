"""The types with which a MutatingAdmissionPolicy says what it wants: `Object…{}`, `JSONPatch{}`.

`Object.spec.template{…}` is a part of an object, named by where it stands, with any fields. The
engine knows no types without an end, so those that an expression names are found in its text and
described to it, under names without dots that are as long (places in messages stay right).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.protobuf import descriptor_pb2

from argosy.api.cel.nodes import Type
from argosy.api.cel.values import (
    CelError,
    Duration,
    Message,
    UInt,
    shown_duration,
    shown_timestamp,
    type_of,
)

ROOT: Final = "Object"
PATCH: Final = "JSONPatch"
OBJECT: Final = Type("message", name=ROOT)
PATCHES: Final = Type("list", (Type("message", name=PATCH),))
_TOKEN: Final = re.compile(
    r"""//[^\n]*"""
    r"""|[rR][bB]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')"""
    r"""|[bB]?(?:\"{3}(?:\\.|.)*?\"{3}|'{3}(?:\\.|.)*?'{3})"""
    r"""|[bB]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<mark>[(){}\[\]:])""",
    re.DOTALL,
)
_Field: Final = descriptor_pb2.FieldDescriptorProto
_NUMBERS: Final = (*range(1, 19_000), *range(20_000, 200_000))


class AmbiguousError(Exception):
    """Two types would have one name for the engine."""


@dataclass(slots=True)
class Constructed:
    """The types that an expression makes values of: their fields, and their names for the engine.

    `text` is the expression with these names.
    """

    text: str
    fields: dict[str, dict[str, None]] = field(default_factory=dict)
    real: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, expression: str) -> "Constructed":
        """Those in `expression`. Raises AmbiguousError."""
        made = cls(expression)
        made._read(list(_tokens(expression)))
        return made

    def _read(self, tokens: list[tuple[str, int]]) -> None:
        open_types: list[str] = []
        for at, (token, place) in enumerate(tokens):
            if token == "{":
                open_types.append(self._begun(*tokens[at - 1], place) if at else "")
            elif token in ("(", "["):
                open_types.append("")
            elif token in (")", "]", "}"):
                del open_types[-1:]
            elif token == ":" and at and open_types and open_types[-1]:
                name = tokens[at - 1][0]
                if name.isidentifier():
                    self.fields[open_types[-1]][name] = None

    def _begun(self, name: str, at: int, brace: int) -> str:
        """The name for the engine of a type that begins at `brace`; empty where none does."""
        end = at + len(name)
        mine = name in (ROOT, PATCH) or name.startswith(f"{ROOT}.")
        if not mine or self.text[end:brace].strip():
            return ""
        known = name.replace(".", "_")
        if self.real.setdefault(known, name) != name:
            raise AmbiguousError(f"{name} and {self.real[known]} can't both be told apart")
        self.fields.setdefault(known, {})
        self.text = f"{self.text[:at]}{known}{self.text[end:]}"
        return known

    def described(self) -> descriptor_pb2.FileDescriptorProto:
        """The types, for the engine: all fields can be anything, but for a patch's."""
        file = descriptor_pb2.FileDescriptorProto(name="constructed.proto", syntax="proto3")
        file.dependency.append("google/protobuf/struct.proto")
        for name, fields in {**self.fields, ROOT: self.fields.get(ROOT, {})}.items():
            if name != PATCH:
                _describe(file, name, dict.fromkeys(fields, _anything))
        texts = dict.fromkeys(("op", "path", "from"), _text)
        _describe(file, PATCH, {**texts, "value": _anything})
        return file

    def shown(self, words: str) -> str:
        """The engine's words, with the types' own names."""
        for known, name in sorted(self.real.items(), key=lambda item: -len(item[0])):
            if known != name:
                words = words.replace(known, name)
        return words


def _tokens(expression: str) -> Iterator[tuple[str, int]]:
    for found in _TOKEN.finditer(expression):
        kind = found.lastgroup
        yield (found[kind], found.start(kind)) if kind else ('""', found.start())


def _text(made: descriptor_pb2.FieldDescriptorProto) -> None:
    made.type = _Field.TYPE_STRING


def _anything(made: descriptor_pb2.FieldDescriptorProto) -> None:
    made.type = _Field.TYPE_MESSAGE
    made.type_name = ".google.protobuf.Value"


def _describe(
    file: descriptor_pb2.FileDescriptorProto, name: str, fields: Mapping[str, Any]
) -> None:
    message = file.message_type.add(name=name)
    for number, (own, typed) in zip(_NUMBERS, fields.items(), strict=False):
        label = _Field.LABEL_OPTIONAL
        typed(message.field.add(name=own, number=number, json_name=f"f{number}", label=label))


def mismatches(value: Any, path: str = ROOT) -> list[str]:
    """What is wrong with the types' names: each must say where its value stands."""
    errors = []
    if isinstance(value, Message):
        if value.name != path:
            errors.append(
                f'unexpected type name "{value.name}", expected "{path}", which matches field '
                "name path from root Object type"
            )
        for name, item in value.items():
            errors += mismatches(item, f"{path}.{name}")
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            errors += mismatches(item, path)
    return errors


def plain(value: Any) -> Any:
    """A value as JSON. Raises CelError for one that has no such form."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise CelError("map key is not a string")
        return {name: plain(item) for name, item in value.items()}
    if type(value) is list:
        return [plain(item) for item in value]
    if isinstance(value, UInt):
        return int(value)
    if isinstance(value, Duration):
        return shown_duration(value)
    if isinstance(value, datetime):
        return shown_timestamp(value)
    raise CelError(f"a value of type {type_of(value).name} is no JSON")
