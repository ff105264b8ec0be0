"""The shape of a kind, as validation, pruning and server-side apply read it.

A `Schema` is built from the OpenAPI definitions of the served Kubernetes minor (`builtin`) or from
an own kind's struct (`structs`); both end up here, so nothing below asks where it came from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Type = Literal[
    "object",  # `properties`, or `values` for a map, or `unknown` for anything
    "array",
    "string",
    "integer",
    "number",
    "boolean",
    "quantity",  # a string or a number that reads as a quantity
    "int-or-string",
    "any",  # whatever JSON there is
]
ListType = Literal["atomic", "set", "map"]
PatchStrategy = Literal["", "merge", "replace"]


@dataclass(slots=True, kw_only=True)
class Schema:
    """One node. `properties`' and `items`' schemas are resolved: no references are left.

    A schema that contains itself (JSONSchemaProps) does so by identity.
    """

    type: Type
    name: str = ""  # of the shared OpenAPI definition that this is
    properties: Mapping[str, "Schema"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    values: "Schema | None" = None  # of a map
    items: "Schema | None" = None  # of an array
    unknown: bool = False  # x-kubernetes-preserve-unknown-fields
    format: str = ""  # int32, int64, byte, date-time, double
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0  # of a string, in characters
    max_length: int | None = None
    pattern: str = ""
    list_type: ListType = "atomic"
    list_keys: tuple[str, ...] = ()  # of list_type map
    atomic: bool = False  # x-kubernetes-map-type: atomic
    patch_strategy: PatchStrategy = ""  # of a strategic merge patch; "": maps merge, lists don't
    merge_key: str = ""  # of list elements under patch_strategy merge
    default: Any = None
    description: str = ""


Definitions = Callable[[str], Schema]
"""Looks up a built-in definition by its OpenAPI name, `io.k8s.api.core.v1.Pod`. Raises KeyError."""
