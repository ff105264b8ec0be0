"""Claims of storage: PersistentVolumeClaim, alone and inside of templates."""

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.resources import is_native
from argosy.api.validation.rule import Errors, Json, Rule, at, of_part, one_of
from argosy.api.validation.selectors import label_selector
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
RESIZE = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)
FIXED = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def access_modes(spec: Json, path: str) -> Errors:
    """`accessModes`, which a claim and a volume have alike."""
    modes = spec.get("accessModes") or ()
    for mode in modes:
        yield from one_of(f"{path}.accessModes", mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(
        mode in ACCESS_MODES for mode in modes if mode != "ReadWriteOncePod"
    ):
        detail = "may not use ReadWriteOncePod with other access modes"
        yield forbidden_field(f"{path}.accessModes", detail)


def class_names(spec: Json, path: str) -> Errors:
    """The names of classes."""
    for name in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(name):
            yield from names.subdomain(spec[name], f"{path}.{name}")


def claim_spec(spec: Json, path: str) -> Errors:
    """What a claim asks for."""
    if not spec.get("accessModes"):
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), f"{path}.selector")
    yield from access_modes(spec, path)
    size = at(spec, "resources.requests.storage")
    if size is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from values.positive_amount(f"{path}.resources[storage]", size)
    yield from class_names(spec, path)
    yield from one_of(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    yield from _data_sources(spec, path)


def _data_sources(spec: Json, path: str) -> Errors:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, value in (("dataSource", source), ("dataSourceRef", reference)):
        if value is not None:
            yield from _data_source(value, f"{path}.{name}")
    if reference is None or source is None:
        return
    same = ("apiGroup", "kind", "name")
    if reference.get("namespace"):
        detail = "may not be specified when dataSourceRef.namespace is specified"
        yield invalid_value(path, f"{path}.dataSource", detail)
    elif any(source.get(name) != reference.get(name) for name in same):
        yield invalid_value(path, f"{path}.dataSource", "must match dataSourceRef")


def _data_source(source: Json, path: str) -> Errors:
    yield from values.present(path, source, "name", "kind")
    if source.get("apiGroup"):
        yield from names.subdomain(source["apiGroup"], f"{path}.apiGroup")
    elif source.get("kind") != "PersistentVolumeClaim":
        detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid_value(path, source.get("kind") or "", detail)
    if source.get("namespace"):
        yield from names.label(source["namespace"], f"{path}.namespace")


def claim_template(template: Json, path: str) -> Errors:
    """The template of a claim that a pod makes for itself."""
    meta = template.get("metadata") or {}
    yield from names.annotations(meta.get("annotations") or {}, f"{path}.metadata.annotations")
    yield from names.labels(meta.get("labels") or {}, f"{path}.metadata.labels")
    for name in meta:
        if name not in ("annotations", "labels") and meta[name]:
            yield forbidden_field(f"{path}.metadata.{name}", "cannot be set")
    yield from claim_spec(template.get("spec") or {}, f"{path}.spec")


def _changes(new: Json, old: Json | None) -> list[FieldError]:
    """What may change: little, and nothing but size and class once the claim is bound."""
    if old is None or new["spec"] == old["spec"]:
        return []
    return [*_fixed(new, old), *_size(new, old), *_modes(new, old)]


def _fixed(new: Json, old: Json) -> Errors:
    before, after = dict(old["spec"]), dict(new["spec"])
    if not before.get("volumeName"):
        before.pop("volumeName", None)
        after.pop("volumeName", None)
    if before.get("storageClassName") is None:
        before.pop("storageClassName", None)
        after.pop("storageClassName", None)
    if at(new, "status.phase") == "Bound":
        for spec in (before, after):
            spec.pop("volumeAttributesClassName", None)
            spec["resources"] = _beside_size(spec.get("resources") or {})
    if before != after:
        yield forbidden_field("spec", FIXED)


def _beside_size(resources: Json) -> Json:
    requests = {k: v for k, v in (resources.get("requests") or {}).items() if k != "storage"}
    return {**resources, "requests": requests}


def _size(new: Json, old: Json) -> Errors:
    before, after, there = (
        quantity.parse(value or 0)
        for value in (
            at(old, "spec.resources.requests.storage"),
            at(new, "spec.resources.requests.storage"),
            at(old, "status.capacity.storage"),
        )
    )
    if after < before and after <= there:
        detail = "field can not be less than status.capacity"
        yield forbidden_field("spec.resources.requests.storage", detail)


def _modes(new: Json, old: Json) -> Errors:
    if at(new, "spec.volumeMode") != at(old, "spec.volumeMode"):
        yield invalid_value("volumeMode", at(new, "spec.volumeMode"), "field is immutable")
    before, after = (at(obj, "spec.volumeAttributesClassName") for obj in (old, new))
    if before != after and at(old, "status.currentVolumeAttributesClassName") is not None:
        if not after:
            what = "nil" if after is None else "empty string"
            detail = (
                f"update to {what} is forbidden when status.currentVolumeAttributesClassName is "
                "not nil"
            )
            yield forbidden_field("spec.volumeAttributesClassName", detail)


def _status(status: Json, path: str) -> Errors:
    yield from capacity(status.get("capacity") or {}, f"{path}.capacity")
    field = f"{path}.allocatedResourceStatuses"
    for name, value in (status.get("allocatedResourceStatuses") or {}).items():
        yield from _resource_key(name, field)
        if value not in RESIZE:
            yield not_supported(field, name, RESIZE)
    for name, value in (status.get("allocatedResources") or {}).items():
        yield from _resource_key(name, f"{path}.allocatedResources")
        yield from values.amount(f"{path}.allocatedResources[{name}]", value)


def _resource_key(name: str, field: str) -> Errors:
    yield from names.qualified(name, field)
    if is_native(name) and name != "storage":
        yield not_supported(field, name, ("storage",))


def capacity(amounts: Json, path: str) -> Errors:
    """How large a volume is."""
    for name, value in amounts.items():
        if quantity.whole(value) < 0:
            detail = "must be a valid resource quantity"
            yield invalid_value(f"{path}[{name}]", quantity.whole(value), detail)


CLAIM: tuple[Rule, ...] = (of_part("spec", claim_spec), of_part("status", _status), _changes)
