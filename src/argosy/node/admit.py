"""What this node can't run is refused by name, never run differently than written.

Pure: a pod in, the fields it must not have out. The kinds of volumes are in `volumes`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from argosy.api.core import Container, EnvVar, Pod, Probe
from argosy.base.errors import FieldError, forbidden_field, invalid_value, not_supported
from argosy.node.environment import downward_value, field_value, field_values
from argosy.node.refusal import Refusal

NOT_HERE = "this node does not do that yet"
PROJECTED = ("configMap", "downwardAPI", "secret", "serviceAccountToken")
IN_FILES = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def admit(pod: Pod, volume_kinds: Iterable[str]) -> None:
    """Raises Refusal where the pod asks for something that this node does not do."""
    errors = [*_pod(pod), *_volumes(pod, tuple(volume_kinds))]
    for index, container in enumerate(pod.spec.containers):
        errors += _container(f"spec.containers[{index}]", container, pod)
    if errors:
        raise Refusal("CreateContainerConfigError", "; ".join(map(str, errors)))


def _pod(pod: Pod) -> Iterator[FieldError]:
    spec = pod.spec
    if spec.init_containers:
        yield forbidden_field("spec.initContainers", "this node does not run init containers yet")
    asked = {
        "hostPID": spec.host_pid,
        "hostIPC": spec.host_ipc,
        "shareProcessNamespace": spec.share_process_namespace,
        "securityContext": spec.security_context,
        "hostAliases": spec.host_aliases,
        "dnsConfig": spec.dns_config,
        "readinessGates": spec.readiness_gates,
    }
    for name, value in asked.items():
        if value:
            yield forbidden_field(f"spec.{name}", NOT_HERE)


def _volumes(pod: Pod, known: tuple[str, ...]) -> Iterator[FieldError]:
    for index, volume in enumerate(pod.spec.volumes):
        path = f"spec.volumes[{index}]"
        yield from _name(f"{path}.name", str(volume.get("name", "")))
        for kind in volume.keys() - {"name"}:
            if kind not in known:
                text = f"this node mounts volumes of these kinds: {', '.join(known)}"
                yield forbidden_field(f"{path}.{kind}", text)
        yield from _fields(f"{path}.downwardAPI", volume.get("downwardAPI"), pod)
        for i, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            yield from _projected(f"{path}.projected.sources[{i}]", source, pod)


def _projected(path: str, source: dict[str, Any], pod: Pod) -> Iterator[FieldError]:
    for kind in source.keys() - set(PROJECTED):
        text = f"this node projects sources of these kinds: {', '.join(PROJECTED)}"
        yield forbidden_field(f"{path}.{kind}", text)
    yield from _fields(f"{path}.downwardAPI", source.get("downwardAPI"), pod)


def _fields(path: str, body: dict[str, Any] | None, pod: Pod) -> Iterator[FieldError]:
    for i, item in enumerate((body or {}).get("items") or ()):
        if "resourceFieldRef" in item:
            yield forbidden_field(f"{path}.items[{i}].resourceFieldRef", NOT_HERE)
        field = (item.get("fieldRef") or {}).get("fieldPath", "")
        if field and downward_value(field, pod) is None:
            yield not_supported(f"{path}.items[{i}].fieldRef.fieldPath", field, IN_FILES)


def _name(path: str, name: str) -> Iterator[FieldError]:
    # Checked by the API server too; here names become parts of paths.
    if not _NAME.fullmatch(name):
        yield invalid_value(path, name, "must be a lowercase RFC 1123 label")


def _container(path: str, container: Container, pod: Pod) -> Iterator[FieldError]:
    yield from _name(f"{path}.name", container.name)
    if container.lifecycle is not None:
        yield forbidden_field(f"{path}.lifecycle", "this node does not run lifecycle hooks")
    asked = {
        "securityContext": container.security_context,
        "stdin": container.stdin,
        "tty": container.tty,
    }
    for name, value in asked.items():
        if value:
            yield forbidden_field(f"{path}.{name}", NOT_HERE)
    for index, mount in enumerate(container.volume_mounts):
        if mount.sub_path_expr:
            yield forbidden_field(f"{path}.volumeMounts[{index}].subPathExpr", NOT_HERE)
    for index, variable in enumerate(container.env):
        yield from _variable(f"{path}.env[{index}].valueFrom", variable, pod)
    probes = {
        "readinessProbe": container.readiness_probe,
        "livenessProbe": container.liveness_probe,
        "startupProbe": container.startup_probe,
    }
    for name, probe in probes.items():
        if probe is not None:
            yield from _probe(f"{path}.{name}", probe)


def _variable(path: str, variable: EnvVar, pod: Pod) -> Iterator[FieldError]:
    source = variable.value_from
    if source is None:
        return
    others = {
        "resourceFieldRef": source.resource_field_ref,
        "fileKeyRef": source.file_key_ref,
    }
    for name, value in others.items():
        if value is not None:
            text = "this node reads fieldRef, configMapKeyRef and secretKeyRef"
            yield forbidden_field(f"{path}.{name}", text)
    if source.field_ref is not None:
        field = source.field_ref.field_path
        values = field_values(pod, pod_ip="", host_ip="")
        if field_value(field, pod, values) is None:
            known = [*values, "metadata.labels['KEY']", "metadata.annotations['KEY']"]
            yield not_supported(f"{path}.fieldRef.fieldPath", field, known)


def _probe(path: str, probe: Probe) -> Iterator[FieldError]:
    for name, value in (("exec", probe.exec), ("grpc", probe.grpc)):
        if value is not None:
            yield forbidden_field(f"{path}.{name}", "this node probes by httpGet and tcpSocket")
    if probe.http_get is not None and probe.http_get.http_headers:
        yield forbidden_field(f"{path}.httpGet.httpHeaders", NOT_HERE)
