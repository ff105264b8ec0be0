"""What a schema may say of how the items of a list are told apart."""

from collections.abc import Iterator, Mapping, Sequence

from argosy.api.extensions.nodes import LIST_KEYS, LIST_TYPE, MAP_TYPE, Node
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]
KINDS = ("atomic", "set", "map")


def list_faults(node: Node, path: str) -> Errors:
    """What is wrong with the list type of one node."""
    form, keys = node.get(LIST_TYPE), node.get(LIST_KEYS) or []
    if form is not None:
        yield from _typed(node, form, path)
    if keys and form != "map":
        detail = f"must be map if {LIST_KEYS} is non-empty"
        where = f"{path}.{LIST_TYPE}"
        yield required(where, detail) if form is None else invalid_value(where, form, detail)
    items = node.get("items")
    if form == "map":
        yield from _map(items, keys, path)
    if form in ("set", "map") and isinstance(items, Mapping):
        yield from _certain(items, form, keys, path)


def _typed(node: Node, form: str, path: str) -> Errors:
    kind = node.get("type")
    items = node.get("items")
    if kind != "array":
        detail = f"must be array if {LIST_TYPE} is specified"
        where = f"{path}.type"
        yield invalid_value(where, kind, detail) if kind else required(where, detail)
    elif form == "set" and isinstance(items, Mapping):
        detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
        if items.get("type") == "array" and (items.get(LIST_TYPE) or "atomic") != "atomic":
            yield invalid_value(f"{path}.items.{LIST_TYPE}", items[LIST_TYPE], detail)
        if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
            yield invalid_value(f"{path}.items.{MAP_TYPE}", items.get(LIST_TYPE), detail)
    if form not in KINDS:
        yield not_supported(f"{path}.{LIST_TYPE}", form, KINDS)


def _map(items: object, keys: Sequence[str], path: str) -> Errors:
    if not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {LIST_TYPE} is map")
    if not isinstance(items, Mapping):
        return
    if items.get("type") != "object":
        detail = f"must be object if parent array's {LIST_TYPE} is map"
        yield invalid_value(f"{path}.items.type", items.get("type", ""), detail)
        return
    known = items.get("properties") or {}
    for at, key in enumerate(keys):
        if key not in known:
            detail = "entries must all be names of item properties"
            yield invalid_value(f"{path}.{LIST_KEYS}", keys, detail)
        elif known[key].get("type") in ("array", "object"):
            detail = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield invalid_value(f"{path}.items.properties[{key}].type", items["type"], detail)
        if key in keys[:at]:
            detail = "must not contain duplicate entries"
            yield invalid_value(f"{path}.{LIST_KEYS}", keys, detail)


def _certain(items: Node, form: str, keys: Sequence[str], path: str) -> Errors:
    """Keys are always there."""
    if items.get("nullable"):
        detail = f"cannot be nullable when {LIST_TYPE} is {form}"
        yield forbidden_field(f"{path}.items.nullable", detail)
    known, needed = items.get("properties") or {}, items.get("required") or ()
    for key in keys if form == "map" else ():
        if (field := known.get(key)) is None:
            continue
        where = f"{path}.items.properties[{key}]"
        if key not in needed and field.get("default") is None:
            detail = (
                f"this property is in {LIST_KEYS}, so it must have a default or be a required "
                "property"
            )
            yield required(f"{where}.default", detail)
        if field.get("nullable"):
            detail = f"this property is in {LIST_KEYS}, so it cannot be nullable"
            yield forbidden_field(f"{where}.nullable", detail)
