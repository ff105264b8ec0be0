"""Where the groups and versions of the API are served."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.columns.text import Cell, Json, items


def _service(api: Json, now: datetime) -> Cell:
    service = (api.get("spec") or {}).get("service")
    if service is None:
        return "Local"
    return f"{service.get('namespace', '')}/{service.get('name', '')}"


def _available(api: Json, now: datetime) -> Cell:
    for item in items(api, "status.conditions"):
        if item.get("type") == "Available":
            status, reason = str(item.get("status", "")), item.get("reason")
            return f"{status} ({reason})" if reason and status != "True" else status
    return "Unknown"


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "api-service": _service,
    "api-available": _available,
}
