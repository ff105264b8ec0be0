"""Containers of all three kinds: init (sidecars among them), regular and ephemeral."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from argosy.api import names
from argosy.api.validation import env, probes, values
from argosy.api.validation.resources import requirements
from argosy.api.validation.rule import Errors, Json, one_of
from argosy.api.validation.security import container_security
from argosy.base.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    missing_reference,
    not_supported,
    required,
    too_many,
)

GROUPS = ("initContainers", "containers", "ephemeralContainers")
ENUMS: Mapping[str, tuple[str, ...]] = {
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
}
RESTART_POLICIES = ("Always", "Never", "OnFailure")
RESTART_ACTIONS = ("Restart", "RestartAllContainers")
PROPAGATION = ("Bidirectional", "HostToContainer", "None")
NOT_EPHEMERAL = (
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
)
SIDECAR_ONLY = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a container must know of its pod: volumes by name, and the names of its claims."""

    volumes: Mapping[str, Json]
    claims: Set[str]
    restart: str
    grace: int
    system: str | None
    host_users: bool

    @classmethod
    def of(cls, spec: Json) -> "Surroundings":
        """Those of the pod with this spec."""
        return cls(
            volumes={volume["name"]: volume for volume in spec.get("volumes") or ()},
            claims={claim["name"] for claim in spec.get("resourceClaims") or ()},
            restart=spec.get("restartPolicy", "Always"),
            grace=spec.get("terminationGracePeriodSeconds", 30),
            system=(spec.get("os") or {}).get("name"),
            host_users=spec.get("hostUsers") is not False,
        )


def containers(spec: Json, path: str) -> Errors:
    """All containers of a pod."""
    around = Surroundings.of(spec)
    seen: set[str] = set()
    regular = spec.get("containers") or ()
    if not regular:
        yield required(f"{path}.containers")
    for i, container in enumerate(regular):
        field = f"{path}.containers[{i}]"
        yield from _common(container, field, around)
        yield from _name_once(container, field, seen)
        yield from _hooks(container, field, around)
        yield from _restarts(container, field)
    yield from _host_ports(regular, f"{path}.containers")
    for i, container in enumerate(spec.get("initContainers") or ()):
        field = f"{path}.initContainers[{i}]"
        yield from _common(container, field, around)
        yield from _restarts(container, field)
        yield from _name_once(container, field, seen)
        yield from _host_ports([container], f"{path}.initContainers")
        yield from _init(container, field, around)
    for i, container in enumerate(spec.get("ephemeralContainers") or ()):
        field = f"{path}.ephemeralContainers[{i}]"
        others = {item["name"] for group in GROUPS[:2] for item in spec.get(group) or ()}
        yield from _common(container, field, around)
        yield from _name_once(container, field, seen)
        yield from _ephemeral(container, field, others)


def is_sidecar(container: Json) -> bool:
    """Whether an init container goes on beside the regular ones."""
    return container.get("restartPolicy") == "Always"


def _name_once(container: Json, field: str, seen: set[str]) -> Errors:
    if container["name"] in seen:
        yield duplicate(f"{field}.name", container["name"])
    seen.add(container["name"])


def _common(container: Json, field: str, around: Surroundings) -> Errors:
    yield from (
        names.label(container["name"], f"{field}.name")
        if container["name"]
        else (required(f"{field}.name"),)
    )
    if not container.get("image"):
        yield required(f"{field}.image")
    for name, allowed in ENUMS.items():
        if (value := container.get(name)) is not None and value not in allowed:
            yield not_supported(f"{field}.{name}", value, allowed)
    if container.get("ports"):
        yield from _ports(container["ports"], f"{field}.ports")
    if container.get("env"):
        yield from env.variables(container["env"], f"{field}.env")
    if container.get("envFrom"):
        yield from env.sources(container["envFrom"], f"{field}.envFrom")
    yield from _storage(container, field, around)
    if container.get("resources"):
        yield from requirements(container["resources"], f"{field}.resources", around.claims)
    if container.get("resizePolicy"):
        yield from _resize(container["resizePolicy"], f"{field}.resizePolicy", around)
    if container.get("securityContext"):
        context = container["securityContext"]
        yield from container_security(context, f"{field}.securityContext", around.host_users)


def _storage(container: Json, field: str, around: Surroundings) -> Errors:
    if container.get("volumeMounts"):
        yield from _mounts(container, f"{field}.volumeMounts", around.volumes)
    if container.get("volumeDevices"):
        yield from _devices(container, f"{field}.volumeDevices", around.volumes)


def _ports(ports: Sequence[Json], path: str) -> Errors:
    seen: set[str] = set()
    for i, port in enumerate(ports):
        field = f"{path}[{i}]"
        name = port.get("name")
        if name:
            faults = values.port_name_faults(name)
            yield from (invalid_value(f"{field}.name", name, fault) for fault in faults)
            if name in seen:
                yield duplicate(f"{field}.name", name)
            seen.add(name)
        if port["containerPort"] == 0:
            yield required(f"{field}.containerPort")
        else:
            yield from values.port(f"{field}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            yield from values.port(f"{field}.hostPort", port["hostPort"])
        yield from one_of(f"{field}.protocol", port.get("protocol"), values.PROTOCOLS)


def _host_ports(group: Iterable[Json], path: str) -> Errors:
    """No two containers of a group take the same port of the host."""
    seen: set[str] = set()
    for i, container in enumerate(group):
        for j, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            taken = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if taken in seen:
                yield duplicate(f"{path}[{i}].ports[{j}].hostPort", taken)
            seen.add(taken)


def _mounts(container: Json, path: str, volumes: Mapping[str, Json]) -> Errors:
    devices = {item["name"]: item["devicePath"] for item in container.get("volumeDevices") or ()}
    seen: set[str] = set()
    for i, mount in enumerate(container["volumeMounts"]):
        field, place = f"{path}[{i}]", mount["mountPath"]
        yield from values.present(field, mount, "name")
        if mount["name"] not in volumes:
            yield missing_reference(f"{field}.name", mount["name"])
        yield from values.present(field, mount, "mountPath")
        if place in seen:
            yield invalid_value(f"{field}.mountPath", place, "must be unique")
        seen.add(place)
        if mount["name"] in devices:
            detail = "must not already exist in volumeDevices"
            yield invalid_value(f"{field}.name", mount["name"], detail)
        if place in devices.values():
            detail = "must not already exist as a path in volumeDevices"
            yield invalid_value(f"{field}.mountPath", place, detail)
        yield from _sub_paths(mount, path, field)
        yield from _propagation(mount, container, path)


def _sub_paths(mount: Json, path: str, field: str) -> Errors:
    if mount.get("subPath"):
        yield from values.descending(f"{path}.subPath", mount["subPath"])
    if mount.get("subPathExpr"):
        if mount.get("subPath"):
            detail = "subPathExpr and subPath are mutually exclusive"
            yield invalid_value(f"{field}.subPathExpr", mount["subPathExpr"], detail)
        yield from values.descending(f"{path}.subPathExpr", mount["subPathExpr"])


def _propagation(mount: Json, container: Json, path: str) -> Errors:
    mode, recursive = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    yield from one_of(f"{path}.mountPropagation", mode, PROPAGATION)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if mode == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden_field(f"{path}.mountPropagation", detail)
    field = f"{path}.recursiveReadOnly"
    yield from one_of(field, recursive, ("Disabled", "Enabled", "IfPossible"))
    if recursive in ("Enabled", "IfPossible"):
        if not mount.get("readOnly"):
            yield forbidden_field(field, "may only be specified when readOnly is true")
        if mode not in (None, "None"):
            detail = "may only be specified when mountPropagation is None or not specified"
            yield forbidden_field(field, detail)


def _devices(container: Json, path: str, volumes: Mapping[str, Json]) -> Errors:
    mounts = {item["name"]: item["mountPath"] for item in container.get("volumeMounts") or ()}
    seen: set[tuple[str, str]] = set()
    for i, device in enumerate(container["volumeDevices"]):
        field = f"{path}[{i}]"
        volume = volumes.get(device["name"])
        yield from values.present(field, device, "name", "devicePath")
        if volume is None:
            yield missing_reference(f"{field}.name", device["name"])
        elif not {"persistentVolumeClaim", "ephemeral"} & volume.keys():
            detail = (
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
                "mode"
            )
            yield invalid_value(f"{field}.name", device["name"], detail)
        if ".." in device["devicePath"].split("/"):
            detail = "can not contain backsteps ('..')"
            yield invalid_value(f"{field}.devicePath", device["devicePath"], detail)
        for name, others, as_path in (
            ("name", mounts.keys(), ""),
            ("devicePath", mounts.values(), "as a path "),
        ):
            if (name, device[name]) in seen:
                yield invalid_value(f"{field}.{name}", device[name], "must be unique")
            seen.add((name, device[name]))
            if device[name] in others:
                detail = f"must not already exist {as_path}in volumeMounts"
                yield invalid_value(f"{field}.{name}", device[name], detail)


def _resize(policies: Sequence[Json], path: str, around: Surroundings) -> Errors:
    seen: set[str] = set()
    for i, policy in enumerate(policies):
        resource, restart = policy["resourceName"], policy["restartPolicy"]
        if resource in seen:
            yield duplicate(f"{path}[{i}]", resource)
        seen.add(resource)
        yield from one_of(path, resource, ("cpu", "memory"))
        yield from one_of(path, restart, ("NotRequired", "RestartContainer"))
        if around.restart == "Never" and restart != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield invalid_value(path, restart, detail)


def _hooks(container: Json, field: str, around: Surroundings) -> Errors:
    if container.get("lifecycle"):
        hooks = container["lifecycle"]
        yield from probes.lifecycle(hooks, f"{field}.lifecycle", around.grace, around.system)
    for name, check in probes.PROBES.items():
        if name in container:
            yield from check(container[name], f"{field}.{name}")


def _restarts(container: Json, field: str) -> Errors:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None and rules:
        detail = "must specify restartPolicy when restart rules are used"
        yield required(f"{field}.restartPolicy", detail)
    yield from one_of(f"{field}.restartPolicy", policy, RESTART_POLICIES)
    if len(rules) > 20:
        yield too_many(f"{field}.restartPolicyRules", len(rules), 20)
    for i, rule in enumerate(rules):
        path = f"{field}.restartPolicyRules[{i}]"
        yield from one_of(f"{path}.action", rule.get("action", ""), RESTART_ACTIONS)
        codes = rule.get("exitCodes")
        if codes is None:
            yield required(f"{path}.exitCodes", "must be specified")
            continue
        yield from one_of(f"{path}.exitCodes.operator", codes.get("operator"), ("In", "NotIn"))
        if len(codes.get("values") or ()) > 255:
            yield too_many(f"{path}.exitCodes.values", len(codes["values"]), 255)


def _init(container: Json, field: str, around: Surroundings) -> Errors:
    if is_sidecar(container):
        yield from _hooks(container, field, around)
        return
    for name in SIDECAR_ONLY:
        if name in container:
            detail = "may not be set for init containers without restartPolicy=Always"
            yield forbidden_field(f"{field}.{name}", detail)
    for i, policy in enumerate(container.get("resizePolicy") or ()):
        if policy["restartPolicy"] == "RestartContainer":
            path = f"{field}.resizePolicy[{i}].restartPolicy"
            detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            yield invalid_value(path, policy["restartPolicy"], detail)


def _ephemeral(container: Json, field: str, others: Set[str]) -> Errors:
    yield from trimmed(container, field)
    target = container.get("targetContainerName")
    if target and target not in others:
        yield missing_reference(f"{field}.targetContainerName", target)
    detail = "cannot be set for an Ephemeral Container"
    for name in NOT_EPHEMERAL:
        if container.get(name):
            yield forbidden_field(f"{field}.{name}", detail)
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        for name in ("subPath", "subPathExpr"):
            if mount.get(name):
                yield forbidden_field(f"{field}.volumeMounts[{i}].{name}", detail)


def trimmed(container: Json, field: str) -> Errors:
    """The image of a pod's container (not of a template's) has no space around it."""
    image = container.get("image") or ""
    if image != image.strip():
        detail = "must not have leading or trailing whitespace"
        yield invalid_value(f"{field}.image", image, detail)


def all_of(spec: Json, path: str) -> Iterable[tuple[Json, str]]:
    """Every container of a pod, with its path."""
    for group in GROUPS:
        for i, container in enumerate(spec.get(group) or ()):
            yield container, f"{path}.{group}[{i}]"


def file_keys(spec: Json, path: str) -> Errors:
    """Variables read from files: the volume must be there, and an emptyDir."""
    for container, field in all_of(spec, path):
        for i, variable in enumerate(container.get("env") or ()):
            if "fileKeyRef" in (variable.get("valueFrom") or ()):
                name = variable["valueFrom"]["fileKeyRef"]["volumeName"]
                yield from _file_volume(
                    name, f"{field}.env[{i}].valueFrom.fileKeyRef.volumeName", spec
                )


def _file_volume(name: str, place: str, spec: Json) -> Errors:
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or ()}
    if name not in volumes:
        yield missing_reference(place, name)
    elif "emptyDir" not in volumes[name]:
        yield invalid_value(place, name, "referenced volume must be of type emptyDir")
