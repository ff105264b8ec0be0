"""Defaults of pods, alone and inside of templates. Source: Kubernetes' API reference."""

from argosy.api.defaults.fill import Json, fill

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


def pod(pod: Json) -> None:
    """A pod, with the status that it begins with."""
    pod_spec(pod.setdefault("spec", {}))
    status = pod.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", qos_class(pod["spec"]))


def pod_spec(spec: Json) -> None:
    """Defaults of a pod, also inside of a template."""
    fill(spec, POD)
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
    fill(container, CONTAINER)
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image") or ""))
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    resources = container["resources"]
    if resources.get("limits"):
        fill(resources.setdefault("requests", {}), resources["limits"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if isinstance(probe, dict):
            fill(probe, PROBE)
            if isinstance(probe.get("httpGet"), dict):
                fill(probe["httpGet"], {"path": "/", "scheme": "HTTP"})
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
