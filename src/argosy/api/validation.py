"""What a schema can't say: each kind's own rules, in Kubernetes' words with field paths.

A rule sees the new object and, at an update, the old one; both are structurally valid and
defaulted. The table at the end is all there is.
"""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.api import names
from argosy.api.validation_pod import pod, pod_template
from argosy.base import quantity
from argosy.base.errors import FieldError, forbidden_field, invalid_value, not_supported, required

Json = Mapping[str, Any]
Rule = Callable[[Json, Json | None], list[FieldError]]

IMMUTABLE = "field is immutable"


def immutable(path: str) -> Rule:
    """A rule: what stands at `path` never changes."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        before, after = (_at(obj, path) for obj in (old, new))
        if old is None or before == after:
            return []
        return [invalid_value(path, after, IMMUTABLE)]

    return rule


def _at(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj


def _configmap(new: Json, old: Json | None) -> list[FieldError]:
    errors = []
    for part in ("data", "binaryData"):
        for key in new.get(part) or ():
            if len(key) > 253 or not names.NAME_PART.fullmatch(key.strip(".") or "-"):
                errors.append(
                    invalid_value(
                        f"{part}[{key}]",
                        key,
                        "a valid config key must "
                        "consist of alphanumeric characters, '-', '_' or '.'",
                    )
                )
    if old is not None and old.get("immutable"):
        if any(new.get(part) != old.get(part) for part in ("data", "binaryData")):
            errors.append(forbidden_field("data", "field is immutable when `immutable` is set"))
        if not new.get("immutable"):
            errors.append(
                forbidden_field("immutable", "field is immutable when `immutable` is set")
            )
    return errors


def _service(new: Json, old: Json | None) -> list[FieldError]:
    """Headless services only: nothing routes a virtual address yet."""
    spec = new["spec"]
    errors = []
    if spec["type"] != "ClusterIP":
        errors.append(not_supported("spec.type", spec["type"], ["ClusterIP"]))
    if spec.get("clusterIP") != "None":
        errors.append(not_supported("spec.clusterIP", spec.get("clusterIP") or "", ["None"]))
    for i, port in enumerate(spec.get("ports") or ()):
        if not 0 < port["port"] < 65536:
            detail = "must be between 1 and 65535, inclusive"
            errors.append(invalid_value(f"spec.ports[{i}].port", port["port"], detail))
    return errors


def _volume_claim(new: Json, old: Json | None) -> list[FieldError]:
    spec = new["spec"]
    errors = []
    if not spec.get("accessModes"):
        errors.append(required("spec.accessModes", "at least 1 access mode is required"))
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        errors.append(required("spec.resources.requests[storage]"))
    elif quantity.parse(storage) <= 0:
        field = "spec.resources.requests[storage]"
        errors.append(invalid_value(field, storage, "must be greater than zero"))
    if old is not None and old["spec"].get("volumeName"):
        same = {**old["spec"], "resources": None} == {**spec, "resources": None}
        if not same:
            detail = (
                "spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims"
            )
            errors.append(forbidden_field("spec", detail))
    return errors


def _claim_spec(spec: Json, path: str) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for i, request in enumerate((spec.get("devices") or {}).get("requests") or ()):
        field = f"{path}.devices.requests[{i}]"
        errors += names.label(request["name"], f"{field}.name")
        if request["name"] in seen:
            errors.append(
                FieldError(
                    "FieldValueDuplicate", f"{field}.name", f'Duplicate value: "{request["name"]}"'
                )
            )
        seen.add(request["name"])
        exact = request.get("exactly")
        if exact is None:
            detail = "only requests of the form `exactly` are supported"
            errors.append(
                forbidden_field(f"{field}.firstAvailable", detail)
                if request.get("firstAvailable")
                else required(field, "exactly one of `exactly` or `firstAvailable` is required")
            )
            continue
        if not exact.get("deviceClassName"):
            errors.append(required(f"{field}.exactly.deviceClassName"))
    return errors


def _resource_claim(new: Json, old: Json | None) -> list[FieldError]:
    return _claim_spec(new["spec"], "spec") + immutable("spec")(new, old)


def _claim_template(new: Json, old: Json | None) -> list[FieldError]:
    return _claim_spec(new["spec"]["spec"], "spec.spec") + immutable("spec")(new, old)


def _pod_group(new: Json, old: Json | None) -> list[FieldError]:
    policy = new["spec"].get("schedulingPolicy") or {}
    field = "spec.schedulingPolicy"
    if len([name for name in ("basic", "gang") if policy.get(name) is not None]) != 1:
        return [invalid_value(field, policy, "must specify exactly one of: `basic`, `gang`")]
    gang = policy.get("gang")
    if gang is not None and gang["minCount"] < 1:
        detail = "must be greater than or equal to 1"
        return [invalid_value(f"{field}.gang.minCount", gang["minCount"], detail)]
    return []


def _train_job(new: Json, old: Json | None) -> list[FieldError]:
    errors = names.label(new["metadata"].get("name") or "", "metadata.name")
    for field in ("spec.runtimeRef", "spec.trainer"):
        errors += immutable(field)(new, old)
    return errors


def _training_runtime(new: Json, old: Json | None) -> list[FieldError]:
    jobs = new["spec"]["template"].get("spec", {}).get("replicatedJobs") or []
    path = "spec.template.spec.replicatedJobs"
    if [job["name"] for job in jobs] != ["node"]:
        detail = "exactly one replicated job, named `node`, is supported"
        return [invalid_value(path, [job["name"] for job in jobs], detail)]
    template = jobs[0]["template"].get("spec", {}).get("template") or {}
    if jobs[0].get("replicas", 1) != 1:
        return [invalid_value(f"{path}[0].replicas", jobs[0]["replicas"], "must be 1")]
    return pod_template(template, f"{path}[0].template.spec.template", restart=None)


def _slice(new: Json, old: Json | None) -> list[FieldError]:
    return immutable("spec.driver")(new, old) + immutable("spec.nodeName")(new, old)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ConfigMap": (_configmap,),
    "InferenceService": (),
    "ModelVersion": (immutable("spec"),),
    "PersistentVolumeClaim": (_volume_claim,),
    "Pod": (pod,),
    "PodGroup": (_pod_group,),
    "ResourceClaim": (_resource_claim,),
    "ResourceClaimTemplate": (_claim_template,),
    "ResourceSlice": (_slice,),
    "RuntimeClass": (immutable("handler"),),
    "Service": (_service,),
    "ClusterTrainingRuntime": (_training_runtime,),
    "TrainingRuntime": (_training_runtime,),
    "TrainJob": (_train_job,),
}
SHORT_NAMES = frozenset({"Namespace", "Service"})
"""Kinds whose names are DNS labels rather than subdomains."""


def validate(kind: str, new: Json, old: Json | None, *, namespaced: bool) -> list[FieldError]:
    """All that is wrong with `new` beyond its structure."""
    errors = names.metadata(new["metadata"], namespaced=namespaced, short=kind in SHORT_NAMES)
    for rule in RULES.get(kind, ()):
        errors += rule(new, old)
    return errors
