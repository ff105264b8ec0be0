"""What CEL sees of a schema: types, the names of fields, and how large a value can get.

Sizes follow Kubernetes' model: what a schema leaves unbounded is bounded by the largest request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.api.cel import nodes

MAX_REQUEST: Final = 3 * 1024 * 1024
"""Bytes of the largest request, fixed for estimation whatever a server allows."""

_RESERVED: Final = frozenset(
    "true false null in as break const continue else for function if import let loop package "
    "namespace return var void while".split()
)
_ESCAPED: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SIZES: Final[Mapping[str, tuple[nodes.Kind, int, int]]] = {  # kind, smallest, largest
    "byte": ("bytes", 2, MAX_REQUEST - 2),
    "duration": ("duration", 3, 32),
    "date": ("timestamp", 12, 12),
    "date-time": ("timestamp", 21, 32),
}
_NAMED: Final[Mapping[str, Any]] = {
    "kind": {"type": "string"},
    "apiVersion": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


@dataclass(slots=True)
class DeclType:
    """A type made of a schema. `most` bounds characters, items or entries; `least` is in bytes."""

    kind: nodes.Kind  # "message" for an object with fields
    least: int
    most: int = 0
    fields: dict[str, "DeclType"] = field(default_factory=dict)  # by escaped name
    element: "DeclType | None" = None
    other: "DeclType | None" = None  # of a map: what any name in it is


_STRING: Final = DeclType("string", 2, 0)


def escape(name: str) -> str:
    """A field's name as CEL writes it; empty where CEL can't."""
    if not name or name[0].isdigit():
        return ""
    if name in _RESERVED:
        return f"__{name}__"
    if re.search(r"[^a-zA-Z0-9\-./_]", name):
        return ""
    return re.sub(r"__|[-./]", lambda found: _ESCAPED[found.group()], name)


def unescape(name: str) -> str:
    """A field's own name of the one in an expression."""
    if "__" not in name:
        return name
    if name[2:-2] in _RESERVED and name == f"__{name[2:-2]}__":
        return name[2:-2]
    for plain, escaped in _ESCAPED.items():
        if plain != "__":
            name = name.replace(escaped, plain)
    return name.replace("__underscores__", "__")


def decl_type(schema: Mapping[str, Any], *, root: bool = False) -> DeclType | None:
    """The type of a structural schema, as openAPIV3Schema writes it; None for one unseen by CEL.

    `root`: of a custom resource, or an embedded one; name and kind are always seen there.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return DeclType("dyn", 1, _longest(schema))
    kind = "object" if root else schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema, root=root)
    if kind == "string":
        return _string(schema)
    simple: dict[Any, DeclType] = {
        "boolean": DeclType("bool", 4),
        "number": DeclType("double", 1),
        "integer": DeclType("int", 1),
    }
    return simple.get(kind)


def _child(schema: Any) -> DeclType | None:
    if not isinstance(schema, Mapping):
        return None
    return decl_type(schema, root=bool(schema.get("x-kubernetes-embedded-resource")))


def _array(schema: Mapping[str, Any]) -> DeclType | None:
    element = _child(schema.get("items"))
    if element is None:
        return None
    most = schema.get("maxItems")
    bound = (MAX_REQUEST - 2) // (element.least + 1) if most is None else max(0, most)
    return DeclType("list", 2, bound, element=element)


def _object(schema: Mapping[str, Any], *, root: bool) -> DeclType | None:
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping) and not root:
        element = _child(values)
        if element is None:
            return None
        most = schema.get("maxProperties")
        bound = (MAX_REQUEST - 2) // (element.least + 6) if most is None else max(0, most)
        return DeclType("map", 2, bound, element=element)
    made = DeclType("message", 2)
    required = schema.get("required") or ()
    properties = schema.get("properties") or {}
    for name, child in {**properties, **(_NAMED if root else {})}.items():
        kept = child if root and _fits(properties, name) is False else properties.get(name, child)
        seen = _child(kept)
        if seen is None:
            continue
        if escaped := escape(name):
            made.fields[escaped] = seen
        if name in _RESERVED:  # `self.namespace` as well as `self.__namespace__`
            made.fields[name] = seen
        if name in required and kept.get("default") is None:
            made.least += len(name) + seen.least + 4
    return made


def _fits(properties: Mapping[str, Any], name: str) -> bool | None:
    """Whether a root's own schema for a built-in field serves; None for another field."""
    if name not in _NAMED:
        return None
    own = properties.get(name) or {}
    if name != "metadata":
        return own.get("type") == "string"
    return {"name", "generateName"} <= (own.get("properties") or {}).keys()


def _longest(schema: Mapping[str, Any]) -> int:
    most = schema.get("maxLength")
    return MAX_REQUEST - 2 if most is None else max(0, most) * 4


def _string(schema: Mapping[str, Any]) -> DeclType:
    if known := _SIZES.get(schema.get("format") or ""):
        kind, least, largest = known
        if kind == "bytes" and schema.get("maxLength") is not None:
            largest = max(0, schema["maxLength"])
        return DeclType(kind, least, largest)
    if schema.get("maxLength") is None and schema.get("enum"):
        longest = (len(value.encode()) for value in schema["enum"] if isinstance(value, str))
        return DeclType("string", 2, max(longest, default=0))
    return DeclType("string", 2, _longest(schema))


def at_path(root: DeclType, path: tuple[str, ...]) -> DeclType | None:
    """The type below `root`; `@items`, `@values` and `@keys` step into lists and maps."""
    node: DeclType | None = root
    for name in path:
        if node is None:
            return None
        if name in ("@items", "@values"):
            node = node.element
        elif name == "@keys":
            node = _STRING if node.kind == "map" else None
        else:
            node = node.fields.get(name) or node.other
    return node
