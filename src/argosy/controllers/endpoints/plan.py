"""What becomes of a service's slices: a pure function of service, pods, nodes and slices.

Slices are kept for each of the service's address families, and within it for each set of ports: a
port that the service names can have another number in each pod. Where nothing stands behind the
service there is one slice without endpoints, so that everybody can see that somebody has looked.
Source: the reconciler of k8s.io/endpointslice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from argosy.api.core import Node, Pod, Service
from argosy.api.endpoints import Endpoint, EndpointPort, EndpointSlice
from argosy.controllers.endpoints import pods as behind
from argosy.controllers.endpoints.hints import hinted
from argosy.controllers.endpoints.packing import Draft, Labels, Packing, owned_by, packed

MANAGER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
RESERVED = frozenset({SERVICE_NAME, MANAGED_BY, behind.HEADLESS})
MODES = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
Ports = tuple[EndpointPort, ...]
NodeOf = Callable[[str], Node | None]


@dataclass(slots=True)
class SlicePlan:
    """What to write. `strays` are pods left out for now, because their node is not known."""

    packing: Packing = field(default_factory=Packing)
    strays: list[str] = field(default_factory=list)


def plan(
    service: Service, pods: Sequence[Pod], node: NodeOf, existing: Iterable[EndpointSlice]
) -> SlicePlan:
    """Bring `existing`, the slices that this controller keeps for the service, in line."""
    result = SlicePlan()
    wanted = families(service)
    by_family: dict[str, list[EndpointSlice]] = {family: [] for family in wanted}
    for piece in existing:
        by_family.get(piece.address_type, result.packing.delete).append(piece)
    standing = [pod for pod in pods if behind.belongs(pod, terminating=True)]
    known = [pod for pod in standing if _is_placed(pod, node, service)]
    seen = {pod.metadata.name for pod in known}
    result.strays = [pod.metadata.name for pod in standing if pod.metadata.name not in seen]
    for family, pieces in by_family.items():
        result.packing.add(_in_family(service, known, node, pieces, family))
    return result


def families(service: Service) -> tuple[str, ...]:
    """The address families of the service."""
    given = tuple(one for one in service.spec.ip_families if one in (behind.IPV4, behind.IPV6))
    if given:
        return given
    _, family = behind.canonical(service.spec.cluster_ip)
    return (family,) if family else (behind.IPV4, behind.IPV6)


def _is_placed(pod: Pod, node: NodeOf, service: Service) -> bool:
    published = service.spec.publish_not_ready_addresses
    return published or node(pod.spec.node_name) is not None


def _in_family(
    service: Service, pods: Iterable[Pod], node: NodeOf, pieces: list[EndpointSlice], family: str
) -> Packing:
    uid, labels = service.metadata.uid, labelled(service)
    there: defaultdict[Ports, list[EndpointSlice]] = defaultdict(list)
    packing = Packing(delete=[piece for piece in pieces if not owned_by(piece, uid)])
    for piece in pieces:
        if owned_by(piece, uid):
            there[behind.ordered(piece.ports)].append(piece)
    for ports, endpoints in _desired(service, pods, node, family).items():
        model = Draft(family, ports, labels)
        packing.add(packed(there.pop(ports, ()), endpoints, model))
    packing.delete += [piece for group in there.values() for piece in group]
    if not (packing.create or packing.update or packing.kept):
        _leave_one(packing, Draft(family, (), labels), uid)
    hinted(packing, _distribution(service))
    packing.recycle(uid)
    return packing


def _desired(
    service: Service, pods: Iterable[Pod], node: NodeOf, family: str
) -> dict[Ports, list[Endpoint]]:
    desired: defaultdict[Ports, list[Endpoint]] = defaultdict(list)
    for pod in pods:
        one = behind.endpoint(pod, node(pod.spec.node_name), service, family)
        if one is not None:
            desired[behind.ports(pod, service)].append(one)
    return desired


def _leave_one(packing: Packing, empty: Draft, uid: str) -> None:
    """Instead of no slice at all have an empty one: that which is there, if it is one."""
    only = packing.delete[0] if len(packing.delete) == 1 else None
    if only is not None and owned_by(only, uid):
        draft = Draft(empty.address_type, empty.ports, empty.labels, before=only)
        if not draft.changed:
            packing.delete, packing.kept = [], [only]
            return
    packing.create.append(empty)


def labelled(service: Service) -> Labels:
    """The labels of the service's slices: its own, and those by which they are found."""
    own = {key: text for key, text in service.metadata.labels.items() if key not in RESERVED}
    headless = {} if behind.has_address(service) else {behind.HEADLESS: ""}
    return {**own, **headless, SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER}


def _distribution(service: Service) -> str:
    """How the service wants its traffic distributed; the annotation's say goes first."""
    annotations = service.metadata.annotations
    mode = next((annotations[name] for name in MODES if name in annotations), "")
    return "" if mode in ("Auto", "auto") else service.spec.traffic_distribution
