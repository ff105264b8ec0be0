"""The rules of the core group's kinds, pods apart."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.validation.rule import Json, Rule, immutable
from argosy.base import quantity
from argosy.base.errors import FieldError, forbidden_field, invalid_value, not_supported, required

BESIDE_SOURCE = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
"""What a persistent volume's spec has beside its one source."""


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


def _volume(new: Json, old: Json | None) -> list[FieldError]:
    spec = new["spec"]
    errors = [
        required(f"spec.{name}") for name in ("accessModes", "capacity") if not spec.get(name)
    ]
    if not spec.keys() - BESIDE_SOURCE:
        errors.append(required("spec", "must specify a volume type"))
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


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ConfigMap": (_configmap,),
    "PersistentVolume": (_volume,),
    "PersistentVolumeClaim": (_volume_claim,),
    "RuntimeClass": (immutable("handler"),),
    "Service": (_service,),
}
