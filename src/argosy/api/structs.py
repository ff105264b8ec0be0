"""Schemas of own kinds, read from their msgspec structs: the struct is the single source.

Names are those on the wire, a field without default is required, docstrings and
`msgspec.Meta(description=…)` become descriptions. What Python's types can't say is said by markers
in `Annotated`: `Builtin` for a definition of Kubernetes' own, `ListMap` and `LIST_SET` for the
identity of list elements, `ATOMIC` for a map that has one owner as a whole.

    template: Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.PodTemplateSpec")]
    volumes: Annotated[list[Volume], ListMap("name")] = []
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import inspect as kinds

from argosy.api.schema import Definitions, Schema

REFERENCE = "x-argosy-ref"
_LIST_TYPE = "x-kubernetes-list-type"
_LIST_KEYS = "x-kubernetes-list-map-keys"
_MAP_TYPE = "x-kubernetes-map-type"
RULE = "x-argosy-rule:"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def Builtin(name: str) -> msgspec.Meta:
    """Marks a value as Kubernetes' own definition `name`; it decodes as what it is annotated on."""
    return msgspec.Meta(extra_json_schema={REFERENCE: name})


def ListMap(*keys: str) -> msgspec.Meta:
    """Marks a list whose elements are told apart by the fields `keys`."""
    return msgspec.Meta(extra_json_schema={_LIST_TYPE: "map", _LIST_KEYS: list(keys)})


def Rule(expression: str, **told: str | bool) -> msgspec.Meta:
    """Marks a value that must satisfy a CEL expression, which knows it as `self`.

    `told` are the further fields of a `ValidationRule`: `message`, `messageExpression`, `reason`,
    `fieldPath`, `optionalOldSelf`. Only generated definitions (`crdgen`) carry rules; several on
    one value all hold.
    """
    return msgspec.Meta(extra_json_schema={RULE + expression: {"rule": expression, **told}})


LIST_SET = msgspec.Meta(extra_json_schema={_LIST_TYPE: "set"})
"""Marks a list of scalars without order, each there once."""

ATOMIC = msgspec.Meta(extra_json_schema={_MAP_TYPE: "atomic"})
"""Marks an object that is set as a whole."""


def schema_of(struct: type[msgspec.Struct], definitions: Definitions) -> Schema:
    """The schema of the kind that `struct` describes, with apiVersion, kind and metadata.

    Raises TypeError for a field whose type has no place in Kubernetes' structural schemas.
    """
    root = _Reader(definitions).read(kinds.type_info(struct))
    shared = {
        "apiVersion": Schema(type="string", description="The group and version of this schema."),
        "kind": Schema(type="string", description="The kind of this object, in CamelCase."),
        "metadata": definitions(_META),
    }
    required = root.required - shared.keys()
    return replace(root, properties={**root.properties, **shared}, required=required)


class _Reader:
    """One reading: structs that were met already are answered with the same schema."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._structs: dict[type, Schema] = {}

    def read(self, info: kinds.Type) -> Schema:
        reader = _READERS.get(type(info))
        if reader is None:
            raise TypeError(f"{type(info).__name__} has no schema in Kubernetes' API")
        return reader(self, info)

    def struct(self, info: kinds.StructType) -> Schema:
        if (known := self._structs.get(info.cls)) is not None:
            return known
        schema = Schema(type="object", description=inspect.cleandoc(info.cls.__doc__ or ""))
        schema.required = frozenset(item.encode_name for item in info.fields if item.required)
        schema.properties = properties = {}
        self._structs[info.cls] = schema  # before its properties: they may lead back here
        properties.update({item.encode_name: self.read(item.type) for item in info.fields})
        return schema

    def annotated(self, info: kinds.Metadata) -> Schema:
        facts = info.extra_json_schema or {}
        name = facts.get(REFERENCE)
        schema = self._definitions(name) if name else self.read(info.type)
        changes: dict[str, Any] = {}
        if "description" in facts:
            changes["description"] = facts["description"]
        if _LIST_TYPE in facts:
            changes["list_type"] = facts[_LIST_TYPE]
            changes["list_keys"] = tuple(facts.get(_LIST_KEYS, ()))
        if _MAP_TYPE in facts:
            changes["atomic"] = True
        return replace(schema, **changes) if changes else schema

    def union(self, info: kinds.UnionType) -> Schema:
        """`X | None` is an optional X, `int | str` Kubernetes' IntOrString."""
        choices = [choice for choice in info.types if not isinstance(choice, kinds.NoneType)]
        if len(choices) == 1:
            return self.read(choices[0])
        if {type(choice) for choice in choices} == {kinds.IntType, kinds.StrType}:
            return Schema(type="int-or-string")
        raise TypeError(f"a union of {len(choices)} types has no schema in Kubernetes' API")

    def array(self, info: kinds.ListType | kinds.VarTupleType) -> Schema:
        _refuse(info, "min_length", "max_length")
        return Schema(type="array", items=self.read(info.item_type))

    def mapping(self, info: kinds.DictType) -> Schema:
        _refuse(info, "min_length", "max_length")
        return Schema(type="object", values=self.read(info.value_type))

    def string(self, info: kinds.StrType) -> Schema:
        return Schema(
            type="string",
            pattern=info.pattern or "",
            min_length=info.min_length or 0,
            max_length=info.max_length,
        )

    def integer(self, info: kinds.IntType) -> Schema:
        _refuse(info, "gt", "lt", "multiple_of")
        return Schema(type="integer", format="int64", minimum=info.ge, maximum=info.le)

    def number(self, info: kinds.FloatType) -> Schema:
        _refuse(info, "gt", "lt", "multiple_of")
        return Schema(type="number", format="double", minimum=info.ge, maximum=info.le)

    def boolean(self, info: kinds.BoolType) -> Schema:
        return Schema(type="boolean")

    def time(self, info: kinds.DateTimeType) -> Schema:
        return Schema(type="string", format="date-time")

    def choice(self, info: kinds.LiteralType) -> Schema:
        values = tuple(str(value) for value in info.values)
        if values != info.values:
            raise TypeError("an enumeration in Kubernetes' API is one of strings")
        return Schema(type="string", enum=values)

    def anything(self, info: kinds.AnyType | kinds.RawType) -> Schema:
        return Schema(type="any")


def _refuse(info: kinds.Type, *constraints: str) -> None:
    """A constraint that isn't carried over must not get lost silently."""
    for name in constraints:
        if getattr(info, name, None) is not None:
            raise TypeError(f"{name} on {type(info).__name__} is not carried into schemas")


_READERS: Mapping[type[kinds.Type], Callable[[_Reader, Any], Schema]] = {
    kinds.StructType: _Reader.struct,
    kinds.Metadata: _Reader.annotated,
    kinds.UnionType: _Reader.union,
    kinds.ListType: _Reader.array,
    kinds.VarTupleType: _Reader.array,
    kinds.DictType: _Reader.mapping,
    kinds.StrType: _Reader.string,
    kinds.IntType: _Reader.integer,
    kinds.FloatType: _Reader.number,
    kinds.BoolType: _Reader.boolean,
    kinds.DateTimeType: _Reader.time,
    kinds.LiteralType: _Reader.choice,
    kinds.AnyType: _Reader.anything,
    kinds.RawType: _Reader.anything,
}
