"""Defaults of the core group's kinds, pods apart, and of endpoint slices."""

import base64
from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill, fill_empty
from argosy.api.defaults.pods import pod_template, volume_source

AFFINITY_SECONDS = 10_800


def _service(service: Json) -> None:
    spec = service.setdefault("spec", {})
    fill_empty(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    _session(spec)
    for port in spec.get("ports") or ():
        fill_empty(port, {"protocol": "TCP", "targetPort": port.get("port")})
    kind = spec["type"]
    outside = kind in ("LoadBalancer", "NodePort")
    if outside or (kind == "ClusterIP" and spec.get("externalIPs")):
        fill_empty(spec, {"externalTrafficPolicy": "Cluster"})
    if outside or kind == "ClusterIP":
        fill(spec, {"internalTrafficPolicy": "Cluster"})
    if kind == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        for entry in ingress:
            if entry.get("ip"):
                fill(entry, {"ipMode": "VIP"})
    fill(service.setdefault("status", {}), {"loadBalancer": {}})


def _session(spec: Json) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {})
        fill(config.setdefault("clientIP", {}), {"timeoutSeconds": AFFINITY_SECONDS})


def _claim(claim: Json) -> None:
    spec = claim.setdefault("spec", {})
    fill(spec, {"volumeMode": "Filesystem"})
    _data_source(spec)
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _data_source(spec: Json) -> None:
    """Source and reference say the same; of another namespace there is only a reference."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = dict(reference)


def _volume(volume: Json) -> None:
    spec = volume.setdefault("spec", {})
    fill(spec, {"volumeMode": "Filesystem"})
    fill_empty(spec, {"persistentVolumeReclaimPolicy": "Retain"})
    volume_source(spec)
    fill_empty(volume.setdefault("status", {}), {"phase": "Pending"})


def _namespace(namespace: Json) -> None:
    fill_empty(namespace.setdefault("status", {}), {"phase": "Active"})
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"].get("name", "")


def _secret(secret: Json) -> None:
    """Texts are written into `data`; no one reads `stringData`."""
    fill_empty(secret, {"type": "Opaque"})
    texts = secret.pop("stringData", None)
    if texts:
        data = secret.setdefault("data", {})
        for key, text in texts.items():
            data[key] = base64.b64encode(text.encode()).decode()


def _node(node: Json) -> None:
    status = node.get("status") or {}
    if status.get("capacity") and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])


def _endpoints(endpoints: Json) -> None:
    for subset in endpoints.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill_empty(port, {"protocol": "TCP"})


def _slice(endpoints: Json) -> None:
    for port in endpoints.get("ports") or ():
        fill(port, {"name": "", "protocol": "TCP"})


def _limit_range(limits: Json) -> None:
    for item in (limits.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            default, request = item.setdefault("default", {}), item.setdefault("defaultRequest", {})
            fill(default, item.get("max") or {})
            fill(request, default)
            fill(request, item.get("min") or {})
            for name in ("default", "defaultRequest"):
                if not item[name]:
                    del item[name]


def _pod_template(template: Json) -> None:
    pod_template(template.setdefault("template", {}))


def _replication_controller(controller: Json) -> None:
    spec = controller.setdefault("spec", {})
    fill(spec, {"replicas": 1})
    template = spec.get("template")
    if template is None:
        return
    pod_template(template)
    labels = (template.get("metadata") or {}).get("labels")
    if labels:
        fill_empty(spec, {"selector": dict(labels)})
        fill_empty(controller["metadata"], {"labels": dict(labels)})


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Endpoints": _endpoints,
    "EndpointSlice": _slice,
    "LimitRange": _limit_range,
    "Namespace": _namespace,
    "Node": _node,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "PodTemplate": _pod_template,
    "ReplicationController": _replication_controller,
    "Secret": _secret,
    "Service": _service,
}
