"""The rules of `networking.k8s.io`, ingresses apart."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from argosy.api import names
from argosy.api.validation import ingress, values
from argosy.api.validation.fields import NEEDED, Check, fields, unless_empty
from argosy.api.validation.formats import path_segment
from argosy.api.validation.rule import IMMUTABLE, Json, Rule, immutable, of_part
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROTOCOLS = ("TCP", "UDP", "SCTP")
DIRECTIONS = ("Ingress", "Egress")
NO_NAMED_RANGE = "may not be specified when `port` is non-numeric"
NO_OPEN_RANGE = "may not be specified when `port` is not specified"
FAMILIES = (
    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
)


def _network_policy(new: Json, old: Json | None) -> list[FieldError]:
    """Blocks that were there before are taken as they are."""
    spec, before = new.get("spec") or {}, (old or {}).get("spec") or {}
    return [] if old is not None and spec == before else list(_policy_spec(spec, _blocks(before)))


def _blocks(spec: Json) -> list[str]:
    peers = [
        peer
        for part, name in (("ingress", "from"), ("egress", "to"))
        for rule in spec.get(part) or ()
        for peer in rule.get(name) or ()
    ]
    blocks = [peer["ipBlock"] for peer in peers if peer.get("ipBlock")]
    return [text for block in blocks for text in (block["cidr"], *(block.get("except") or ()))]


def _policy_spec(spec: Json, known: Sequence[str]) -> Errors:
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for part, name in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(part) or ()):
            field = f"spec.{part}[{i}]"
            for j, port in enumerate(rule.get("ports") or ()):
                yield from _port(port, f"{field}.ports[{j}]")
            for j, peer in enumerate(rule.get(name) or ()):
                yield from _peer(peer, f"{field}.{name}[{j}]", known)
    kinds, field = spec.get("policyTypes") or (), "spec.policyTypes"
    if len(kinds) > 2:
        yield invalid_value(field, kinds, "may not specify more than two policyTypes")
        return
    for i, kind in enumerate(kinds):
        if kind not in DIRECTIONS:
            yield not_supported(f"{field}[{i}]", kind, DIRECTIONS)


def _port(item: Json, path: str) -> Errors:
    protocol, port, end = (item.get(name) for name in ("protocol", "port", "endPort"))
    if protocol is not None and protocol not in PROTOCOLS:
        yield not_supported(f"{path}.protocol", protocol, PROTOCOLS)
    if port is not None:
        yield from values.port_or_name(f"{path}.port", port)
    if end is None:
        return
    field = f"{path}.endPort"
    if not isinstance(port, int):
        yield invalid_value(field, end, NO_OPEN_RANGE if port is None else NO_NAMED_RANGE)
        return
    if end < port:
        yield invalid_value(field, port, "must be greater than or equal to `port`")
    yield from values.port(field, end)


def _peer(peer: Json, path: str, known: Sequence[str]) -> Errors:
    selectors = [name for name in ("podSelector", "namespaceSelector") if name in peer]
    for name in selectors:
        yield from label_selector(peer[name], f"{path}.{name}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{path}.ipBlock", known)
        if selectors:
            yield forbidden_field(path, "may not specify both ipBlock and another peer")
    elif not selectors:
        yield required(path, "must specify a peer")


def _block(block: Json, path: str, known: Sequence[str]) -> Errors:
    if not block["cidr"]:
        yield required(f"{path}.cidr")
        return
    yield from values.cidr(f"{path}.cidr", block["cidr"], known)
    whole = _network(block["cidr"])
    for i, text in enumerate(block.get("except") or ()):
        field = f"{path}.except[{i}]"
        yield from values.cidr(field, text, known)
        part = _network(text)
        if whole is not None and part is not None and not _within(part, whole):
            yield invalid_value(field, text, "must be a strict subset of `cidr`")


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(part: Network, whole: Network) -> bool:
    return part.network_address in whole and part.prefixlen > whole.prefixlen


def address(text: str, path: str) -> Errors:
    """An IP address in its one canonical form."""
    errors = list(values.ip(path, text))
    yield from errors
    if not errors and (canonical := str(values.parse_ip(text))) != text:
        yield invalid_value(path, text, f'must be in canonical form ("{canonical}")')


def _ranges(ranges: Sequence[str], path: str) -> Errors:
    if len(ranges) > 2:
        yield invalid_value(path, {"cidrs": ranges}, "may only hold up to 2 values")
        return
    networks = [_network(text) for text in ranges]
    for i, (text, network) in enumerate(zip(ranges, networks, strict=True)):
        errors = list(values.cidr(f"{path}[{i}]", text))
        yield from errors
        if not errors and str(network) != text:
            detail = f'must be in canonical form ("{network}")'
            yield invalid_value(f"{path}[{i}]", text, detail)
    if len(networks) == 2 and len({network and network.version for network in networks}) == 1:
        if networks[0] is not None:
            yield invalid_value(path, ranges, FAMILIES)


def _service_cidr(new: Json, old: Json | None) -> list[FieldError]:
    """Ranges stay; a second one may join a first, for the other family."""
    path = "spec.cidrs"
    after, before = ((obj.get("spec") or {}).get("cidrs") or [] for obj in (new, old or {}))
    if old is not None and after == before:
        return []
    if not after and old is None:
        return [required(path, "at least one CIDR required")]
    if old is None:
        return list(_ranges(after, path))
    if len(after) != len(before) and (len(before), len(after)) != (1, 2):
        return [invalid_value(path, after, IMMUTABLE)]
    errors = [
        invalid_value(f"{path}[{i}]", text, IMMUTABLE)
        for i, (text, was) in enumerate(zip(after, before, strict=False))
        if text != was
    ]
    return errors + (list(_ranges(after, path)) if len(after) != len(before) else [])


IP_ADDRESS = fields(
    {
        "parentRef": NEEDED,
        "parentRef.group": unless_empty(names.subdomain),
        "parentRef.resource": (NEEDED, path_segment),
        "parentRef.name": (NEEDED, path_segment),
        "parentRef.namespace": unless_empty(path_segment),
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    **ingress.RULES,
    "IPAddress": (of_part("spec", IP_ADDRESS), immutable("spec.parentRef")),
    "NetworkPolicy": (_network_policy,),
    "ServiceCIDR": (_service_cidr,),
}
NAMES: Mapping[str, Check] = {"IPAddress": address}
