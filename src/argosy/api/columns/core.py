"""The core group's kinds, pods apart: nodes, events, services, volumes, quotas."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from argosy.api.columns.text import (
    NONE,
    UNKNOWN,
    Cell,
    Json,
    age,
    at,
    condition,
    items,
    joined,
    pairs,
    shortened,
)

LOAD_BALANCER_WIDTH = 16
ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
ROLE = "node-role.kubernetes.io/"
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def _data(obj: Json, now: datetime) -> Cell:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _endpoints(obj: Json, now: datetime) -> Cell:
    found = []
    for subset in obj.get("subsets") or ():
        ports = [f":{port['port']}" for port in subset.get("ports") or ()] or [""]
        for port in ports:
            addresses = (str(address["ip"]) for address in subset.get("addresses") or ())
            found += [_host(ip) + port if port else ip for ip in addresses]
    return shortened(found, empty="" if obj.get("subsets") else NONE)


def _host(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


def _either(event: Json, name: str, newer: str) -> Any:
    """A field of an event by the name that it has in core/v1, or by that of events.k8s.io."""
    return event.get(name) or event.get(newer)


def _event_last(event: Json, now: datetime) -> Cell:
    if series := event.get("series"):
        return age(series.get("lastObservedTime"), now)
    last = _either(event, "lastTimestamp", "deprecatedLastTimestamp")
    return age(last, now) if last else _event_first(event, now)


def _event_first(event: Json, now: datetime) -> Cell:
    first = _either(event, "firstTimestamp", "deprecatedFirstTimestamp")
    return age(first or event.get("eventTime"), now)


def _event_count(event: Json, now: datetime) -> Cell:
    times = at(event, "series.count") or _either(event, "count", "deprecatedCount")
    return str(times or 1)


def _event_object(event: Json, now: datetime) -> Cell:
    involved = _either(event, "involvedObject", "regarding") or {}
    kind, name = str(involved.get("kind") or "").lower(), involved.get("name")
    return f"{kind}/{name}" if name else kind


def _event_part(event: Json, now: datetime) -> Cell:
    return str((_either(event, "involvedObject", "regarding") or {}).get("fieldPath") or "")


def _event_source(event: Json, now: datetime) -> Cell:
    source = _either(event, "source", "deprecatedSource") or {}
    reporter = _either(event, "reportingComponent", "reportingController")
    component = source.get("component") or reporter or ""
    instance = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else str(component)


def _event_message(event: Json, now: datetime) -> Cell:
    return str(_either(event, "message", "note") or "").strip()


def _node_status(node: Json, now: datetime) -> Cell:
    shown = {"True": "Ready", "": "Unknown"}.get(condition(node, "Ready"), "NotReady")
    return shown + ",SchedulingDisabled" * bool(at(node, "spec.unschedulable"))


def _node_roles(node: Json, now: datetime) -> Cell:
    labels = node["metadata"].get("labels") or {}
    roles = {name[len(ROLE) :] for name in labels if name.startswith(ROLE)}
    roles.add(labels.get("kubernetes.io/role") or "")
    return joined(sorted(roles - {""}))


def _node_address(kind: str) -> Callable[[Json, datetime], Cell]:
    def address(node: Json, now: datetime) -> Cell:
        for item in items(node, "status.addresses"):
            if item.get("type") == kind:
                return str(item.get("address") or NONE)
        return NONE

    return address


def _node_kernel(node: Json, now: datetime) -> Cell:
    kernel = at(node, "status.nodeInfo.kernelVersion") or UNKNOWN
    architecture = at(node, "status.nodeInfo.architecture")
    return f"{kernel} ({architecture})" if architecture else str(kernel)


def _volume_phase(obj: Json, now: datetime) -> Cell:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str(at(obj, "status.phase") or "")


def _volume_claim(obj: Json, now: datetime) -> Cell:
    claim = at(obj, "spec.claimRef")
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""


def _modes(modes: object) -> Cell:
    asked = modes if isinstance(modes, list) else ()
    return joined((short for mode, short in ACCESS_MODES.items() if mode in asked), empty="")


def _claim_modes(obj: Json, now: datetime) -> Cell:
    return _modes(at(obj, "status.accessModes") if at(obj, "spec.volumeName") else None)


def _claim_capacity(obj: Json, now: datetime) -> Cell:
    bound = at(obj, "spec.volumeName")
    return str(at(obj, "status.capacity.storage") or "0") if bound else ""


def _storage_class(obj: Json, now: datetime) -> Cell:
    old = (obj["metadata"].get("annotations") or {}).get(OLD_CLASS)
    return str(old if old is not None else at(obj, "spec.storageClassName") or "")


def _quota(*, limits: bool) -> Callable[[Json, datetime], Cell]:
    def used(quota: Json, now: datetime) -> Cell:
        amounts = at(quota, "status.used") or {}
        hard = sorted((at(quota, "status.hard") or {}).items())
        shown = [(name, most) for name, most in hard if name.startswith("limits.") == limits]
        return ", ".join(f"{name}: {amounts.get(name, 0)}/{most}" for name, most in shown)

    return used


def load_balancer(obj: Json, now: datetime) -> Cell:
    """The addresses of a load balancer, cut to a width that a table bears."""
    points = items(obj, "status.loadBalancer.ingress")
    found = sorted({str(point.get("ip") or point.get("hostname") or "") for point in points} - {""})
    text = ",".join(found)
    return text if len(text) <= LOAD_BALANCER_WIDTH else f"{text[: LOAD_BALANCER_WIDTH - 3]}..."


def _external_ip(service: Json, now: datetime) -> Cell:
    kind = at(service, "spec.type")
    if kind == "ExternalName":
        return str(at(service, "spec.externalName") or "")
    own = [str(ip) for ip in items(service, "spec.externalIPs")]
    if kind == "LoadBalancer":
        given = str(load_balancer(service, now))
        return joined(([given] if given else []) + own, empty="<pending>")
    return joined(own) if kind in ("ClusterIP", "NodePort") else UNKNOWN


def _service_ports(service: Json, now: datetime) -> Cell:
    return joined(_service_port(port) for port in items(service, "spec.ports"))


def _service_port(port: Json) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "claim-access-modes": _claim_modes,
    "claim-capacity": _claim_capacity,
    "configmap-data": _data,
    "endpoints": _endpoints,
    "event-count": _event_count,
    "event-first": _event_first,
    "event-last": _event_last,
    "event-message": _event_message,
    "event-object": _event_object,
    "event-part": _event_part,
    "event-source": _event_source,
    "label-map": lambda obj, now: pairs(at(obj, "spec.selector")),
    "load-balancer": load_balancer,
    "node-external-ip": _node_address("ExternalIP"),
    "node-internal-ip": _node_address("InternalIP"),
    "node-kernel": _node_kernel,
    "node-roles": _node_roles,
    "node-status": _node_status,
    "quota-limits": _quota(limits=True),
    "quota-requests": _quota(limits=False),
    "service-external-ip": _external_ip,
    "service-ports": _service_ports,
    "storage-class": _storage_class,
    "volume-access-modes": lambda obj, now: _modes(at(obj, "spec.accessModes")),
    "volume-claim": _volume_claim,
    "volume-phase": _volume_phase,
}
