"""Whether a schema is structural, in the words of kube-apiserver, each fault with its path.

A structural schema says of every field what type it has; below `anyOf`, `not` and the like there
are only further conditions on values that were described outside. So an object can be pruned and
given its defaults without trying alternatives. Nesting is bounded by what a request may be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from argosy.api.extensions.checking import compiled
from argosy.api.extensions.lists import list_faults
from argosy.api.extensions.nodes import (
    ABSENT,
    COMBINED,
    EMBEDDED,
    HEAD,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    OPEN,
    RULES,
    Node,
)
from argosy.api.extensions.patterns import pattern
from argosy.api.extensions.rules import rule_faults
from argosy.api.extensions.tidying import filler, tidy
from argosy.api.extensions.wellformed import SIMPLE, malformed
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_combination,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]
SCALARS = frozenset({"string", "integer", "number", "boolean"})
TYPES = ("array", "boolean", "integer", "number", "object", "string")
UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
AT_ROOT = (
    *("Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum"),
    *("ExclusiveMinimum", "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems"),
    *("UniqueItems", "MultipleOf", "Required", "Items", "Properties", "ExternalDocs", "Example"),
    *("XPreserveUnknownFields", "XValidations"),
)
"""Go's names of what may stand at the root of a kind with a status."""
LOWER = frozenset({OPEN, RULES, *(name[0].lower() + name[1:] for name in AT_ROOT)})
EITHER = [{"type": "integer"}, {"type": "string"}]
BARE: tuple[tuple[str, str], ...] = (
    ("type", "must be empty to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    (OPEN, "must be false to be structural"),
    (EMBEDDED, "must be false to be structural"),
    (INT_OR_STRING, "must be false to be structural"),
    (LIST_KEYS, "must be empty to be structural"),
    (LIST_TYPE, "must be undefined to be structural"),
    (MAP_TYPE, "must be undefined to be structural"),
)
"""What may not stand below `anyOf` and the like."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands."""

    level: str = "root"  # or item, field
    no_default: str = ""  # why there may be no defaults
    in_meta: bool = False


def faults(root: Any, path: str, *, status: bool) -> list[FieldError]:
    """All that is wrong with the schema at `path`; `status`: of a kind with that subresource."""
    wrong = list(malformed(root, path))
    if wrong:
        return wrong
    wrong += _of_root(root, path, status=status)
    wrong += _node(root, path, Place())
    return wrong or list(_defaults(root, path))


def _of_root(root: Node, path: str, *, status: bool) -> Errors:
    if status:
        if root.get("type") != "object":
            detail = (
                'only "object" is allowed as the type at the root of the schema if the status '
                "subresource is enabled"
            )
            yield invalid_value(f"{path}.type", root.get("type", ""), detail)
        elif any(value and name not in LOWER for name, value in root.items()):
            detail = (
                f"only [{' '.join(AT_ROOT)}] fields are allowed at the root of the schema if the "
                "status subresource is enabled"
            )
            yield invalid_combination(path, detail)
    if root.get("nullable"):
        yield forbidden_field(f"{path}.nullable", "nullable cannot be true at the root")


def is_leaf(node: Node) -> bool:
    """Whether a node says no more than which scalar it is: nothing can be wrong with it."""
    return node.keys() <= SIMPLE and node.get("type") in SCALARS


def _node(node: Node, path: str, place: Place) -> Errors:
    if place.level != "root" and is_leaf(node):
        return
    yield from _standard(node, path, place)
    yield from _typed(node, path, place)
    yield from _extended(node, path)
    yield from list_faults(node, path)
    yield from rule_faults(node, path)
    yield from _head(node, path, place)
    yield from _below(node, path, place)
    yield from _conditions(node, node, path, path)


def _standard(node: Node, path: str, place: Place) -> Errors:
    kind = node.get("type")
    if kind and kind not in TYPES:
        yield not_supported(f"{path}.type", kind, TYPES)
    if node.get("default") is not None and place.no_default:
        yield forbidden_field(f"{path}.default", f"must not be set {place.no_default}")
    for name in UNSUPPORTED:
        if node.get(name):
            yield forbidden_field(f"{path}.{name}", f"{name} is not supported")
    if isinstance(node.get("items"), list):
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")
    if kind == "null":
        detail = "type cannot be set to null, use nullable as an alternative"
        yield forbidden_field(f"{path}.type", detail)
    if place.in_meta and node.get(EMBEDDED):
        yield forbidden_field(f"{path}.{EMBEDDED}", "must not be used inside of resource meta")
    if node.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden_field(f"{path}.uniqueItems", detail)


EMPTY: Mapping[str, str] = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}


def _typed(node: Node, path: str, place: Place) -> Errors:
    kind = node.get("type")
    if kind == "array" and node.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    if node.get(EMBEDDED) and kind != "object":
        detail = f"must be object if {EMBEDDED} is true"
        yield (
            invalid_value(f"{path}.type", kind, detail)
            if kind
            else required(f"{path}.type", detail)
        )
    elif not kind and not node.get(INT_OR_STRING) and not node.get(OPEN):
        yield required(f"{path}.type", EMPTY[place.level])
    if place.level == "root" and kind and kind != "object":
        yield invalid_value(f"{path}.type", kind, "must be object at the root")
    extra = node.get("additionalProperties")
    if extra is None:
        return
    if place.level == "root":
        yield forbidden_field(f"{path}.additionalProperties", "must not be used at the root")
    if node.get(EMBEDDED):
        detail = f"must not be used if {EMBEDDED} is set"
        yield forbidden_field(f"{path}.additionalProperties", detail)
    if node.get("properties") and extra is not True:
        detail = "additionalProperties and properties are mutual exclusive"
        yield forbidden_field(f"{path}.additionalProperties", detail)


def _extended(node: Node, path: str) -> Errors:
    either = f"must be false if {INT_OR_STRING} is true"
    if node.get(INT_OR_STRING):
        for name in (OPEN, EMBEDDED):
            if node.get(name):
                yield invalid_value(f"{path}.{name}", True, either)
    if node.get(OPEN) is False:
        yield invalid_value(f"{path}.{OPEN}", False, "must be true or undefined")
    kind = node.get("type", "")
    if (form := node.get(MAP_TYPE)) is not None:
        detail = f"must be object if {MAP_TYPE} is specified"
        if kind != "object":
            where = f"{path}.type"
            yield invalid_value(where, kind, detail) if kind else required(where, detail)
        if form not in ("atomic", "granular"):
            yield not_supported(f"{path}.{MAP_TYPE}", form, ["atomic", "granular"])
    if node.get(EMBEDDED) and not node.get(OPEN) and not node.get("properties"):
        detail = f"must not be empty if {EMBEDDED} is true without {OPEN}"
        yield required(f"{path}.properties", detail)


def _head(node: Node, path: str, place: Place) -> Errors:
    if place.level != "root" and not node.get(EMBEDDED):
        return
    known = node.get("properties") or {}
    for name in ("kind", "apiVersion"):
        if name in known and known[name].get("type") != "string":
            where = f"{path}.properties[{name}].type"
            yield invalid_value(where, known[name].get("type", ""), "must be string")
    if (meta := known.get("metadata")) is None:
        return
    where = f"{path}.properties[metadata]"
    if meta.get("type") != "object":
        yield invalid_value(f"{where}.type", meta.get("type", ""), "must be object")
    if place.level != "root":
        return
    beside = {name for name, value in meta.items() if value} - {"type", "default", "properties"}
    beside -= {"description", "title"}
    if beside or not (meta.get("properties") or {}).keys() <= {"name", "generateName"}:
        detail = (
            "must not specify anything other than name and generateName, but metadata is "
            "implicitly specified"
        )
        yield forbidden_field(where, detail)


def _deeper(place: Place, level: str) -> Place:
    return place if place.level == level else replace(place, level=level)


def _below(node: Node, path: str, place: Place) -> Errors:
    top = place.level == "root"
    inside = _deeper(place, "field")
    for name, child in (node.get("properties") or {}).items():
        spot = inside
        if name in HEAD and (top or node.get(EMBEDDED)):
            spot = replace(spot, in_meta=True)
            if top:
                spot = replace(spot, no_default=f"in top-level {name}")
        yield from _node(child, f"{path}.properties[{name}]", spot)
    if isinstance(extra := node.get("additionalProperties"), Mapping):
        if place.in_meta:
            why = "inside additionalProperties applying to object metadata"
            inside = replace(inside, no_default=why)
        yield from _node(extra, f"{path}.additionalProperties", inside)
    if isinstance(items := node.get("items"), Mapping):
        yield from _node(items, f"{path}.items", _deeper(place, "item"))


# conditions on values


def _conditions(node: Node, described: Node, path: str, there: str) -> Errors:
    """`anyOf` and the like of `node`; `described`, at `there`, is what tells of the same value."""
    if text := node.get("pattern"):
        try:
            pattern(text)
        except ValueError as error:
            detail = f"must be a valid regular expression, but isn't: {error}"
            yield invalid_value(f"{path}.pattern", text, detail)
    for name in COMBINED:
        for at, child in enumerate(node.get(name) or ()):
            if not _either(node, name, at):
                yield from _nested(child, described, f"{path}.{name}[{at}]", there)
    if (child := node.get("not")) is not None:
        yield from _nested(child, described, f"{path}.not", there)


def _either(node: Node, name: str, at: int) -> bool:
    """Whether this is the way in which a schema says int or string a second time."""
    if name == "anyOf":
        return bool(node[name] == EITHER)
    return name == "allOf" and at == 0 and node[name][0].get("anyOf") == EITHER


def _nested(node: Node, described: Node, path: str, there: str) -> Errors:
    for name, detail in BARE:
        if node.get(name):
            yield forbidden_field(f"{path}.{name}", detail)
    if node.get(RULES) and ".allOf[" not in path:
        yield forbidden_field(f"{path}.{RULES}", "must be empty to be structural")
    if node.get("additionalProperties") is not None:
        where = f"{path}.additionalProperties"
        yield forbidden_field(where, "must be undefined to be structural")
    yield from _conditions(node, described, path, there)
    known = described.get("properties") or {}
    extra = described.get("additionalProperties")
    for name, child in (node.get("properties") or {}).items():
        where = f"{path}.properties[{name}]"
        if name == "metadata":
            yield forbidden_field(where, "must not be specified in a nested context")
        below = known.get(name, extra if isinstance(extra, Mapping) else None)
        if below is None:
            missing = f"{there}.properties[{name}]"
            yield required(missing, f"because it is defined in {where}")
        else:
            yield from _nested(child, below, where, f"{there}.properties[{name}]")
    if isinstance(items := node.get("items"), Mapping):
        where = f"{path}.items"
        below = described.get("items")
        if isinstance(below, Mapping):
            yield from _nested(items, below, where, f"{there}.items")
        else:
            yield required(f"{there}.items", f"because it is defined in {where}")


# defaults


def _defaults(node: Node, path: str) -> Errors:
    """Defaults must be what the schema asks for, once they have got defaults themselves."""
    default = node.get("default")
    if default is not None:
        yield from _default(node, default, f"{path}.default")
    for name, child in (node.get("properties") or {}).items():
        if not is_leaf(child):
            yield from _defaults(child, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(child := node.get(name), Mapping):
            yield from _defaults(child, f"{path}.{name}")


def _default(node: Node, default: Any, path: str) -> Errors:
    unknown: list[str] = []
    holder: dict[str, Any] = {"type": "object", "properties": {"it": node}}
    kept = tidy(holder, {"it": default}, unknown)
    if unknown:
        yield invalid_value(path, default, "must not have unknown fields")
        return
    value = kept.get("it", default)
    if isinstance(value, dict | list) and (fill := filler(holder)) is not None:
        fill(kept)
    errors: list[FieldError] = []
    compiled(node)(value, ABSENT, path, errors)
    yield from errors
