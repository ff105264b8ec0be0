"""What a pod is to a service: an endpoint with addresses and ports.

Source: k8s.io/endpointslice, which upstream's controllers of both kinds share.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from argosy.api.core import ContainerPort, Node, Pod, Service, ServicePort
from argosy.api.endpoints import Endpoint, EndpointConditions, EndpointPort, TargetRef
from argosy.api.meta import condition
from argosy.api.validation.values import parse_ip

ZONE = "topology.kubernetes.io/zone"
HEADLESS = "service.kubernetes.io/headless"
NONE = "None"
EXTERNAL = "ExternalName"
IPV4, IPV6 = "IPv4", "IPv6"


def has_address(service: Service) -> bool:
    """Whether the service has an address of its own; one that has not is headless."""
    return service.spec.cluster_ip not in ("", NONE)


def kept(service: Service) -> bool:
    """Whether the controllers keep its endpoints; the user does that where nothing is selected."""
    return bool(service.spec.selector) and service.spec.type != EXTERNAL


def is_ready(pod: Pod) -> bool:
    """Whether the pod says that it is."""
    found = condition(pod.status.conditions, "Ready")
    return found is not None and found.status == "True"


def belongs(pod: Pod, *, terminating: bool) -> bool:
    """Whether the pod stands behind services at all; `terminating`: even if it is going."""
    going = pod.metadata.deletion_timestamp is not None
    placed = bool(pod.status.pod_ip or pod.status.pod_ips)
    return placed and not pod.finished and (terminating or not going)


def addresses(pod: Pod, family: str) -> tuple[str, ...]:
    """The pod's addresses of one family."""
    told = [one.ip for one in pod.status.pod_ips] or [pod.status.pod_ip]
    found = (canonical(text) for text in told)
    return tuple(address for address, of in found if of == family)


@lru_cache(maxsize=4096)
def canonical(text: str) -> tuple[str, str]:
    """An address as it is shown, and its family, which is empty where the text is no address."""
    address = parse_ip(text)
    return ("", "") if address is None else (str(address), f"IPv{address.version}")


def hostname(pod: Pod, service: Service) -> str:
    """The name by which the pod is to be found below the service; empty where it has none."""
    return pod.spec.hostname if pod.spec.subdomain == service.metadata.name else ""


def target(pod: Pod) -> TargetRef:
    """A reference to the pod."""
    meta = pod.metadata
    return TargetRef(kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid)


def endpoint(pod: Pod, node: Node | None, service: Service, family: str) -> Endpoint | None:
    """The pod as an endpoint; None where it has no address of the family."""
    found = addresses(pod, family)
    if not found:
        return None
    serving, terminating = is_ready(pod), pod.metadata.deletion_timestamp is not None
    ready = service.spec.publish_not_ready_addresses or (serving and not terminating)
    zone = node.metadata.labels.get(ZONE) if node is not None else None
    return Endpoint(
        addresses=tuple(sorted(found)),
        conditions=EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        hostname=hostname(pod, service),
        target_ref=target(pod),
        node_name=pod.spec.node_name or None,
        zone=zone or None,
    )


def ports(pod: Pod, service: Service) -> tuple[EndpointPort, ...]:
    """The service's ports in this pod; one whose name the pod doesn't know is left out."""
    found = ((port, number(pod, port)) for port in service.spec.ports)
    return ordered(
        EndpointPort(
            name=port.name, port=there, protocol=port.protocol, app_protocol=port.app_protocol
        )
        for port, there in found
        if there is not None
    )


def ordered(some: Iterable[EndpointPort]) -> tuple[EndpointPort, ...]:
    """Ports in an order that depends on nothing but them: equal sets of ports are equal then."""
    return tuple(
        sorted(some, key=lambda one: (one.name, one.port, one.protocol, one.app_protocol or ""))
    )


def number(pod: Pod, port: ServicePort) -> int | None:
    """The number of a service's port in the pod."""
    if isinstance(port.target_port, int):
        return port.target_port or port.port
    wanted = (port.target_port, port.protocol)
    named = (one for one in _declared(pod) if (one.name, one.protocol) == wanted)
    return next((one.container_port for one in named), None)


def _declared(pod: Pod) -> Iterator[ContainerPort]:
    for container in pod.spec.containers:
        yield from container.ports
    for first in pod.spec.init_containers:
        if first.restart_policy == "Always":
            yield from first.ports
