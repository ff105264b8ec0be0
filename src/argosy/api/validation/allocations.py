"""The rules of a resource claim's status: what was allocated, for whom, and what drivers report."""

import ipaddress
from collections.abc import Iterator

from argosy.api import names
from argosy.api.validation.conditions import conditions
from argosy.api.validation.deviceparts import (
    binding,
    configuration,
    pool_name,
    raw_object,
    request_names,
    request_reference,
)
from argosy.api.validation.fields import (
    NEEDED,
    bytes_at_most,
    each,
    fields,
    items_at_most,
    one_of,
    together,
    unique,
    unique_by,
)
from argosy.api.validation.formats import driver, uid
from argosy.api.validation.rule import IMMUTABLE, Json
from argosy.api.validation.selectors import node_selector
from argosy.base.errors import FieldError, forbidden_field, invalid_value

Errors = Iterator[FieldError]

NOT_ALLOCATED = "must be an allocated device in the claim"
NO_NEW_USERS = (
    "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
)


def status(new: Json, old: Json | None) -> list[FieldError]:
    """A rule: what is allocated stays so until it is given back as a whole."""
    after, before = ((obj or {}).get("status") or {} for obj in (new, old))
    if old is None or after == before:
        return []
    errors = list(STATUS(after, "status"))
    errors += _devices(after, "status.devices")
    errors += _users(after, before, deleted=bool(new["metadata"].get("deletionTimestamp")))
    path, allocation = "status.allocation", after.get("allocation")
    if allocation is not None and before.get("allocation") is None:
        known = request_names((new.get("spec") or {}).get("devices") or {})
        errors += _allocation(allocation, path, known)
    elif allocation is not None and allocation != before["allocation"]:
        errors.append(invalid_value(path, allocation, IMMUTABLE))
    return errors


def _users(after: Json, before: Json, *, deleted: bool) -> Errors:
    users, path = after.get("reservedFor") or (), "status.reservedFor"
    if users and after.get("allocation") is None:
        yield forbidden_field(path, "may not be specified when `allocated` is not set")
    elif deleted and any(user not in (before.get("reservedFor") or ()) for user in users):
        yield forbidden_field(path, NO_NEW_USERS)


def _allocation(allocation: Json, path: str, known: frozenset[str]) -> Errors:
    devices = allocation.get("devices") or {}
    yield from RESULTS(devices, f"{path}.devices")
    for i, result in enumerate(devices.get("results") or ()):
        field = f"{path}.devices.results[{i}]"
        yield from request_reference(result["request"], f"{field}.request", known)
        yield from binding(result, field)
    for i, entry in enumerate(devices.get("config") or ()):
        yield from configuration(entry, f"{path}.devices.config[{i}]", known)
    if allocation.get("nodeSelector") is not None:
        yield from node_selector(allocation["nodeSelector"], f"{path}.nodeSelector")


def _identity(device: Json) -> tuple[str, ...]:
    return tuple(device.get(name) or "" for name in ("driver", "pool", "device", "shareID"))


def _devices(after: Json, path: str) -> Errors:
    """What drivers report of devices: of allocated ones, of each once."""
    allocation = after.get("allocation") or {}
    allocated = {_identity(one) for one in (allocation.get("devices") or {}).get("results") or ()}
    for i, device in enumerate(after.get("devices") or ()):
        yield from DEVICE(device, f"{path}[{i}]")
        if (found := _identity(device)) not in allocated:
            yield invalid_value(f"{path}[{i}]", "/".join(filter(None, found)), NOT_ALLOCATED)


def _interface_address(text: str, path: str) -> Errors:
    detail = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
    try:
        address = ipaddress.ip_interface(text)
    except ValueError:
        yield invalid_value(path, text, detail)
        return
    if "/" not in text:
        yield invalid_value(path, text, detail)
    elif str(address) != text:
        yield invalid_value(path, text, f'must be in canonical form ("{address}")')


USER = fields({"resource": NEEDED, "name": NEEDED, "uid": NEEDED})
STATUS = fields(
    {
        "reservedFor": (items_at_most(256), together(each(USER), unique_by("uid"))),
        "devices": unique_by("driver", "pool", "device", "shareID"),
    }
)
RESULTS = fields(
    {
        "results": items_at_most(32),
        "results[].driver": driver,
        "results[].pool": pool_name,
        "results[].device": names.label,
        "results[].shareID": uid,
        "config": items_at_most(64),
        "config[].source": (NEEDED, one_of("FromClaim", "FromClass")),
    }
)
DEVICE = fields(
    {
        "driver": driver,
        "pool": pool_name,
        "device": names.label,
        "shareID": uid,
        "conditions": (items_at_most(8), conditions),
        "data": raw_object,
        "networkData.interfaceName": bytes_at_most(256),
        "networkData.hardwareAddress": bytes_at_most(128),
        "networkData.ips": (items_at_most(16), together(each(_interface_address), unique)),
    }
)
