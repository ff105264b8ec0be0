"""The types of served kinds, as expressions are checked against them.

What a schema leaves open is dynamic, and so is a quantity, which may be a text or a number: what is
said of an expression must be true.
"""

from collections.abc import Mapping
from typing import Final

from argosy.api.cel.decltypes import DeclType, decl_type, escape
from argosy.api.cel.nodes import Kind
from argosy.api.schema import Schema, Type
from argosy.apiserver.admission.policy.types import DYNAMIC, SCALARS, list_of, map_of
from argosy.apiserver.catalog import Served

_KINDS: Final[Mapping[Type, Kind]] = {
    "boolean": "bool",
    "integer": "int",
    "number": "double",
    "string": "string",
}
_FORMATS: Final[Mapping[str, Kind]] = {"byte": "bytes", "date-time": "timestamp"}


def type_of(served: Served) -> DeclType:
    """The type of a kind's objects."""
    node = served.node
    if node is not None:
        return decl_type(node, root=True) or DYNAMIC
    return _of(served.schema, {})


def _of(schema: Schema, known: dict[int, DeclType]) -> DeclType:
    """`known` are those above and before, by identity: a schema may contain itself."""
    if schema.type == "array" and schema.items is not None:
        return list_of(_of(schema.items, known))
    if schema.type == "object" and schema.values is not None:
        return map_of(_of(schema.values, known))
    if schema.type == "object" and schema.properties and not schema.unknown:
        return _message(schema, known)
    kind = _KINDS.get(schema.type)
    if kind is None:
        return DYNAMIC
    return SCALARS[_FORMATS.get(schema.format, kind) if kind == "string" else kind]


def _message(schema: Schema, known: dict[int, DeclType]) -> DeclType:
    if id(schema) not in known:
        made = known[id(schema)] = DeclType("message", 2)
        for name, child in schema.properties.items():
            if escaped := escape(name):
                made.fields[escaped] = _of(child, known)
                if escaped == f"__{name}__":  # `object.namespace` as well as `__namespace__`
                    made.fields[name] = made.fields[escaped]
    return known[id(schema)]
