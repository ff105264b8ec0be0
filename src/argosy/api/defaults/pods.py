"""Defaults of pods, alone and inside of templates. Source: Kubernetes' API reference.

What only pods themselves are given (requests that follow from limits, the ports of a pod in its
host's network) is in `pod`; `pod_spec` is for templates too.
"""

from collections.abc import Mapping
from typing import Any

from argosy.api.defaults.fill import Json, fill, fill_empty
from argosy.api.podresources import aggregate, qos_class
from argosy.base import quantity

PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
POD = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
VOLUMES: Mapping[str, Mapping[str, Any]] = {
    "azureDisk": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "kind": "Shared",
        "readOnly": False,
    },
    "configMap": {"defaultMode": 0o644},
    "downwardAPI": {"defaultMode": 0o644},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "projected": {"defaultMode": 0o644},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "secret": {"defaultMode": 0o644},
}
"""What each kind of volume says where its writer said nothing, in pods and in volumes."""
HUGE_PAGES = "hugepages-"


def pod(pod: Json) -> None:
    """A pod, with the status that it begins with."""
    spec = pod.setdefault("spec", {})
    pod_spec(spec)
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            _requests(container["resources"])
            if spec.get("hostNetwork"):
                _host_ports(container)
    if spec.get("resources"):
        _pod_requests(spec)
    fill(spec, {"enableServiceLinks": True})
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    status = pod.setdefault("status", {})
    status.setdefault("phase", "Pending")
    if "qosClass" not in status:
        status["qosClass"] = qos_class(spec)


def pod_template(template: Json) -> None:
    """A pod inside of a template."""
    pod_spec(template.setdefault("spec", {}))


def pod_spec(spec: Json) -> None:
    """What pods and templates say alike."""
    fill_empty(spec, POD)
    fill(spec, {"terminationGracePeriodSeconds": 30, "securityContext": {}})
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)


def _container(container: Json) -> None:
    fill(container, {"resources": {}})
    fill_empty(container, CONTAINER)
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = _pull_policy(container.get("image") or "")
    for port in container.get("ports") or ():
        fill_empty(port, {"protocol": "TCP"})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            fill_empty(container[name], PROBE)
            _handler(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _handler(hook)
    for variable in container.get("env") or ():
        _field(variable.get("valueFrom") or {})


def _handler(action: Json) -> None:
    if "httpGet" in action:
        fill_empty(action["httpGet"], {"path": "/", "scheme": "HTTP"})
    if "grpc" in action:
        fill(action["grpc"], {"service": ""})


def _field(source: Json) -> None:
    if "fieldRef" in source:
        fill_empty(source["fieldRef"], {"apiVersion": "v1"})
    if "resourceFieldRef" in source:
        fill(source["resourceFieldRef"], {"divisor": "0"})
    if "fileKeyRef" in source:
        fill(source["fileKeyRef"], {"optional": False})


def _volume(volume: Json) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
    volume_source(volume)
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        _field(item)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            fill(source["serviceAccountToken"], {"expirationSeconds": 3600})
        for item in (source.get("downwardAPI") or {}).get("items") or ():
            _field(item)
    if "ephemeral" in volume:
        claim = volume["ephemeral"].get("volumeClaimTemplate") or {}
        fill(claim.get("spec") or {}, {"volumeMode": "Filesystem"})
    if "image" in volume:
        image = volume["image"]
        fill_empty(image, {"pullPolicy": _pull_policy(image.get("reference") or "")})


def volume_source(volume: Json) -> None:
    """The source of a volume, of a pod or persistent."""
    for kind in volume.keys() & VOLUMES.keys():
        fill(volume[kind], VOLUMES[kind])


def _requests(resources: Json) -> None:
    if resources.get("limits"):
        fill(resources.setdefault("requests", {}), resources["limits"])


def _host_ports(container: Json) -> None:
    for port in container.get("ports") or ():
        fill_empty(port, {"hostPort": port["containerPort"]})


def _pod_requests(spec: Json) -> None:
    """A pod that limits itself as a whole asks for what its containers do, or for its limits."""
    own = spec["resources"]
    requests, limits = own.get("requests") or {}, own.get("limits") or {}
    if requests or limits:
        huge = {
            name: quantity.binary(int(total))
            for name, total in aggregate(spec, "limits").items()
            if name.startswith(HUGE_PAGES) and name not in requests
        }
        limits = {**huge, **limits}
    if limits:
        asked = {
            name: quantity.decimal(total) if name == "cpu" else quantity.binary(int(total))
            for name, total in aggregate(spec, "requests").items()
            if name in ("cpu", "memory")
        }
        levels = {name: limit for name, limit in limits.items() if _of_pods(name)}
        own["limits"], own["requests"] = limits, {**levels, **asked, **requests}


def _of_pods(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith(HUGE_PAGES)


def _pull_policy(image: str) -> str:
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "Always" if "@" not in image and tag in ("", "latest") else "IfNotPresent"
