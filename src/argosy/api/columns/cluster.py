"""Networks, storage drivers, gangs and devices, and what the control plane keeps."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.columns.text import (
    NONE,
    UNSET,
    Cell,
    Json,
    age,
    at,
    condition,
    items,
    joined,
    label_selector,
    shortened,
)

DEFAULT_CLASSES = (
    "ingressclass.kubernetes.io/is-default-class",
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
HOSTS_SHOWN = 3


def _class_name(obj: Json, now: datetime) -> Cell:
    annotations = obj["metadata"].get("annotations") or {}
    default = any(annotations.get(name) == "true" for name in DEFAULT_CLASSES)
    return f"{obj['metadata'].get('name')}{' (default)' * default}"


def _class_parameters(obj: Json, now: datetime) -> Cell:
    reference = at(obj, "spec.parameters")
    if not reference:
        return NONE
    group = f".{reference['apiGroup']}" if reference.get("apiGroup") else ""
    return f"{reference.get('kind', '')}{group}/{reference.get('name', '')}"


def _ingress_hosts(obj: Json, now: datetime) -> Cell:
    rules = items(obj, "spec.rules")
    named = [i for i, rule in enumerate(rules) if rule.get("host")][:HOSTS_SHOWN]
    text = joined((rules[i]["host"] for i in named), empty="*")
    if len(named) < HOSTS_SHOWN or named[-1] == len(rules) - 1:
        return text
    return f"{text} + {len(rules) - HOSTS_SHOWN} more..."


def _slice_ports(obj: Json, now: datetime) -> Cell:
    ports = obj.get("ports") or ()
    shown = [str(port.get("port") or port.get("name") or "*") for port in ports]
    return shortened(shown, empty=UNSET)


def _slice_endpoints(obj: Json, now: datetime) -> Cell:
    endpoints = obj.get("endpoints") or ()
    addresses = [str(ip) for endpoint in endpoints for ip in endpoint.get("addresses") or ()]
    return shortened(addresses, empty=UNSET)


def _parent(obj: Json, now: datetime) -> Cell:
    reference = at(obj, "spec.parentRef")
    if not reference:
        return NONE
    group = f".{reference['group']}" if reference.get("group") else ""
    where = f"/{reference['namespace']}" if reference.get("namespace") else ""
    resource = f"{reference.get('resource', '')}{group}".lower()
    return f"{resource}{where}/{reference.get('name', '')}"


def _audiences(obj: Json, now: datetime) -> Cell:
    requests = at(obj, "spec.tokenRequests")
    return UNSET if requests is None else ",".join(item.get("audience") or "" for item in requests)


def _migrated(obj: Json, now: datetime) -> Cell:
    resource, group = at(obj, "spec.resource.resource"), at(obj, "spec.resource.group")
    return f"{resource or ''}.{group}" if group else str(resource or "")


def _migration_status(obj: Json, now: datetime) -> Cell:
    known = ("Running", "Succeeded", "Failed")
    true = [item for item in items(obj, "status.conditions") if item.get("status") == "True"]
    reached = [str(item["type"]) for item in true if item["type"] in known]
    return reached[-1] if reached else "Unknown"


def _storage_versions(obj: Json, now: datetime) -> Cell:
    found = items(obj, "status.storageVersions")
    shown = [f"{item.get('apiServerID')}={item.get('encodingVersion')}" for item in found]
    return shortened(shown, empty=UNSET)


def _claim_state(obj: Json, now: datetime) -> Cell:
    deleted = bool(obj["metadata"].get("deletionTimestamp"))
    parts = ["deleted"] * deleted
    if at(obj, "status.allocation") is None:
        parts += ["pending"] * (not deleted)
    else:
        parts += ["allocated"] + ["reserved"] * bool(at(obj, "status.reservedFor"))
    return ",".join(parts)


def _group_status(obj: Json, now: datetime) -> Cell:
    if reason := condition(obj, "DisruptionTarget", "reason"):
        return reason
    scheduled = condition(obj, "PodGroupInitiallyScheduled")
    return {"": "Pending", "True": "Scheduled"}.get(scheduled, "Unschedulable")


def _pool_state(obj: Json) -> str:
    """Complete, Failed, Pending, or nothing where nobody looked at the request."""
    if obj.get("status") is None:
        return ""
    for kind in ("Complete", "Failed"):
        if condition(obj, kind) == "True":
            return kind
    return "Pending"


def _pool_status(obj: Json, now: datetime) -> Cell:
    state, pools = _pool_state(obj), items(obj, "status.pools")
    number = at(obj, "status.poolCount") or 0
    if state == "Complete" and number > len(pools):
        return f"Complete ({len(pools)}/{number} pools)"
    return state or "Pending"


def _pool_sum(field: str) -> Callable[[Json, datetime], Cell]:
    def total(obj: Json, now: datetime) -> Cell:
        if _pool_state(obj) in ("", "Failed"):
            return "-"
        found = (pool.get(field) for pool in items(obj, "status.pools"))
        return str(sum(value if isinstance(value, int) else 1 for value in found if value))

    return total


def _pool_completed(obj: Json, now: datetime) -> Cell:
    if _pool_state(obj) != "Complete":
        return NONE
    return age(condition(obj, "Complete", "lastTransitionTime"), now)


def _trainjob_state(obj: Json, now: datetime) -> Cell:
    """The newest condition that holds, as upstream shows the last one; Running before any."""
    for kind in ("Failed", "Complete", "Suspended"):
        if condition(obj, kind) == "True":
            return kind
    otherwise = "Created" if items(obj, "status.conditions") else ""
    scheduled = {"True": "Running", "False": "Pending"}
    return scheduled.get(condition(obj, "Scheduled"), otherwise)


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "claim-state": _claim_state,
    "class-name": _class_name,
    "csidriver-audiences": _audiences,
    "csidriver-modes": lambda obj, now: joined(items(obj, "spec.volumeLifecycleModes")),
    "csinode-drivers": lambda obj, now: len(items(obj, "spec.drivers")),
    "flow-dangling": lambda obj, now: condition(obj, "Dangling") or "?",
    "group-policy": lambda obj, now: "Gang" if at(obj, "spec.schedulingPolicy.gang") else "Basic",
    "group-status": _group_status,
    "ingress-hosts": _ingress_hosts,
    "ingress-ports": lambda obj, now: "80, 443" if items(obj, "spec.tls") else "80",
    "ingressclass-parameters": _class_parameters,
    "migrated-resource": _migrated,
    "migration-status": _migration_status,
    "parent-reference": _parent,
    "policy-selector": lambda obj, now: label_selector(at(obj, "spec.podSelector")),
    "pool-allocated": _pool_sum("allocatedDevices"),
    "pool-available": _pool_sum("availableDevices"),
    "pool-completed": _pool_completed,
    "pool-errors": _pool_sum("validationError"),
    "pool-status": _pool_status,
    "pool-total": _pool_sum("totalDevices"),
    "pool-unavailable": _pool_sum("unavailableDevices"),
    "ready-condition": lambda obj, now: condition(obj, "Ready") or "Unknown",
    "service-cidrs": lambda obj, now: joined(items(obj, "spec.cidrs"), empty=""),
    "slice-endpoints": _slice_endpoints,
    "slice-ports": _slice_ports,
    "storage-versions": _storage_versions,
    "trainjob-state": _trainjob_state,
}
