"""PersistentVolume: its source is there once and for all."""

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.claims import VOLUME_MODES, access_modes, capacity, class_names
from argosy.api.validation.rule import Errors, Json, Rule, at, of_part, one_of
from argosy.api.validation.selectors import node_selector
from argosy.api.validation.volumes import ORDER, source
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

POLICIES = ("Delete", "Recycle", "Retain")
SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)


def _spec(spec: Json, path: str) -> Errors:
    if not spec.get("accessModes"):
        yield required(f"{path}.accessModes")
    yield from access_modes(spec, path)
    yield from _capacity(spec.get("capacity") or {}, f"{path}.capacity")
    policy = spec.get("persistentVolumeReclaimPolicy")
    yield from one_of(f"{path}.persistentVolumeReclaimPolicy", policy, POLICIES)
    affinity = spec.get("nodeAffinity")
    if affinity is not None and "required" not in affinity:
        detail = "must specify required node constraints"
        yield required(f"{path}.nodeAffinity.required", detail)
    elif affinity is not None:
        yield from node_selector(affinity["required"], f"{path}.nodeAffinity.required")
    yield from source(spec, path)
    if "local" in spec and affinity is None:
        yield required(f"{path}.nodeAffinity", "Local volume requires node affinity")
    if policy == "Recycle" and at(spec, "hostPath.path") == "/":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden_field(f"{path}.persistentVolumeReclaimPolicy", detail)
    yield from one_of(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    yield from _classes(spec, path)
    if "csi" in spec:
        yield from _csi(spec["csi"], f"{path}.csi")


def _capacity(amounts: Json, path: str) -> Errors:
    if not amounts:
        yield required(path)
    if set(amounts) != {"storage"}:
        yield not_supported(path, amounts or None, ("storage",))
    yield from capacity(amounts, path)
    for name, value in amounts.items():
        yield from values.positive_amount(f"{path}[{name}]", value)


def _classes(spec: Json, path: str) -> Errors:
    yield from class_names(spec, path)
    attributes = spec.get("volumeAttributesClassName")
    if attributes == "":
        detail = "an empty string is disallowed"
        yield required(f"{path}.volumeAttributesClassName", detail)
    if attributes is not None and "csi" not in spec:
        detail = "has to be specified when using volumeAttributesClassName"
        yield required(f"{path}.csi", detail)


def _csi(volume: Json, path: str) -> Errors:
    yield from values.present(path, volume, "volumeHandle")
    for name in SECRETS:
        if name not in volume:
            continue
        secret, field = volume[name], f"{path}.{name}"
        yield from values.present(field, secret, "name", "namespace")
        if secret.get("name"):
            yield from names.subdomain(secret["name"], f"{field}.name")
        if secret.get("namespace"):
            yield from names.label(secret["namespace"], f"{field}.namespace")


def _changes(new: Json, old: Json | None) -> list[FieldError]:
    if old is None or new["spec"] == old["spec"]:
        return []
    before, after = old["spec"], new["spec"]
    errors = []
    if _source(before, after) != _source(after, before):
        detail = "spec.persistentvolumesource is immutable after creation"
        errors.append(forbidden_field("spec.persistentvolumesource", detail))
    if before.get("volumeMode") != after.get("volumeMode"):
        errors.append(invalid_value("volumeMode", after.get("volumeMode"), "field is immutable"))
    affinity = after.get("nodeAffinity")
    if before.get("nodeAffinity") not in (None, affinity):
        detail = "field is immutable, except for updating from beta label to GA"
        errors.append(invalid_value("nodeAffinity", affinity, detail))
    name = "volumeAttributesClassName"
    if before.get(name) is not None and after.get(name) is None:
        detail = "update from non-nil value to nil is forbidden"
        errors.append(forbidden_field(f"spec.{name}", detail))
    return errors


def _source(spec: Json, other: Json) -> Json:
    """The source of a volume; a secret for its growth may be added to it."""
    found = {name: spec[name] for name in ORDER if name in spec}
    secret = "controllerExpandSecretRef"
    if "csi" in found and secret not in (other.get("csi") or {}):
        found["csi"] = {k: v for k, v in found["csi"].items() if k != secret}
    return found


VOLUME: tuple[Rule, ...] = (of_part("spec", _spec), _changes)
