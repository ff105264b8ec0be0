"""`Table` answers: what kubectl prints without knowing the kind."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.resource import Column, Resource

Json = Mapping[str, Any]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


def table(
    resource: Resource,
    objects: Iterable[Json],
    now: datetime,
    *,
    meta: Json | msgspec.Raw,
    headed: bool,
    include: str = "",
    version: str = "v1",
) -> bytes:
    """The objects as rows. Later pieces of a watch leave the head (`headed`) out.

    `include` says what comes with each row: `Object`, `None`, or the metadata. `version` is that of
    `meta.k8s.io`.
    """
    # Only people ask for tables: a server starts, and serves programs, without their cells.
    from argosy.api.columns.cells import cells

    body = {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta,
        "columnDefinitions": [_definition(column) for column in resource.columns] * headed,
        "rows": [_row(obj, cells(resource.columns, obj, now), include, version) for obj in objects],
    }
    return msgspec.json.encode(body)


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": "string" if column.type == "date" else column.type,
        "format": "name" if column.name == "Name" else "",
        "description": "",
        "priority": column.priority,
    }


def _row(obj: Json, cells: list[Any], include: str, version: str) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": cells}
    if include == "None" and not _marks_the_end(obj["metadata"]):
        return row
    if include == "Object":
        return {**row, "object": obj}
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }
    return {**row, "object": partial}


def _marks_the_end(meta: Json) -> bool:
    """Whether this is the bookmark after the initial events, which clients wait for."""
    return INITIAL_EVENTS_END in (meta.get("annotations") or ())
