"""Defaults: what an object says where its writer said nothing.

Own kinds have theirs in the schema; those of Kubernetes' kinds are the functions below, one for
each kind, in the table at the end. All change the object in place and never overwrite.
Source: Kubernetes' API reference.
"""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api.schema import Schema

Json = dict[str, Any]


def from_schema(schema: Schema, value: Any) -> None:
    """Fill in the schema's defaults inside of `value`, as structural schemas do."""
    if isinstance(value, dict):
        for name, node in schema.properties.items():
            if name not in value and node.default is not None:
                value[name] = node.default
            if name in value:
                from_schema(node, value[name])
        if schema.values is not None:
            for item in value.values():
                from_schema(schema.values, item)
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            from_schema(schema.items, item)


def _fill(target: Json, defaults: Mapping[str, Any]) -> None:
    for name, value in defaults.items():
        target.setdefault(name, value.copy() if isinstance(value, dict) else value)


PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
POD = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "securityContext": {},
}
CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def _pod(pod: Json) -> None:
    pod_spec(pod["spec"])
    status = pod.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", qos_class(pod["spec"]))


def pod_spec(spec: Json) -> None:
    """Defaults of a pod, also inside of a template."""
    _fill(spec, POD)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        for kind in ("configMap", "secret", "downwardAPI", "projected"):
            if isinstance(volume.get(kind), dict):
                volume[kind].setdefault("defaultMode", 0o644)
        if isinstance(volume.get("hostPath"), dict):
            volume["hostPath"].setdefault("type", "")
    for toleration in spec.get("tolerations") or ():
        toleration.setdefault("operator", "Equal")


def _container(container: Json) -> None:
    _fill(container, CONTAINER)
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image") or ""))
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    resources = container["resources"]
    if resources.get("limits"):
        _fill(resources.setdefault("requests", {}), resources["limits"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if isinstance(probe, dict):
            _fill(probe, PROBE)
            if isinstance(probe.get("httpGet"), dict):
                _fill(probe["httpGet"], {"path": "/", "scheme": "HTTP"})
    for variable in container.get("env") or ():
        source = (variable.get("valueFrom") or {}).get("fieldRef")
        if isinstance(source, dict):
            source.setdefault("apiVersion", "v1")


def _pull_policy(image: str) -> str:
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "Always" if "@" not in image and tag in ("", "latest") else "IfNotPresent"


def qos_class(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, by what the containers ask for."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asked = [container.get("resources") or {} for container in containers]
    if not any(item.get("requests") or item.get("limits") for item in asked):
        return "BestEffort"
    for item in asked:
        limits, requests = item.get("limits") or {}, item.get("requests") or {}
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                return "Burstable"
    return "Guaranteed"


def _service(service: Json) -> None:
    spec = service.setdefault("spec", {})
    _fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in spec.get("ports") or ():
        _fill(port, {"protocol": "TCP", "targetPort": port.get("port")})


def _claim(claim: Json) -> None:
    claim["spec"].setdefault("volumeMode", "Filesystem")
    claim["spec"].setdefault("storageClassName", "standard")
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _volume(volume: Json) -> None:
    _fill(volume["spec"], {"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"})
    volume.setdefault("status", {}).setdefault("phase", "Pending")


def _storage_class(storage: Json) -> None:
    _fill(storage, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _namespace(namespace: Json) -> None:
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    namespace.setdefault("status", {}).setdefault("phase", "Active")
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"].get("name", "")


def _resource_claim(claim: Json) -> None:
    for request in claim["spec"].get("devices", {}).get("requests") or ():
        exact = request.get("exactly")
        if isinstance(exact, dict):
            exact.setdefault("allocationMode", "ExactCount")
            if exact["allocationMode"] == "ExactCount":
                exact.setdefault("count", 1)


def _claim_template(template: Json) -> None:
    _resource_claim(template["spec"])


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Namespace": _namespace,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ResourceClaim": _resource_claim,
    "ResourceClaimTemplate": _claim_template,
    "Service": _service,
    "StorageClass": _storage_class,
}
"""By kind; the object is structurally valid when its function runs."""
