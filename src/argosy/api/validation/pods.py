"""The rules of pods. Source: Kubernetes' API reference and its field validation's texts."""

from collections.abc import Mapping
from typing import Any

from argosy.api import names
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    missing_reference,
    not_supported,
    required,
)

Json = Mapping[str, Any]

RESTART_POLICIES = ("Always", "OnFailure", "Never")
MUTABLE = frozenset(
    {
        "activeDeadlineSeconds",
        "schedulingGates",
        "tolerations",
    }
)
"""Fields of a pod's spec that may change (with the images, and the node when it is bound)."""


def pod(new: Json, old: Json | None) -> list[FieldError]:
    """A pod, new or changed."""
    errors = pod_spec(new["spec"], "spec")
    if old is not None:
        errors += _unchanged(new["spec"], old["spec"])
        errors += _gates(new["spec"], old["spec"])
        errors += _tolerations(new["spec"], old["spec"])
        errors += _shortened(new["spec"], old["spec"])
    return errors


def pod_template(template: Json, path: str, *, restart: str | None) -> list[FieldError]:
    """A pod inside of a template, where the restart policy may be fixed by its controller."""
    spec = template.get("spec") or {}
    errors = pod_spec(spec, f"{path}.spec")
    errors += names.labels(
        (template.get("metadata") or {}).get("labels") or {}, f"{path}.metadata.labels"
    )
    if restart and spec.get("restartPolicy", restart) != restart:
        errors.append(not_supported(f"{path}.spec.restartPolicy", spec["restartPolicy"], [restart]))
    return errors


def pod_spec(spec: Json, path: str) -> list[FieldError]:
    """What a pod shall be."""
    errors: list[FieldError] = []
    volumes = _volumes(spec, path, errors)
    claims = _claims(spec, path, errors)
    containers = spec.get("containers") or ()
    if not containers:
        errors.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(group) or ()):
            field = f"{path}.{group}[{i}]"
            if container["name"] in seen:
                errors.append(duplicate(f"{field}.name", container["name"]))
            seen.add(container["name"])
            errors += _container(container, field, volumes, claims)
    policy = spec.get("restartPolicy", "Always")
    if policy not in RESTART_POLICIES:
        errors.append(not_supported(f"{path}.restartPolicy", policy, RESTART_POLICIES))
    grace = spec.get("terminationGracePeriodSeconds", 30)
    if grace < 0:
        field = f"{path}.terminationGracePeriodSeconds"
        errors.append(invalid_value(field, grace, "must be greater than or equal to 0"))
    deadline = spec.get("activeDeadlineSeconds", 1)
    if not 0 < deadline < 2**31:
        detail = "must be between 1 and 2147483647, inclusive"
        errors.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, detail))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            errors += names.label(spec[name], f"{path}.{name}")
    return errors


def _volumes(spec: Json, path: str, errors: list[FieldError]) -> set[str]:
    seen: set[str] = set()
    for i, volume in enumerate(spec.get("volumes") or ()):
        field = f"{path}.volumes[{i}]"
        errors += names.label(volume["name"], f"{field}.name")
        if volume["name"] in seen:
            errors.append(duplicate(f"{field}.name", volume["name"]))
        seen.add(volume["name"])
        sources = [name for name, value in volume.items() if name != "name" and value is not None]
        if not sources:
            errors.append(required(field, "must specify a volume type"))
        elif len(sources) > 1:
            detail = "may not specify more than 1 volume type"
            errors.append(forbidden_field(f"{field}.{sorted(sources)[1]}", detail))
    return seen


def _claims(spec: Json, path: str, errors: list[FieldError]) -> set[str]:
    seen: set[str] = set()
    for i, claim in enumerate(spec.get("resourceClaims") or ()):
        field = f"{path}.resourceClaims[{i}]"
        errors += names.label(claim["name"], f"{field}.name")
        if claim["name"] in seen:
            errors.append(duplicate(f"{field}.name", claim["name"]))
        seen.add(claim["name"])
        sources = [
            name for name in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(name)
        ]
        if len(sources) != 1:
            detail = "must specify exactly one of: `resourceClaimName`, `resourceClaimTemplateName`"
            errors.append(invalid_value(field, dict(claim), detail))
    return seen


def _container(
    container: Json, field: str, volumes: set[str], claims: set[str]
) -> list[FieldError]:
    errors = names.label(container["name"], f"{field}.name")
    if not (container.get("image") or "").strip():
        errors.append(required(f"{field}.image"))
    errors += _mounts(container, field, volumes)
    errors += _ports(container, field)
    for i, variable in enumerate(container.get("env") or ()):
        name = f"{field}.env[{i}].name"
        if not variable["name"] or "=" in variable["name"] or "\0" in variable["name"]:
            detail = "a valid environment variable name must not be empty or contain '='"
            errors.append(invalid_value(name, variable["name"], detail))
        if variable.get("value") and variable.get("valueFrom"):
            detail = "may not be specified when `value` is not empty"
            errors.append(invalid_value(f"{field}.env[{i}].valueFrom", "", detail))
    errors += _resources(container.get("resources") or {}, f"{field}.resources", claims)
    return errors


def _mounts(container: Json, field: str, volumes: set[str]) -> list[FieldError]:
    errors = []
    paths: set[str] = set()
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        path = f"{field}.volumeMounts[{i}]"
        if mount["name"] not in volumes:
            errors.append(missing_reference(f"{path}.name", mount["name"]))
        if not mount["mountPath"]:
            errors.append(required(f"{path}.mountPath"))
        elif mount["mountPath"] in paths:
            errors.append(invalid_value(f"{path}.mountPath", mount["mountPath"], "must be unique"))
        paths.add(mount["mountPath"])
        sub = mount.get("subPath") or ""
        if sub.startswith("/"):
            errors.append(invalid_value(f"{path}.subPath", sub, "must be a relative path"))
        if ".." in sub.split("/"):
            errors.append(invalid_value(f"{path}.subPath", sub, "must not contain '..'"))
    return errors


def _ports(container: Json, field: str) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for i, port in enumerate(container.get("ports") or ()):
        path = f"{field}.ports[{i}]"
        if not 0 < port["containerPort"] < 65536:
            detail = "must be between 1 and 65535, inclusive"
            errors.append(invalid_value(f"{path}.containerPort", port["containerPort"], detail))
        name = port.get("name")
        if name and name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name or "")
    return errors


def _resources(resources: Json, field: str, claims: set[str]) -> list[FieldError]:
    errors = []
    limits = resources.get("limits") or {}
    for part in ("limits", "requests"):
        for name, amount in (resources.get(part) or {}).items():
            path = f"{field}.{part}[{name}]"
            errors += names.qualified(name, path)
            if quantity.parse(amount) < 0:
                detail = "must be greater than or equal to 0"
                errors.append(invalid_value(path, str(amount), detail))
    for name, amount in (resources.get("requests") or {}).items():
        if name in limits and quantity.parse(amount) > quantity.parse(limits[name]):
            detail = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(invalid_value(f"{field}.requests", str(amount), detail))
    for i, claim in enumerate(resources.get("claims") or ()):
        if claim["name"] not in claims:
            errors.append(missing_reference(f"{field}.claims[{i}].name", claim["name"]))
    return errors


def _unchanged(new: Json, old: Json) -> list[FieldError]:
    if _fixed(new) == _fixed(old):
        return []
    detail = (
        "pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
        "negative),`spec.tolerations` (only additions to existing tolerations)"
    )
    return [forbidden_field("spec", detail)]


def _gates(new: Json, old: Json) -> list[FieldError]:
    """Scheduling gates may be taken away, never added."""
    before = {gate["name"] for gate in old.get("schedulingGates") or ()}
    added = [g["name"] for g in new.get("schedulingGates") or () if g["name"] not in before]
    if not added:
        return []
    detail = "only deletion is allowed, but found new scheduling gate"
    return [forbidden_field("spec.schedulingGates", f"{detail} '{added[0]}'")]


def _tolerations(new: Json, old: Json) -> list[FieldError]:
    """Tolerations may be added; of those there were, only the time may change."""
    before, after = (
        [{**item, "tolerationSeconds": None} for item in spec.get("tolerations") or ()]
        for spec in (old, new)
    )
    if all(item in after for item in before):
        return []
    detail = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden_field("spec.tolerations", detail)]


def _shortened(new: Json, old: Json) -> list[FieldError]:
    """A deadline may be set and moved nearer, never taken away."""
    before, after = (spec.get("activeDeadlineSeconds") for spec in (old, new))
    if before is None or (after is not None and after <= before):
        return []
    detail = "must be less than or equal to previous value"
    if after is None:
        detail = "must not update from a positive integer to nil value"
    return [invalid_value("spec.activeDeadlineSeconds", after, detail)]


def _fixed(spec: Json) -> dict[str, Any]:
    """The part of a pod's spec that may not change."""
    fixed = {name: value for name, value in spec.items() if name not in MUTABLE}
    for group in ("initContainers", "containers"):
        if fixed.get(group):
            fixed[group] = [{**container, "image": ""} for container in fixed[group]]
    return fixed
