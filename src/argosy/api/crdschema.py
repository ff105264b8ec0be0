"""Structural schemas, read from msgspec structs: what a definition of a kind says of its objects.

`structs` reads the same structs for kinds that are served as built-in ones; this goes further,
because a definition must say all by itself: defaults, nulls, limits of lists and maps, rules.

- A field without default is required. A default is written where it is more than empty.
- `X | None` may be null where that is not the same as nothing: where it is required, or has another
  default. Elsewhere API servers drop nulls, and so they do for enumerations whatever is said.
- A `Builtin` is written out in full, without prose: a pod template takes 65 KB of JSON.
- `dict[str, Any]` and `Any` keep whatever comes.
- A struct that leads back to itself ends there in an object of unknown fields.

What has no structural schema raises TypeError with the field's path: unions of structs, tuples of
fixed length, durations, mixed enumerations.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import inspect as kinds

from argosy.api.render import render
from argosy.api.schema import Definitions
from argosy.api.structs import REFERENCE, RULE

Node = dict[str, Any]
OPEN = "x-kubernetes-preserve-unknown-fields"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
RULES = "x-kubernetes-validations"
_PROSE = ("title", "examples")
_ENUMS: Mapping[type, str] = {str: "string", int: "integer"}


def root_of(struct: type[msgspec.Struct], definitions: Definitions) -> Node:
    """The schema of a whole object; of its metadata a definition may say no more than this."""
    node = _Reader(definitions).read(kinds.type_info(struct), struct.__name__)
    text = {"type": "string"}
    node["properties"] |= {"apiVersion": text, "kind": text, "metadata": {"type": "object"}}
    return node


class _Reader:
    """One reading: `above` are the structs that contain what is being read."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._above: list[type] = []

    def read(self, info: kinds.Type, path: str) -> Node:
        reader = _READERS.get(type(info))
        if reader is None:
            raise TypeError(f"{path}: {type(info).__name__} has no schema in Kubernetes' API")
        return reader(self, info, path)

    def struct(self, info: kinds.StructType, path: str) -> Node:
        if info.array_like:
            raise TypeError(f"{path}: a struct that is an array has no schema in Kubernetes' API")
        node: Node = {"type": "object"}
        if prose := inspect.cleandoc(info.cls.__doc__ or ""):
            node = {"description": prose, **node}
        if info.cls in self._above:
            return {**node, OPEN: True}
        self._above.append(info.cls)
        fields = {item.encode_name: self.field(item, path) for item in info.fields}
        self._above.pop()
        if fields:
            node["properties"] = fields
        if needed := sorted(item.encode_name for item in info.fields if item.required):
            node["required"] = needed
        return node

    def field(self, item: kinds.Field, path: str) -> Node:
        node = self.read(item.type, f"{path}.{item.encode_name}")
        default = item.default
        if item.default_factory is not msgspec.NODEFAULT:
            default = item.default_factory()
        if default is None:
            return {name: fact for name, fact in node.items() if name != "nullable"}
        if default is msgspec.NODEFAULT or default is msgspec.UNSET:
            return node
        plain = msgspec.json.decode(msgspec.json.encode(default))
        return {**node, "default": plain} if plain else node

    def annotated(self, info: kinds.Metadata, path: str) -> Node:
        facts = dict(info.extra_json_schema or {})
        rules = [facts.pop(name) for name in [*facts] if name.startswith(RULE)]
        if name := facts.pop(REFERENCE, None):
            node = render(self._definitions(name))
            if isinstance(info.type, kinds.UnionType) and info.type.includes_none:
                node = _nullable(node)
        else:
            node = self.read(info.type, path)
        node = {**node, **{name: fact for name, fact in facts.items() if name not in _PROSE}}
        if rules:
            node[RULES] = [*node.get(RULES, ()), *rules]
        return _identified(node)

    def union(self, info: kinds.UnionType, path: str) -> Node:
        """`int | str` is Kubernetes' IntOrString, `int | float` a number."""
        choices = [choice for choice in info.types if not isinstance(choice, kinds.NoneType)]
        of = {type(choice) for choice in choices}
        if len(choices) == 1:
            node = self.read(choices[0], path)
        elif of == {kinds.IntType, kinds.StrType}:
            node = {"x-kubernetes-int-or-string": True}
        elif of == {kinds.IntType, kinds.FloatType}:
            node = self.read(next(c for c in choices if isinstance(c, kinds.FloatType)), path)
        else:
            raise TypeError(f"{path}: a union of {len(choices)} types has no schema")
        return _nullable(node) if info.includes_none else node

    def array(self, info: kinds.ListType | kinds.VarTupleType, path: str) -> Node:
        return {
            "type": "array",
            **_limits(info, {"minItems": "min_length", "maxItems": "max_length"}),
            "items": self.read(info.item_type, f"{path}[]"),
        }

    def unordered(self, info: kinds.SetType | kinds.FrozenSetType, path: str) -> Node:
        limits = _limits(info, {"minItems": "min_length", "maxItems": "max_length"})
        items = self.read(info.item_type, f"{path}[]")
        return {"type": "array", **limits, "items": items, LIST_TYPE: "set"}

    def mapping(self, info: kinds.DictType, path: str) -> Node:
        if not isinstance(info.key_type, kinds.StrType):
            raise TypeError(f"{path}: the keys of a map are strings in Kubernetes' API")
        limits = _limits(info, {"minProperties": "min_length", "maxProperties": "max_length"})
        node: Node = {"type": "object", **limits}
        if isinstance(info.value_type, kinds.AnyType):
            return {**node, OPEN: True}
        return {**node, "additionalProperties": self.read(info.value_type, f"{path}[]")}

    def string(self, info: kinds.StrType, path: str) -> Node:
        lengths = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
        return {"type": "string", **_limits(info, lengths)}

    def number(self, info: kinds.IntType | kinds.FloatType, path: str) -> Node:
        whole = isinstance(info, kinds.IntType)
        form = {"type": "integer", "format": "int64"} if whole else _DOUBLE
        node: Node = {**form, **_limits(info, {"minimum": "ge", "maximum": "le"})}
        node |= _limits(info, {"multipleOf": "multiple_of"})
        for limit, strict, name in (
            ("minimum", "exclusiveMinimum", "gt"),
            ("maximum", "exclusiveMaximum", "lt"),
        ):
            if (value := getattr(info, name)) is not None:
                node |= {limit: value, strict: True}
        return node

    def choice(self, info: kinds.LiteralType | kinds.EnumType, path: str) -> Node:
        given = info.values if isinstance(info, kinds.LiteralType) else info.cls
        values = [msgspec.to_builtins(value) for value in given]
        types = {_ENUMS.get(type(value)) for value in values}
        kind = types.pop()
        if kind is None or types:
            raise TypeError(f"{path}: an enumeration is one of strings, or one of integers")
        return {"type": kind, "enum": values}

    def anything(self, info: kinds.AnyType | kinds.RawType, path: str) -> Node:
        return {OPEN: True}


_DOUBLE: Mapping[str, str] = {"type": "number", "format": "double"}


def _limits(info: kinds.Type, names: Mapping[str, str]) -> Node:
    """The limits that are set, by the names that schemas have for them."""
    found = {limit: getattr(info, name) for limit, name in names.items()}
    return {limit: value for limit, value in found.items() if value is not None}


def _nullable(node: Node) -> Node:
    return node if "enum" in node else {**node, "nullable": True}


def _identified(node: Node) -> Node:
    """API servers refuse a list of type map with a key that is neither required nor defaulted."""
    if node.get(LIST_TYPE) != "map":
        return node
    items = node["items"]
    needed, known = items.get("required", ()), items.get("properties", {})
    if all(key in needed or "default" in known.get(key, ()) for key in node[LIST_KEYS]):
        return node
    rest = {name: fact for name, fact in node.items() if name != LIST_KEYS}
    return {**rest, LIST_TYPE: "atomic"}


def _leaf(reader: _Reader, info: kinds.Type, path: str, *, node: Mapping[str, str]) -> Node:
    return dict(node)


def _formatted(form: str) -> "_Read":
    return partial(_leaf, node={"type": "string", "format": form})


_Read = Callable[[_Reader, Any, str], Node]
_READERS: Mapping[type[kinds.Type], _Read] = {
    kinds.StructType: _Reader.struct,
    kinds.Metadata: _Reader.annotated,
    kinds.UnionType: _Reader.union,
    kinds.ListType: _Reader.array,
    kinds.VarTupleType: _Reader.array,
    kinds.SetType: _Reader.unordered,
    kinds.FrozenSetType: _Reader.unordered,
    kinds.DictType: _Reader.mapping,
    kinds.StrType: _Reader.string,
    kinds.IntType: _Reader.number,
    kinds.FloatType: _Reader.number,
    kinds.BoolType: partial(_leaf, node={"type": "boolean"}),
    kinds.DateTimeType: _formatted("date-time"),
    kinds.DateType: _formatted("date"),
    kinds.UUIDType: _formatted("uuid"),
    kinds.BytesType: _formatted("byte"),
    kinds.LiteralType: _Reader.choice,
    kinds.EnumType: _Reader.choice,
    kinds.AnyType: _Reader.anything,
    kinds.RawType: _Reader.anything,
}
