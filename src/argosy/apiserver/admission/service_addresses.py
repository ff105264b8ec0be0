"""The addresses and ports of services: each is one service's only, and asked-for ones are honoured.

What is given to whom stands in the services themselves, as far as they are stored. What was given
to a write that is still on its way is reserved here until the call is over, so two services never
get the same; an attempt that is made anew asks for what the one before it got. New ones come from
the upper part of a range first; its lower part is for those that are asked for by name. Source:
upstream's service allocators, for one family of addresses.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Network
from typing import Any

import msgspec

from argosy.api.core import Service
from argosy.api.validation.services import checks_health, cluster_addresses, external, headless
from argosy.apiserver.admission.rule import Attributes
from argosy.base.errors import (
    FieldError,
    StatusError,
    internal_error,
    invalid,
    invalid_value,
)
from argosy.store.interface import Store

Json = dict[str, Any]
Place = str | int
"""A cluster address, or a port of the nodes."""

BLOCK = IPv4Network("10.96.0.0/16")
PORTS = range(30_000, 32_768)
NAMED_ADDRESSES, NAMED_PORTS = 256, 86
"""The lower parts of both ranges, which are given out only when the rest is gone."""
FAMILY = "IPv4"


class ServiceAddresses:
    """An admission rule. It completes a service's addresses before the service is checked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stored: dict[str, tuple[int, str, frozenset[Place]]] = {}
        self._reserved: dict[object, tuple[str, Place]] = {}
        self._addresses = _Turn(NAMED_ADDRESSES, BLOCK.num_addresses - 1)
        self._ports = _Turn(NAMED_PORTS, len(PORTS))

    def __call__(self, attributes: Attributes) -> None:
        """Give `new` what it needs. Raises StatusError 422 where what it asks for can't be had."""
        new, old = attributes.new, attributes.old
        spec, before = new["spec"], {} if old is None else old["spec"]
        if before:
            _drop_what_the_type_had(spec, before)
            _keep(spec, before)
        _normalize(spec, before)
        errors = list(cluster_addresses(spec, before)) or _set_families(spec, before)
        if errors:
            raise _refused(new, errors)
        taken = self._taken(beside=new["metadata"]["uid"])
        chosen: dict[str, Place] = attributes.answers.once("service addresses", dict)
        self._give_addresses(attributes, taken, chosen)
        self._give_ports(attributes, taken, chosen)

    def _taken(self, *, beside: str) -> set[Place]:
        """What other services have, stored or on their way."""
        stored: dict[str, tuple[int, str, frozenset[Place]]] = {}
        for record in self._store.list(Service.resource.key()):
            known = self._stored.get(record.key)
            if known is None or known[0] != record.revision:
                service = msgspec.json.decode(record.value)
                places = frozenset(_places(service["spec"]))
                known = (record.revision, service["metadata"]["uid"], places)
            stored[record.key] = known
        self._stored = stored
        taken = {place for _, uid, places in stored.values() if uid != beside for place in places}
        return taken | {place for uid, place in self._reserved.values() if uid != beside}

    def _reserve(self, attributes: Attributes, place: Place) -> None:
        ticket = object()
        self._reserved[ticket] = (attributes.new["metadata"]["uid"], place)
        attributes.afterwards.append(partial(self._release, ticket))

    def _release(self, ticket: object) -> None:
        del self._reserved[ticket]

    def _give_addresses(
        self, attributes: Attributes, taken: set[Place], chosen: dict[str, Place]
    ) -> None:
        new = attributes.new
        spec = new["spec"]
        if spec["type"] == "ExternalName" or headless(spec):
            return
        asked = (spec.get("clusterIPs") or [""])[0]
        if not asked:
            asked = _again(chosen, "address", taken) or self._free_address(taken, new)
            chosen["address"] = asked
        elif fault := _address_fault(asked, taken):
            detail = f"failed to allocate IP {asked}: {fault}"
            raise _refused(new, [invalid_value("spec.clusterIPs", spec["clusterIPs"], detail)])
        spec["clusterIP"], spec["clusterIPs"] = asked, [asked]
        self._reserve(attributes, asked)

    def _free_address(self, taken: set[Place], new: Json) -> str:
        for offset in self._addresses.turns(first=1):
            if (address := str(BLOCK[offset])) not in taken:
                self._addresses.last = offset
                return address
        raise internal_error(
            f'failed to allocate a serviceIP for Service "{new["metadata"].get("name", "")}": '
            "range is full"
        )

    def _give_ports(
        self, attributes: Attributes, taken: set[Place], chosen: dict[str, Place]
    ) -> None:
        spec = attributes.new["spec"]
        ports = spec.get("ports") or ()
        for i, port in enumerate(ports):
            if port.get("nodePort"):
                field = f"spec.ports[{i}].nodePort"
                self._take_port(port["nodePort"], field, attributes, taken)
        asked = {port["port"]: port["nodePort"] for port in ports if port.get("nodePort")}
        busy = taken | set(asked.values())
        for port in ports if needs_node_ports(spec) else ():
            if not port.get("nodePort"):
                # The same port in two protocols is one port of the nodes.
                name = f"port {port['port']}"
                known = asked.get(port["port"]) or _again(chosen, name, busy)
                port["nodePort"] = known or self._free_port(busy)
                asked[port["port"]] = chosen[name] = port["nodePort"]
                busy.add(port["nodePort"])
                self._reserve(attributes, port["nodePort"])
        if checks_health(spec):
            if not spec.get("healthCheckNodePort"):
                known = _again(chosen, "health", busy) or self._free_port(busy)
                spec["healthCheckNodePort"] = chosen["health"] = known
            port, field = spec["healthCheckNodePort"], "spec.healthCheckNodePort"
            self._take_port(port, field, attributes, taken)

    def _take_port(self, port: int, field: str, attributes: Attributes, taken: set[Place]) -> None:
        old = attributes.old
        if old is None or port not in _places(old["spec"]):
            fault = ""
            if port not in PORTS:
                shown = f"{PORTS.start}-{PORTS.stop - 1}"
                fault = f"not in the valid range. The range of valid ports is {shown}"
            elif port in taken:
                fault = "already allocated"
            if fault:
                error = invalid_value(field, port, f"provided port is {fault}")
                raise _refused(attributes.new, [error])
        self._reserve(attributes, port)

    def _free_port(self, taken: set[Place]) -> int:
        for offset in self._ports.turns(first=0):
            if PORTS[offset] not in taken:
                self._ports.last = offset
                return PORTS[offset]
        raise internal_error("failed to allocate a nodePort: range is full")


def _again(chosen: dict[str, Place], name: str, taken: set[Place]) -> Any:
    """What was given in an attempt before this one, if nobody has taken it meanwhile."""
    known = chosen.get(name)
    return None if known in taken else known


class _Turn:
    """Goes round a range from the last one given, so that what was let go rests for a while."""

    def __init__(self, lower: int, end: int) -> None:
        self._lower, self._end = lower, end
        self.last = lower - 1

    def turns(self, *, first: int) -> Iterator[int]:
        """All offsets: the upper part after the last one, its beginning, then the lower part."""
        yield from range(self.last + 1, self._end)
        yield from range(self._lower, self.last + 1)
        yield from range(first, self._lower)


def needs_node_ports(spec: Mapping[str, Any]) -> bool:
    """Whether each port of the service is a port of the nodes as well."""
    allocates = spec.get("allocateLoadBalancerNodePorts", True)
    return spec["type"] == "NodePort" or (spec["type"] == "LoadBalancer" and bool(allocates))


def _in_cluster(spec: Mapping[str, Any]) -> bool:
    return bool(spec["type"] != "ExternalName")


def _free(spec: Mapping[str, Any]) -> bool:
    """Whether its endpoints are somebody else's to say, in whatever family they are."""
    return headless(spec) and not spec.get("selector")


def _balanced(spec: Mapping[str, Any]) -> bool:
    return bool(spec["type"] == "LoadBalancer")


TYPE_DEPENDENT: Sequence[tuple[Callable[[Mapping[str, Any]], bool], Sequence[tuple[str, ...]]]] = (
    (
        _in_cluster,
        (
            ("clusterIP", "clusterIPs"),
            ("ipFamilies",),
            ("ipFamilyPolicy",),
            ("internalTrafficPolicy",),
        ),
    ),
    (checks_health, (("healthCheckNodePort",),)),
    (_balanced, (("allocateLoadBalancerNodePorts",), ("loadBalancerClass",))),
    (external, (("externalTrafficPolicy",),)),
    (_free, (("ipFamilies", "ipFamilyPolicy"),)),
)
"""(which services have them, fields that go together)"""


def _places(spec: Mapping[str, Any]) -> Iterator[Place]:
    yield from (address for address in spec.get("clusterIPs") or () if address != "None")
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            yield port["nodePort"]
    if spec.get("healthCheckNodePort"):
        yield spec["healthCheckNodePort"]


def _address_fault(address: str, taken: set[Place]) -> str:
    if address in taken:
        return "provided IP is already allocated"
    try:
        offset = int.from_bytes(_packed(address)) - int(BLOCK.network_address)
    except ValueError:
        offset = 0
    if 0 < offset < BLOCK.num_addresses - 1:
        return ""
    return (
        f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {BLOCK}"
    )


def _packed(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))


def _refused(service: Json, errors: list[FieldError]) -> StatusError:
    return invalid("Service", "", service["metadata"].get("name") or "", errors)


def _same(spec: Json, before: Json, *names: str) -> bool:
    return all(spec.get(name) == before.get(name) for name in names)


def _drop(spec: Json, *names: str) -> None:
    for name in names:
        spec.pop(name, None)


def _drop_what_the_type_had(spec: Json, before: Json) -> None:
    """A change of the type takes with it what only the former type had, if it is as it was."""
    for had, groups in TYPE_DEPENDENT:
        if had(before) and not had(spec):
            for names in groups:
                if _same(spec, before, *names):
                    _drop(spec, *names)
    if needs_node_ports(before) and not needs_node_ports(spec):
        former = [port.get("nodePort") for port in before.get("ports") or ()]
        if [port.get("nodePort") for port in spec.get("ports") or ()] == former:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)


def _keep(spec: Json, before: Json) -> None:
    """What was given and is not mentioned stays."""
    if "ExternalName" not in (spec["type"], before["type"]):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    if needs_node_ports(spec) and needs_node_ports(before):
        given = {
            port.get("name", ""): port.get("nodePort", 0) for port in before.get("ports") or ()
        }
        used = {port.get("nodePort", 0) for port in spec.get("ports") or ()}
        for port in spec.get("ports") or ():
            former = given.get(port.get("name", ""), 0)
            if not port.get("nodePort") and former and former not in used:
                port["nodePort"] = former
    if checks_health(spec) and checks_health(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _normalize(spec: Json, before: Json) -> None:
    """The one address and the list of addresses say the same."""
    one, every = spec.get("clusterIP"), spec.get("clusterIPs")
    if one and not every:
        spec["clusterIPs"] = [one]
    elif before and one != before.get("clusterIP") and every == before.get("clusterIPs"):
        if one:
            spec["clusterIPs"] = [one]
        else:
            _drop(spec, "clusterIPs")


def _set_families(spec: Json, before: Json) -> list[FieldError]:
    """Complete the families. This cluster has one; services without pods of ours may name two."""
    if spec["type"] == "ExternalName":
        return []
    free = _free(spec)
    inherited = before.get("ipFamilyPolicy") if _free(before) is free else None
    usual = "RequireDualStack" if free else "SingleStack"
    policy = spec.get("ipFamilyPolicy") or inherited or usual
    spec["ipFamilyPolicy"] = policy
    families = spec.setdefault("ipFamilies", [])
    if not families:
        families.append("IPv6" if ":" in (spec.get("clusterIPs") or [""])[0] else FAMILY)
    if free:
        if len(families) < 2 and policy != "SingleStack":
            families.append("IPv4" if families[0] == "IPv6" else "IPv6")
        return []
    return list(_family_faults(spec, policy, families))


def _family_faults(spec: Json, policy: str, families: Iterable[str]) -> Iterator[FieldError]:
    field, several = "spec.ipFamilyPolicy", "must be 'RequireDualStack' or 'PreferDualStack' when"
    addresses = spec.get("clusterIPs") or []
    if policy == "SingleStack" and len(addresses) > 1:
        detail = f"{several} multiple cluster IPs are specified"
        yield invalid_value(field, policy, detail)
    if policy == "SingleStack" and len(list(families)) > 1:
        detail = f"{several} multiple IP families are specified"
        yield invalid_value(field, policy, detail)
    for i, address in enumerate(addresses):
        if ":" in address:
            detail = "IPv6 is not configured on this cluster"
            yield invalid_value(f"spec.clusterIPs[{i}]", addresses, detail)
    if policy == "RequireDualStack":
        detail = "this cluster is not configured for dual-stack services"
        yield invalid_value(field, policy, detail)
    for i, family in enumerate(families):
        if family != FAMILY:
            detail = "not configured on this cluster"
            yield invalid_value(f"spec.ipFamilies[{i}]", family, detail)
