"""Services: their addresses, ports, families and traffic policies."""

from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json, Rule, one_of
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
FAMILIES = ("IPv4", "IPv6")
HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
LONGEST_AFFINITY = 86400
ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"
ONCE = "may not change once set"
DISTRIBUTION = ("PreferClose", "PreferSameZone", "PreferSameNode")
ENUMS: Mapping[str, tuple[str, ...]] = {
    "sessionAffinity": ("ClientIP", "None"),
    "type": TYPES,
    "internalTrafficPolicy": ("Cluster", "Local"),
    "trafficDistribution": DISTRIBUTION,
}


def headless(spec: Json) -> bool:
    """Whether the service has no address of its own."""
    return list(spec.get("clusterIPs") or ()) == ["None"] or spec.get("clusterIP") == "None"


def external(spec: Json) -> bool:
    """Whether it can be reached from outside of the cluster."""
    of_type = spec.get("type") in ("LoadBalancer", "NodePort")
    return of_type or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def checks_health(spec: Json) -> bool:
    """Whether a balancer has to ask nodes for their health."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def service(new: Json, old: Json | None) -> list[FieldError]:
    """A service, new or changed."""
    spec, before = new["spec"], (old or {}).get("spec") or {}
    if old is not None and spec == before:
        return []
    return [
        *_topology(new["metadata"].get("annotations") or {}),
        *(_changes(spec, before) if old is not None else ()),
        *_form(spec),
        *_ports(spec),
        *names.labels(spec.get("selector") or {}, "spec.selector"),
        *(
            e
            for name, allowed in ENUMS.items()
            for e in one_of(f"spec.{name}", spec.get(name), allowed)
        ),
        *_affinity(spec),
        *_addresses(spec, before),
        *_balancer(spec, before),
        *_traffic(spec),
    ]


def _topology(annotations: Json) -> Errors:
    hints, mode = annotations.get(HINTS), annotations.get(MODE)
    if hints is not None and mode is not None and hints != mode:
        detail = f"must match annotations[{HINTS}] when both are specified"
        yield invalid_value(f"metadata.annotations[{MODE}]", mode, detail)


def _form(spec: Json) -> Errors:
    """What each type must have, and what it can't have."""
    kind = spec.get("type")
    if not spec.get("ports") and not headless(spec) and kind != "ExternalName":
        yield required("spec.ports")
    if kind in ("LoadBalancer", "NodePort") and headless(spec):
        detail = f"may not be set to 'None' for {kind} services"
        yield invalid_value("spec.clusterIPs[0]", "None", detail)
    if kind == "ExternalName":
        for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name):
                detail = "may not be set for ExternalName services"
                yield forbidden_field(f"spec.{name}", detail)
        name = (spec.get("externalName") or "").removesuffix(".")
        if name:
            yield from names.subdomain(name, "spec.externalName")
        else:
            yield required("spec.externalName")


def _ports(spec: Json) -> Errors:
    ports: Sequence[Json] = spec.get("ports") or ()
    seen: set[str] = set()
    pairs: set[tuple[str, int]] = set()
    on_nodes: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        field = f"spec.ports[{i}]"
        yield from _port(port, field, seen, named=len(ports) > 1)
        outside, protocol = port.get("nodePort", 0), port.get("protocol", "TCP")
        if outside and spec.get("type") == "ClusterIP":
            detail = "may not be used when `type` is 'ClusterIP'"
            yield forbidden_field(f"{field}.nodePort", detail)
        if outside and (protocol, outside) in on_nodes:
            yield duplicate(f"{field}.nodePort", outside)
        on_nodes.add((protocol, outside))
        if (protocol, port["port"]) in pairs:
            yield duplicate(field, {"port": port["port"], "protocol": protocol})
        pairs.add((protocol, port["port"]))


def _port(port: Json, field: str, seen: set[str], *, named: bool) -> Errors:
    name = port.get("name") or ""
    if name:
        yield from names.label(name, f"{field}.name")
        if name in seen:
            yield duplicate(f"{field}.name", name)
        seen.add(name)
    elif named:
        yield required(f"{field}.name")
    yield from values.port(f"{field}.port", port["port"])
    yield from one_of(f"{field}.protocol", port.get("protocol"), values.PROTOCOLS)
    if "targetPort" in port:
        yield from values.port_or_name(f"{field}.targetPort", port["targetPort"])
    if "appProtocol" in port:
        yield from names.qualified(port["appProtocol"], f"{field}.appProtocol")


def _affinity(spec: Json) -> Errors:
    config, field = spec.get("sessionAffinityConfig"), "spec.sessionAffinityConfig"
    if spec.get("sessionAffinity") == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is None:
            yield required(field, "when session affinity type is ClientIP")
        elif not 0 < seconds <= LONGEST_AFFINITY:
            detail = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
            yield invalid_value(f"{field}.clientIP.timeoutSeconds", seconds, detail)
    elif spec.get("sessionAffinity") == "None" and config is not None:
        yield forbidden_field(field, "must not be set when session affinity is None")


def cluster_addresses(spec: Json, before: Json) -> Errors:
    """`clusterIP`, `clusterIPs`, `ipFamilies` and their policy, which belong together."""
    if spec.get("type") == "ExternalName":
        return
    first, every, field = spec.get("clusterIP"), spec.get("clusterIPs") or [], "spec.clusterIPs"
    if first and not every:
        yield required(field)
    elif first and every[0] != first:
        yield invalid_value(field, every, "first value must match `clusterIP`")
    elif every and not first:
        detail = "must be empty when `clusterIP` is not specified"
        yield invalid_value(field, every, detail)
    families = spec.get("ipFamilies") or ()
    for i, family in enumerate(families):
        yield from one_of(f"spec.ipFamilies[{i}]", family, FAMILIES)
        if family in families[:i]:
            yield duplicate(f"spec.ipFamilies[{i}]", family)
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    yield from one_of("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), policies)
    yield from _cluster_ips(every, families, before.get("clusterIPs") or ())


def _cluster_ips(every: Sequence[str], families: Sequence[str], known: Sequence[str]) -> Errors:
    field = "spec.clusterIPs"
    if every[:1] == ["None"]:
        if len(every) > 1:
            yield invalid_value(field, every, "'None' must be the first and only value")
        return
    faults = [e for i, ip in enumerate(every) for e in values.ip(f"{field}[{i}]", ip, known)]
    yield from faults
    if len(every) > 2:
        yield invalid_value(field, every, "may only hold up to 2 values")
    if faults:
        return
    if len(every) > 1 and not values.dual_stack(every):
        detail = "may specify no more than one IP for each IP family"
        yield invalid_value(field, every, detail)
    for i, (address, family) in enumerate(zip(every, families, strict=False)):
        if family in FAMILIES and (":" in address) is (family == "IPv4"):
            article = "an IPv4" if family == "IPv4" else "an IPv6"
            detail = f"expected {article} value as indicated by `ipFamilies[{i}]`"
            yield invalid_value(f"{field}[{i}]", address, detail)


def _addresses(spec: Json, before: Json) -> Errors:
    yield from cluster_addresses(spec, before)
    for i, address in enumerate(spec.get("externalIPs") or ()):
        field = f"spec.externalIPs[{i}]"
        faults = list(values.ip(field, address, before.get("externalIPs") or ()))
        yield from faults or values.endpoint_ip(field, address)


def _balancer(spec: Json, before: Json) -> Errors:
    """What only a load balancer has."""
    balancer = spec.get("type") == "LoadBalancer"
    ranges, field = spec.get("loadBalancerSourceRanges") or (), "spec.LoadBalancerSourceRanges"
    if ranges and not balancer:
        yield forbidden_field(field, ONLY_BALANCER)
    known = [item.strip() for item in before.get("loadBalancerSourceRanges") or ()]
    for i, block in enumerate(ranges):
        yield from values.cidr(f"{field}[{i}]", block.strip(), known)
    if "allocateLoadBalancerNodePorts" in spec and not balancer:
        yield forbidden_field("spec.allocateLoadBalancerNodePorts", ONLY_BALANCER)
    name = spec.get("loadBalancerClass")
    if name is not None and not balancer:
        yield forbidden_field("spec.loadBalancerClass", ONLY_BALANCER)
    elif name is not None:
        yield from names.qualified(name, "spec.loadBalancerClass")


def _traffic(spec: Json) -> Errors:
    policy, field = spec.get("externalTrafficPolicy"), "spec.externalTrafficPolicy"
    if not external(spec):
        if policy:
            detail = "may only be set for externally-accessible services"
            yield invalid_value(field, policy, detail)
    elif policy not in ("Cluster", "Local"):
        yield not_supported(field, policy or "", ("Cluster", "Local"))
    port, field = spec.get("healthCheckNodePort", 0), "spec.healthCheckNodePort"
    if checks_health(spec):
        if port:
            yield from values.port(field, port)
        else:
            yield required(field)
    elif port:
        detail = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        yield invalid_value(field, port, detail)


def _changes(spec: Json, before: Json) -> Errors:
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        yield from _kept(spec, before, "clusterIPs", "clusterIP")
        if not headless(spec) and not headless(before):
            yield from _kept(spec, before, "ipFamilies", "ipFamily")
    both = spec.get("type") == before.get("type") == "LoadBalancer"
    if both and spec.get("loadBalancerClass") != before.get("loadBalancerClass"):
        yield invalid_value("spec.loadBalancerClass", spec.get("loadBalancerClass"), ONCE)
    if checks_health(spec) and checks_health(before):
        if spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
            yield forbidden_field("spec.healthCheckNodePort", "field is immutable")


def _kept(spec: Json, before: Json, name: str, singular: str) -> Errors:
    """The first stays as it is; a second may come, and go where the policy says so."""
    now, was = spec.get(name) or [], before.get(name) or []
    field = f"spec.{name}[0]"
    if was and not now:
        yield invalid_value(field, now, f"primary {singular} can not be unset")
        return
    for i, (value, former) in enumerate(zip(now, was, strict=False)):
        if value != former:
            yield invalid_value(f"spec.{name}[{i}]", now, ONCE)
    released = len(was) == 2 and len(now) == 1
    if released and spec.get("ipFamilyPolicy") != "SingleStack":
        what = "clusterIP" if name == "clusterIPs" else "ipFamily"
        detail = f"must be set to 'SingleStack' when releasing the secondary {what}"
        yield invalid_value("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail)


def status(new: Json, old: Json | None) -> list[FieldError]:
    """What a balancer was given."""
    found = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    before = (((old or {}).get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if old is None or found == before:
        return []
    field = "status.loadBalancer.ingress"
    if new["spec"].get("type") != "LoadBalancer":
        detail = "may only be used when `spec.type` is 'LoadBalancer'"
        return [forbidden_field(field, detail)] if found else []
    known = [item["ip"] for item in before if "ip" in item]
    return [e for i, item in enumerate(found) for e in _ingress(item, f"{field}[{i}]", known)]


def _ingress(item: Json, path: str, known: Sequence[str]) -> Errors:
    address, mode, host = item.get("ip"), item.get("ipMode"), item.get("hostname")
    if address:
        yield from values.ip(f"{path}.ip", address, known)
        if mode is None:
            yield required(f"{path}.ipMode", "must be specified when `ip` is set")
        yield from one_of(f"{path}.ipMode", mode, ("Proxy", "VIP"))
    elif mode is not None:
        yield forbidden_field(f"{path}.ipMode", "may not be specified when `ip` is not set")
    if host:
        yield from names.subdomain(host, f"{path}.hostname")
        if values.parse_ip(host) is not None:
            detail = "must be a DNS name, not an IP address"
            yield invalid_value(f"{path}.hostname", host, detail)


SERVICE: tuple[Rule, ...] = (service, status)
