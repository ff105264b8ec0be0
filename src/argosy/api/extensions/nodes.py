"""Nodes of a structural schema, and what is asked of them everywhere.

A schema is kept as its users wrote it: JSON of OpenAPI v3. It was found to be structural when it
was created (`structure`), so that what reads it needs no checks of its own.
"""

from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]

OPEN = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
RULES = "x-kubernetes-validations"
EVERYTHING: Node = {OPEN: True, "nullable": True}
COMBINED = ("allOf", "anyOf", "oneOf")

HEAD = ("apiVersion", "kind", "metadata")
"""What an object has beside its schema."""


class Absent:
    """The type of `ABSENT`."""


ABSENT = Absent()
"""Stands for a value that is not there; None is a value."""


def values_of(node: Node) -> Node | None:
    """The schema of a map's values, if they have one; that of everything where they may be so."""
    found = node.get("additionalProperties")
    if isinstance(found, Mapping):
        return found
    return EVERYTHING if found is True else None


def same(left: object, right: object) -> bool:
    """Equality of JSON values: unlike in Python, true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right and isinstance(left, bool) is isinstance(right, bool)


def join(path: str, name: str) -> str:
    """The path of what stands under `name`."""
    return f"{path}.{name}" if path else name
