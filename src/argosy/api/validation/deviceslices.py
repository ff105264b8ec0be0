"""The rules of resource slices: where devices are, what they are like, what they share."""

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.api import names
from argosy.api.validation import resources
from argosy.api.validation.capacities import request_policy
from argosy.api.validation.deviceparts import (
    attribute,
    binding,
    full_attribute,
    pool_name,
    taint,
)
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    at_least,
    bytes_at_most,
    each,
    exactly_one,
    fields,
    items_at_most,
    one_of,
    together,
    unique,
    unique_by,
)
from argosy.api.validation.formats import SEMVER, driver
from argosy.api.validation.rule import Json, Rule, immutable
from argosy.api.validation.selectors import node_selector
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    missing_reference,
    required,
)

Errors = Iterator[FieldError]

MOST_DEVICES = 128
MOST_RICH_DEVICES = 64
"""Where any device of the slice has taints, shared counters or attributes that are lists."""
LISTS = ("bools", "ints", "strings", "versions")
PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
ONE_PLACE = f"exactly one of {', '.join(f'`{name}`' for name in PLACES)} is required"
OWN_PLACE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
    "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
NO_OWN_PLACE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set "
    "to true in the ResourceSlice spec"
)


def _slice(new: Json, old: Json | None) -> list[FieldError]:
    """A device's taints are checked where they are new or changed."""
    spec, before = new.get("spec") or {}, (old or {}).get("spec") or {}
    return [] if old is not None and spec == before else list(_spec(spec, before))


def _spec(spec: Json, before: Json) -> Errors:
    yield from SPEC(spec, "spec")
    yield from _places(spec)
    if "sharedCounters" in spec and "devices" in spec:
        yield invalid_value("spec", "", "only one of `sharedCounters` or `devices` is allowed")
    devices = spec.get("devices") or []
    most = MOST_RICH_DEVICES if any(map(_is_rich, devices)) else MOST_DEVICES
    if len(devices) > most:
        yield from items_at_most(most)(devices, "spec.devices")
        return
    own = bool(spec.get("perDeviceNodeSelection"))
    known = {device["name"]: device.get("taints") for device in before.get("devices") or ()}
    for i, device in enumerate(devices):
        field = f"spec.devices[{i}]"
        yield from _device(device, field)
        yield from _device_place(device, field, own=own)
        if device.get("taints") != known.get(device["name"]):
            yield from TAINTS(device, field)
    yield from unique_by("name")(devices, "spec.devices")


def _is_rich(device: Json) -> bool:
    if device.get("taints") or device.get("consumesCounters"):
        return True
    return any(
        name in value for value in (device.get("attributes") or {}).values() for name in LISTS
    )


def _places(spec: Json) -> Errors:
    found = []
    for name in PLACES:
        if name not in spec:
            continue
        if spec[name] in ("", False):
            what = "set to a non-empty string" if name == "nodeName" else "set to true"
            yield invalid_value(f"spec.{name}", spec[name], f"must be either unset or {what}")
        else:
            found.append(f"`{name}`")
    selector = spec.get("nodeSelector")
    terms = (selector or {}).get("nodeSelectorTerms") or []
    if selector is not None and len(terms) != 1:
        detail = "must have exactly one node selector term"
        yield invalid_value("spec.nodeSelector.nodeSelectorTerms", terms, detail)
    if not found:
        yield required("spec", ONE_PLACE)
    elif len(found) > 1:
        detail = f"{ONE_PLACE}, but multiple fields are set"
        yield invalid_value("spec", f"{{{', '.join(found)}}}", detail)


def _device_place(device: Json, path: str, *, own: bool) -> Errors:
    """Where a device is, if not where its whole slice is."""
    said = [name for name in PLACES[:3] if name in device]
    if not own:
        if said:
            yield invalid_value(path, None, NO_OWN_PLACE)
        return
    found = []
    for name in said:
        if device[name] in ("", False):
            detail = "must be either unset or set to true"
            if name == "nodeName":
                detail = "must not be empty"
            yield invalid_value(f"{path}.{name}", device[name], detail)
        else:
            found.append(f"`{name}`")
    yield from PLACE(device, path)
    if not found:
        yield required(path, OWN_PLACE)
    elif len(found) > 1:
        yield invalid_value(path, f"{{{', '.join(found)}}}", OWN_PLACE)


def _device(device: Json, path: str) -> Errors:
    yield from DEVICE(device, path)
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    if (count := len(attributes) + len(capacity)) > 32:
        detail = "the total number of attributes and capacities must not exceed 32"
        yield invalid_value(path, count, detail)
    if (count := sum(map(_value_count, attributes.values()))) > 48:
        yield invalid_value(path, count, "the total number of attribute values must not exceed 48")
    for part in (attributes, capacity):
        where = f"{path}.{'attributes' if part is attributes else 'capacity'}"
        for name in part:
            yield from attribute(name, where)
    shared = bool(device.get("allowMultipleAllocations"))
    for name, value in capacity.items():
        yield from _capacity(value, f"{path}.capacity[{name}]", shared=shared)
    yield from binding(device, path)
    for name, entry in (device.get("nodeAllocatableResources") or {}).items():
        yield from _node_resource(name, entry, f"{path}.nodeAllocatableResources[{name}]", capacity)


def _value_count(value: Json) -> int:
    return sum(len(value.get(name) or ()) for name in LISTS) or 1


def _attribute_value(value: Json, path: str) -> Errors:
    for name in LISTS:
        if value.get(name) == []:
            yield invalid_value(f"{path}.{name}", [], "must not be empty if specified")
    if len(value) != 1:
        yield invalid_value(path, value or "", "exactly one value must be specified")


def _version(text: str, path: str) -> Errors:
    if not SEMVER.fullmatch(text):
        yield invalid_value(path, text, "must be a string compatible with semver.org spec 2.0.0")
    yield from bytes_at_most(64)(text, path)


def _capacity(capacity: Json, path: str, *, shared: bool) -> Errors:
    policy, field = capacity.get("requestPolicy"), f"{path}.requestPolicy"
    if policy is not None and not shared:
        yield forbidden_field(field, "allowMultipleAllocations must be true")
    elif policy is not None:
        yield from request_policy(policy, capacity["value"], field)


def _node_resource(name: str, entry: Json, path: str, capacity: Json) -> Errors:
    """What a device takes of the node's own: so much for each, or of one of its capacities."""
    if not resources.is_native(name):
        yield invalid_value(path, name, "must be a node allocatable resource name")
    mapping, field = entry.get("mapping"), f"{path}.mapping"
    if mapping is None:
        return
    yield from MAPPING(mapping, field)
    key = mapping.get("capacityKey")
    if key == "":
        detail = "capacityKey must not be an empty string"
        yield invalid_value(f"{field}.capacityKey", "", detail)
    elif key is not None and key not in capacity:
        yield missing_reference(f"{field}.capacityKey", key)


def _positive(value: Any, path: str) -> Errors:
    if quantity.parse(value) <= 0:
        yield invalid_value(path, str(value), "must be positive")


def _counter_names(counters: Mapping[str, Any], path: str) -> Errors:
    for name in counters:
        yield from names.label(name, path)


MAPPING = together(
    exactly_one("capacityKey", "deviceMultiplier"),
    fields({"capacityMultiplier": _positive, "deviceMultiplier": _positive}),
)
COUNTERS = (NEEDED, items_at_most(32), _counter_names)
PLACE = fields({"nodeName": names.subdomain, "nodeSelector": node_selector})
TAINTS = fields({"taints": (items_at_most(16), each(taint))})
DEVICE = fields(
    {
        "name": names.label,
        "attributes{}": _attribute_value,
        "attributes{}.string": bytes_at_most(64),
        "attributes{}.version": _version,
        "attributes{}.strings[]": bytes_at_most(64),
        "attributes{}.versions[]": _version,
        "consumesCounters": (items_at_most(2), unique_by("counterSet")),
        "consumesCounters[].counterSet": (NEEDED, names.label),
        "consumesCounters[].counters": COUNTERS,
    }
)
SPEC: Check = fields(
    {
        "driver": driver,
        "pool.name": pool_name,
        "pool.resourceSliceCount": at_least(1, "must be greater than zero"),
        "pool.generation": at_least(0, "must be greater than or equal to zero"),
        "nodeName": lambda name, path: names.subdomain(name, path) if name else (),
        "nodeSelector": node_selector,
        "sharedCounters": (items_at_most(8), unique_by("name")),
        "sharedCounters[].name": (NEEDED, names.label),
        "sharedCounters[].counters": COUNTERS,
        "partitionTypeAttribute": full_attribute,
        "skipNodeOperations": unique,
        "skipNodeOperations[]": one_of("*", "NodePrepareResources", "NodeUnprepareResources"),
    }
)

RULES: tuple[Rule, ...] = (
    _slice,
    immutable("spec.pool.name", "spec.driver", "spec.nodeName"),
)
