"""Whether a value is what its schema asks for, said in the words of kube-apiserver.

A schema becomes functions (`compiled`), made when something is first found wrong: nearly all that
comes fits, and `fitting` sees that faster. With the value that there was before, what did not
change is not complained of, however wrong it is by now (KEP-4008, ratcheting).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from argosy.api.extensions.alternatives import all_of, any_of, none_of, one_of
from argosy.api.extensions.limits import (
    Check,
    Errors,
    distinct,
    enum,
    identity,
    is_of,
    mistyped,
    of_numbers,
    of_strings,
    sized,
    unique,
)
from argosy.api.extensions.nodes import (
    ABSENT,
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    OPEN,
    Node,
    join,
    same,
    values_of,
)
from argosy.api.schema import Schema
from argosy.api.structural import check as check_shape
from argosy.base.errors import MOST_FIELDS, required

ANYTHING = Schema(type="any")


def compiled(node: Node, *, root: bool = False) -> Check:
    """The check of a schema; at the root, metadata is not looked at."""
    parts = list(_parts(node, root=root))
    wanted, nullable = _wanted(node), bool(node.get("nullable"))

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if old is not ABSENT and same(value, old):
            return
        if value is None and nullable:
            return
        if wanted and not is_of(wanted, value):
            errors.append(mistyped(path, value, ",".join(wanted)))
            return
        for part in parts:
            if len(errors) > MOST_FIELDS:  # more are not told
                return
            part(value, old, path, errors)

    return check


def _wanted(node: Node) -> tuple[str, ...]:
    if node.get(INT_OR_STRING):
        return ("integer", "string")
    return (node["type"],) if node.get("type") else ()


def _parts(node: Node, *, root: bool) -> Iterable[Check]:
    """What is to be checked beside the type."""
    properties = dict(node.get("properties") or {})
    if root:
        for name in ("apiVersion", "kind", "metadata"):
            properties.pop(name, None)
    if node.get("enum"):
        yield enum(node["enum"])
    yield from of_strings(node)
    yield from of_numbers(node)
    yield from _of_arrays(node)
    if properties or node.get("required") or values_of(node) is not None:
        yield _fields(node, properties, root=root)
    yield from sized(node, "Properties", dict)
    if node.get(EMBEDDED):
        yield _embedded
    if node.get(OPEN):
        yield _open
    yield from _combined(node)


# lists


def _of_arrays(node: Node) -> Iterable[Check]:
    yield from sized(node, "Items", list)
    if node.get("uniqueItems"):
        yield unique
    if (differing := distinct(node)) is not None:
        yield differing
    if isinstance(node.get("items"), Mapping):
        keys = tuple(node.get(LIST_KEYS) or ()) if node.get(LIST_TYPE) == "map" else ()
        yield _items(compiled(node["items"]), keys)


def _items(check_item: Check, keys: tuple[str, ...]) -> Check:
    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is not list:
            return
        before = _by_keys(old, keys) if keys and type(old) is list else {}
        for at, item in enumerate(value):
            was = before.get(_keys_of(item, keys), ABSENT) if before else ABSENT
            check_item(item, was, f"{path}[{at}]", errors)
            if len(errors) > MOST_FIELDS:
                return

    return check


def _by_keys(items: list[Any], keys: tuple[str, ...]) -> dict[Any, Any]:
    return {_keys_of(item, keys): item for item in items}


def _keys_of(item: Any, keys: tuple[str, ...]) -> Any:
    return identity([item.get(key) for key in keys]) if type(item) is dict else None


# objects


def _fields(node: Node, properties: Mapping[str, Node], *, root: bool) -> Check:
    known = {name: compiled(child) for name, child in properties.items()}
    values = values_of(node)
    other = None if values is None else compiled(values)
    needed = [name for name in node.get("required") or () if not (root and name == "metadata")]

    def check(value: Any, old: Any, path: str, errors: Errors) -> None:
        if type(value) is not dict:
            return
        before = old if type(old) is dict else {}
        for name, item in value.items():
            below = known.get(name, other)
            if below is not None:
                below(item, before.get(name, ABSENT), join(path, name), errors)
        errors.extend(required(join(path, name)) for name in needed if name not in value)

    return check


def _embedded(value: Any, old: Any, path: str, errors: Errors) -> None:
    """An embedded object says what it is."""
    if type(value) is not dict:
        return
    for name in ("apiVersion", "kind"):
        item = value.get(name, "")
        if type(item) is not str:
            errors.append(mistyped(join(path, name), item, "string"))
        elif not item:
            errors.append(required(join(path, name), "must not be empty"))
    if type(value.get("metadata", {})) is not dict:
        errors.append(mistyped(join(path, "metadata"), value["metadata"], "object"))


def _open(value: Any, old: Any, path: str, errors: Errors) -> None:
    errors.extend(check_shape(ANYTHING, value, path))


# alternatives


def _combined(node: Node) -> Iterable[Check]:
    if node.get("anyOf"):
        yield any_of(node["anyOf"], [compiled(child) for child in node["anyOf"]])
    if node.get("oneOf"):
        yield one_of(node["oneOf"], [compiled(child) for child in node["oneOf"]])
    if node.get("allOf"):
        yield all_of([compiled(child) for child in node["allOf"]])
    if node.get("not") is not None:
        yield none_of(compiled(node["not"]))
