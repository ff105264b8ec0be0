"""`Table` answers: what kubectl prints without knowing the kind."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.resource import Column, Resource

Json = Mapping[str, Any]


def table(
    resource: Resource,
    objects: Iterable[Json],
    now: datetime,
    *,
    meta: Json,
    headed: bool,
    include: str = "",
) -> bytes:
    """The objects as rows. Later pieces of a watch leave the head (`headed`) out.

    `include` says what comes with each row: `Object`, `None`, or the metadata.
    """
    # Only people ask for tables: a server starts, and serves programs, without their cells.
    from argosy.api.columns.cells import cells

    body = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": [_definition(column) for column in resource.columns] * headed,
        "rows": [_row(obj, cells(resource.columns, obj, now), include) for obj in objects],
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


def _row(obj: Json, cells: list[Any], include: str) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": cells}
    if include == "None":
        return row
    if include == "Object":
        return {**row, "object": obj}
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }
    return {**row, "object": partial}
