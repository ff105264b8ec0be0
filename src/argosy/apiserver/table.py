"""`Table` answers: what kubectl prints without knowing the kind."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.columns import cells
from argosy.api.resource import Column, Resource

Json = Mapping[str, Any]


def table(
    resource: Resource, objects: Iterable[Json], now: datetime, *, revision: str, headed: bool
) -> bytes:
    """The objects as rows. Later pieces of a watch leave the head (`headed`) out."""
    body = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": revision},
        "columnDefinitions": [_definition(column) for column in resource.columns] * headed,
        "rows": [_row(resource, obj, now) for obj in objects],
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


def _row(resource: Resource, obj: Json, now: datetime) -> dict[str, Any]:
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }
    return {"cells": cells(resource.columns, obj, now), "object": partial}
