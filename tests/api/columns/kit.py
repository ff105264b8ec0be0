"""One row of a kind's table, by the names of its columns."""

from datetime import UTC, datetime
from typing import Any

from argosy.api.columns.cells import cells
from argosy.api.kinds import PREFERRED

Json = dict[str, Any]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR_AGO = "2026-11-21T11:00:00Z"
META: Json = {"name": "it", "creationTimestamp": HOUR_AGO}
SELECTOR: Json = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["b", "a"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "area", "operator": "Exists"},
        {"key": "zone", "operator": "NotIn", "values": ["x"]},
    ],
}
SELECTED = "app=web,area,!old,tier in (a,b),zone notin (x)"


def true(*kinds: str, **more: str) -> list[Json]:
    """Conditions that hold."""
    return [{"type": kind, "status": "True", **more} for kind in kinds]


def row(kind: str, obj: Json) -> dict[str, Any]:
    columns = PREFERRED[kind].columns
    meta = {**META, **obj.get("metadata", {})}
    shown = cells(columns, {**obj, "metadata": meta}, NOW)
    return {column.name: cell for column, cell in zip(columns, shown, strict=True)}
