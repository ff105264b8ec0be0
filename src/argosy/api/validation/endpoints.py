"""Endpoints and EndpointSlice: where a service's traffic goes."""

from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json, Rule, immutable, of_part, one_of
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_many,
)

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
ENDPOINTS, ADDRESSES, PORTS, HINTS = 1000, 100, 20_000, 8


def _subsets(subsets: Sequence[Json], path: str) -> Errors:
    for i, subset in enumerate(subsets or ()):
        field = f"{path}[{i}]"
        kinds = ("addresses", "notReadyAddresses")
        if not any(subset.get(kind) for kind in kinds):
            yield required(field, "must specify `addresses` or `notReadyAddresses`")
        for kind in kinds:
            for j, address in enumerate(subset.get(kind) or ()):
                yield from _address(address, f"{field}.{kind}[{j}]")
        ports = subset.get("ports") or ()
        for j, port in enumerate(ports):
            yield from _port(port, f"{field}.ports[{j}]", named=len(ports) > 1)


def _address(address: Json, field: str) -> Errors:
    yield from values.ip(f"{field}.ip", address["ip"])
    if address.get("hostname"):
        yield from names.label(address["hostname"], f"{field}.hostname")
    if "nodeName" in address:
        yield from names.subdomain(address["nodeName"], f"{field}.nodeName")
    yield from values.endpoint_ip(f"{field}.ip", address["ip"], of_pods=True)


def _port(port: Json, field: str, *, named: bool) -> Errors:
    if port.get("name"):
        yield from names.label(port["name"], f"{field}.name")
    elif named:
        yield required(f"{field}.name")
    yield from values.port(f"{field}.port", port["port"])
    yield from _protocols(port, field)


def _protocols(port: Json, field: str) -> Errors:
    yield from one_of(f"{field}.protocol", port.get("protocol"), values.PROTOCOLS)
    if "appProtocol" in port:
        yield from names.qualified(port["appProtocol"], f"{field}.appProtocol")


def _slice(new: Json, old: Json | None) -> list[FieldError]:
    kind = new["addressType"]
    errors: list[FieldError] = []
    if not kind:
        errors.append(required("addressType"))
    elif kind not in ADDRESS_TYPES:
        errors.append(not_supported("addressType", kind, ADDRESS_TYPES))
    errors += _slice_ports(new.get("ports") or ())
    if old is None or old.get("endpoints") != new.get("endpoints"):
        errors += _endpoints(new.get("endpoints") or (), kind)
    return errors


def _slice_ports(ports: Sequence[Json]) -> Errors:
    if len(ports) > PORTS:
        yield too_many("ports", len(ports), PORTS)
    seen: set[str] = set()
    for i, port in enumerate(ports):
        name, field = port.get("name") or "", f"ports[{i}]"
        if name:
            yield from names.label(name, f"{field}.name")
        if name in seen:
            yield duplicate(f"{field}.name", name)
        seen.add(name)
        yield from _protocols(port, field)


def _endpoints(endpoints: Sequence[Json], kind: str) -> Errors:
    if len(endpoints) > ENDPOINTS:
        yield too_many("endpoints", len(endpoints), ENDPOINTS)
    for i, endpoint in enumerate(endpoints):
        field, addresses = f"endpoints[{i}]", endpoint.get("addresses") or ()
        if not addresses:
            yield required(f"{field}.addresses", "must contain at least 1 address")
        elif len(addresses) > ADDRESSES:
            yield too_many(f"{field}.addresses", len(addresses), ADDRESSES)
        for j, address in enumerate(addresses):
            yield from _typed(address, f"{field}.addresses", j, kind)
        if "nodeName" in endpoint:
            yield from names.subdomain(endpoint["nodeName"], f"{field}.nodeName")
        if "hostname" in endpoint:
            yield from names.label(endpoint["hostname"], f"{field}.hostname")
        yield from _hints(endpoint.get("hints") or {}, f"{field}.hints")


def _typed(address: str, path: str, i: int, kind: str) -> Errors:
    field = f"{path}[{i}]"
    if kind == "FQDN":
        yield from _domain(address, field)
    elif kind in ADDRESS_TYPES:
        faults = list(values.ip(field, address))
        yield from faults
        if faults:
            return
        if (":" in address) is (kind == "IPv4"):
            yield invalid_value(path, address, f"must be an {kind} address")
        yield from values.endpoint_ip(field, address, of_pods=True)


def _domain(text: str, field: str) -> Errors:
    name = text.removesuffix(".")
    if not text:
        yield required(field)
    elif faults := names.subdomain_faults(name):
        yield invalid_value(field, name, ",".join(faults))
    elif "." not in name:
        detail = "should be a domain with at least two segments separated by dots"
        yield invalid_value(field, name, detail)
    else:
        for part in name.split("."):
            yield from names.label(part, field)


def _hints(hints: Json, field: str) -> Errors:
    for name in ("forZones", "forNodes"):
        entries = hints.get(name) or ()
        if len(entries) > HINTS:
            yield too_many(f"{field}.{name}", len(entries), HINTS)
        seen: set[str] = set()
        for i, entry in enumerate(entries):
            place, value = f"{field}.{name}[{i}].name", entry["name"]
            if value in seen:
                yield duplicate(place, value)
            seen.add(value)
            check = names.label_value_faults if name == "forZones" else names.subdomain_faults
            yield from (invalid_value(place, value, fault) for fault in check(value))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "Endpoints": (of_part("subsets", _subsets),),
    "EndpointSlice": (_slice, immutable("addressType")),
}
