"""What `kubectl get` shows: the cells of a kind's table.

Source: kube-apiserver's printers, for what a pod's STATUS says.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from argosy.api.resource import Column
from argosy.base.clock import parse_timestamp

Cell = str | int | bool | None
Json = Mapping[str, Any]

NONE = "<none>"


def cells(columns: tuple[Column, ...], obj: Json, now: datetime) -> list[Cell]:
    """One row: the object's cell for each column."""
    return [_cell(column, obj, now) for column in columns]


def _cell(column: Column, obj: Json, now: datetime) -> Cell:
    computed = COMPUTED.get(column.path)
    if computed is not None:
        return computed(obj)
    value = _at(obj, column.path)
    if column.type == "date":
        return age(value, now)
    if value is None or value == "":
        return NONE if column.type == "string" else None
    return value if isinstance(value, int | str) else str(value)


def _at(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj


def age(since: object, now: datetime) -> str:
    """How long ago, in the short form that kubectl shows: `5s`, `3m20s`, `2d`."""
    try:
        seconds = int((now - parse_timestamp(str(since))).total_seconds())
    except ValueError:
        return "<unknown>"
    return duration(max(seconds, 0))


def duration(seconds: int) -> str:
    """A span of time with one or two units, fewer as it grows."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return f"{days // 365}y" + (f"{days % 365}d" if days % 365 else "")
    return f"{days // 365}y"


def _statuses(obj: Json) -> list[Json]:
    return list((obj.get("status") or {}).get("containerStatuses") or ())


def _pod_ready(obj: Json) -> Cell:
    ready = sum(1 for status in _statuses(obj) if status.get("ready"))
    return f"{ready}/{len(obj['spec'].get('containers') or ())}"


def _pod_restarts(obj: Json) -> Cell:
    return sum(int(status.get("restartCount") or 0) for status in _statuses(obj))


def _pod_status(obj: Json) -> Cell:
    status = obj.get("status") or {}
    phase = status.get("phase")
    if obj["metadata"].get("deletionTimestamp") and phase not in ("Succeeded", "Failed"):
        return "Terminating"
    shown = str(status.get("reason") or phase or "Unknown")
    if _condition(obj, "PodScheduled", "reason") == "SchedulingGated":
        shown = "SchedulingGated"
    for container in reversed(_statuses(obj)):  # the first one's reason counts most
        shown = _container_reason(container.get("state") or {}) or shown
    if shown == "Completed" and any(_runs(container) for container in _statuses(obj)):
        return "Running" if _condition(obj, "Ready", "status") == "True" else "NotReady"
    return shown


def _container_reason(state: Json) -> str:
    if reason := (state.get("waiting") or {}).get("reason"):
        return str(reason)
    ended = state.get("terminated")
    if ended is None:
        return ""
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended['exitCode']}"


def _runs(container: Json) -> bool:
    return bool(container.get("ready")) and "running" in (container.get("state") or {})


def _condition(obj: Json, kind: str, field: str) -> str:
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            return str(condition.get(field) or "")
    return ""


def _node_status(obj: Json) -> Cell:
    ready = _condition(obj, "Ready", "status")
    shown = {"True": "Ready", "": "Unknown"}.get(ready, "NotReady")
    off = (obj.get("spec") or {}).get("unschedulable")
    return shown + ",SchedulingDisabled" * bool(off)


def _node_roles(obj: Json) -> Cell:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = sorted(name[len(prefix) :] for name in labels if name.startswith(prefix))
    return ",".join(roles) or NONE


def _service_ports(obj: Json) -> Cell:
    ports = obj["spec"].get("ports") or ()
    shown = [f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports]
    return ",".join(shown) or NONE


def _event_object(obj: Json) -> Cell:
    involved = obj.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _volume_claim(obj: Json) -> Cell:
    claim = obj["spec"].get("claimRef")
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim else NONE


def _claim_state(obj: Json) -> Cell:
    status = obj.get("status") or {}
    parts = ["allocated"] * bool(status.get("allocation"))
    parts += ["reserved"] * bool(status.get("reservedFor"))
    parts += ["deleted"] * bool(obj["metadata"].get("deletionTimestamp"))
    return ",".join(parts) or "pending"


def _configmap_data(obj: Json) -> Cell:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _trainjob_state(obj: Json) -> Cell:
    """The newest condition that holds, as upstream shows the last one; Running before any."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    for kind in ("Failed", "Complete", "Suspended"):
        if _condition(obj, kind, "status") == "True":
            return kind
    scheduled = _condition(obj, "Scheduled", "status")
    return {"True": "Running", "False": "Pending"}.get(scheduled, "Created" if conditions else "")


COMPUTED: Mapping[str, Callable[[Json], Cell]] = {
    "pod-ready": _pod_ready,
    "pod-restarts": _pod_restarts,
    "pod-status": _pod_status,
    "node-status": _node_status,
    "node-roles": _node_roles,
    "service-ports": _service_ports,
    "event-object": _event_object,
    "volume-claim": _volume_claim,
    "claim-state": _claim_state,
    "configmap-data": _configmap_data,
    "trainjob-state": _trainjob_state,
    "ready-condition": lambda obj: _condition(obj, "Ready", "status") or "Unknown",
    "podgroup-scheduled": lambda obj: (
        _condition(obj, "PodGroupInitiallyScheduled", "status") or "Unknown"
    ),
}
"""Columns that no path can tell."""
