"""Schemas as OpenAPI v3 nodes: whole for CRDs, with references for OpenAPI documents."""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.schema import Schema

Node = dict[str, Any]
Refer = Callable[[str], Node]
"""Gives the reference that stands for the built-in definition of a name."""

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_OPEN = "x-kubernetes-preserve-unknown-fields"
_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "any": {_OPEN: True},
    "int-or-string": {"x-kubernetes-int-or-string": True},
    "quantity": {"x-kubernetes-int-or-string": True, "pattern": _QUANTITY},
}


def render(schema: Schema, refer: Refer | None = None, above: tuple[Schema, ...] = ()) -> Node:
    """`schema` as a node, with built-in definitions written out unless `refer` is given.

    A schema that contains itself (one of `above`) ends in an object of unknown fields, which is
    all that a structural schema can say of it.
    """
    node: Node = {"description": schema.description} if schema.description else {}
    if refer is not None and schema.name:
        reference = refer(schema.name)
        return {**node, "allOf": [reference]} if node else reference
    if any(schema is outer for outer in above):
        return {**node, "type": "object", _OPEN: True}
    node.update(_own(schema))
    above = (*above, schema)
    if schema.properties:
        children = schema.properties.items()
        node["properties"] = {name: render(child, refer, above) for name, child in children}
    if schema.required:
        node["required"] = sorted(schema.required)
    if schema.values is not None:
        node["additionalProperties"] = render(schema.values, refer, above)
    if schema.items is not None:
        node["items"] = render(schema.items, refer, above)
    return node


HEAD: Mapping[str, str] = {
    "apiVersion": "The group and version of this object's schema.",
    "kind": "The kind of this object, in CamelCase.",
}


def published(root: Mapping[str, Any], refer: Refer) -> Node:
    """The schema that users gave their kind, with what it has of every object."""
    head: Node = {name: {"description": text, "type": "string"} for name, text in HEAD.items()}
    metadata = {"allOf": [refer(META)], "description": "What every object has."}
    properties = root.get("properties") or {}
    return {**root, "properties": {**properties, **head, "metadata": metadata}}


def _own(schema: Schema) -> Node:
    """What is said of `schema` itself: all but its properties, values and items."""
    node: Node = dict(_TYPES.get(schema.type, {"type": schema.type}))
    limits = {
        "format": schema.format or None,
        "enum": list(schema.enum) or None,
        "minimum": schema.minimum,
        "maximum": schema.maximum,
        "minLength": schema.min_length or None,
        "maxLength": schema.max_length,
        "pattern": schema.pattern or None,
        "default": schema.default,
        _OPEN: True if schema.unknown else None,
        "x-kubernetes-map-type": "atomic" if schema.atomic else None,
    }
    node.update({key: value for key, value in limits.items() if value is not None})
    if schema.type == "array":
        node.update(_list_type(schema))
    return node


def _list_type(schema: Schema) -> Node:
    """API servers refuse a list of type map with a key that is neither required nor defaulted."""
    items = schema.items
    if schema.list_type != "map" or items is None:
        return {"x-kubernetes-list-type": schema.list_type}
    certain = (
        key in items.required or items.properties[key].default is not None
        for key in schema.list_keys
    )
    if not all(certain):
        return {"x-kubernetes-list-type": "atomic"}
    keys = list(schema.list_keys)
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
