"""Whether a schema is made of what schemas are made of: JSON types, before anything is read of it.

Parts of schemas that may be schemas or something else (`items`, `additionalProperties`) reach us
unchecked, because the definition of the kind can't say what they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.base.errors import FieldError, invalid_combination, type_invalid

DEEPEST = 100
TEXT = frozenset(
    {
        *("$ref", "$schema", "id", "description", "type", "format", "title", "pattern"),
        *("x-kubernetes-list-type", "x-kubernetes-map-type"),
    }
)
SIMPLE = frozenset({"description", "type", "format"})
NUMBER = frozenset({"maximum", "minimum", "multipleOf"})
WHOLE = frozenset(
    {"maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"}
)
TRUTH = frozenset(
    {
        *("exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable"),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"),
        "x-kubernetes-int-or-string",
    }
)
TEXTS = frozenset({"required", "x-kubernetes-list-map-keys"})
NODES = frozenset({"allOf", "anyOf", "oneOf"})
NAMED = frozenset({"properties", "patternProperties", "definitions"})
LISTS = frozenset({"enum", "x-kubernetes-validations"})


def malformed(node: Any, path: str, depth: int = DEEPEST) -> Iterator[FieldError]:
    """What in the schema at `path`, or below, is of a JSON type that can't stand there; and what
    lies deeper than `depth` more schemas.
    """
    if depth == 0:
        detail = f"must not be nested more than {DEEPEST} levels deep"
        yield invalid_combination(path, detail)
    elif type(node) is not dict:
        yield _mistyped(path, node, "object")
    elif not _is_simple(node):
        for name, value in node.items():
            if value is not None:
                yield from _keyword(name, value, f"{path}.{name}", depth)


def _is_simple(node: dict[str, Any]) -> bool:
    """Whether it is one of those leaves that most nodes are."""
    return node.keys() <= SIMPLE and all([type(value) is str for value in node.values()])


def _keyword(name: str, value: Any, path: str, depth: int) -> Iterator[FieldError]:
    for names, kinds, wanted in _SCALARS:
        if name in names and type(value) not in kinds:
            yield _mistyped(path, value, wanted)
    if name in TEXTS or name in NODES or name in LISTS:
        yield from _listed(name, value, path, depth)
    elif name in NAMED:
        if type(value) is not dict:
            yield _mistyped(path, value, "object")
            return
        for key, child in value.items():
            yield from malformed(child, f"{path}[{key}]", depth - 1)
    elif name == "not" or (name in ("items", "additionalProperties") and _is_node(name, value)):
        yield from malformed(value, path, depth - 1)


_SCALARS: tuple[tuple[frozenset[str], tuple[type, ...], str], ...] = (
    (TEXT, (str,), "string"),
    (NUMBER, (int, float), "number"),
    (WHOLE, (int,), "integer"),
    (TRUTH, (bool,), "boolean"),
)


def _is_node(name: str, value: Any) -> bool:
    """Whether it is, or should be, one schema."""
    return type(value) is not (list if name == "items" else bool)


def _listed(name: str, value: Any, path: str, depth: int) -> Iterator[FieldError]:
    if type(value) is not list:
        yield _mistyped(path, value, "array")
        return
    for at, item in enumerate(value):
        where = f"{path}[{at}]"
        if name in NODES:
            yield from malformed(item, where, depth - 1)
        elif name in TEXTS and type(item) is not str:
            yield _mistyped(where, item, "string")
        elif name == "x-kubernetes-validations" and not isinstance(item, Mapping):
            yield _mistyped(where, item, "object")


def _mistyped(path: str, value: Any, wanted: str) -> FieldError:
    got = type(value).__name__
    return type_invalid(path, got, f'{path} in body must be of type {wanted}: "{got}"')
