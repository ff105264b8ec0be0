"""Columns of ComponentStatus: all of them tell of its one condition, `Healthy`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.columns.text import Cell, Json, items


def _healthy(obj: Json) -> Json:
    found = (item for item in items(obj, "conditions") if item.get("type") == "Healthy")
    return next(found, {})


def _status(obj: Json, now: datetime) -> Cell:
    if not (condition := _healthy(obj)):
        return "Unknown"
    return "Healthy" if condition.get("status") == "True" else "Unhealthy"


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "component-error": lambda obj, now: str(_healthy(obj).get("error") or ""),
    "component-message": lambda obj, now: str(_healthy(obj).get("message") or ""),
    "component-status": _status,
}
