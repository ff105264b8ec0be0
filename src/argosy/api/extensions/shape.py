"""A structural schema as the field manager, and whoever else works on all kinds, reads shapes.

What a shape can't say (alternatives, formats and the like) `checking` reads from the schema itself.
"""

from collections.abc import Mapping
from typing import cast

from argosy.api.extensions.nodes import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    OPEN,
    Node,
    values_of,
)
from argosy.api.schema import Schema, Type

TYPES: Mapping[str, Type] = {
    "object": "object",
    "array": "array",
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


def shape_of(root: Node, meta: Schema) -> Schema:
    """The shape of the kind with the schema `root`; `meta` is that of any object's metadata."""
    shape = _shape(root, meta)
    return _with_head(shape, meta)


def _with_head(shape: Schema, meta: Schema) -> Schema:
    head = {
        "apiVersion": Schema(type="string"),
        "kind": Schema(type="string"),
        "metadata": meta,
    }
    shape.type = "object"
    shape.properties = {**shape.properties, **head}
    return shape


def _shape(node: Node, meta: Schema) -> Schema:
    if node.get(INT_OR_STRING):
        return Schema(type="int-or-string", default=node.get("default"))
    shape = Schema(type=TYPES.get(node.get("type", ""), "any"), default=node.get("default"))
    shape.unknown = bool(node.get(OPEN))
    shape.atomic = node.get(MAP_TYPE) == "atomic"
    shape.properties = {
        name: _shape(child, meta) for name, child in (node.get("properties") or {}).items()
    }
    if (values := values_of(node)) is not None:
        shape.values = _shape(values, meta)
    if isinstance(items := node.get("items"), Mapping):
        shape.items = _shape(items, meta)
        shape.list_type = node.get(LIST_TYPE) or "atomic"
        shape.list_keys = tuple(cast(list[str], node.get(LIST_KEYS) or ()))
    return _with_head(shape, meta) if node.get(EMBEDDED) else shape
