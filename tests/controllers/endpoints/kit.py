"""Services, pods and nodes of the endpoints' tests."""

from typing import Any

from argosy.api.core import Node, Pod, PodIP, PodSpec, PodStatus, Service, ServicePort, ServiceSpec
from argosy.api.endpoints import EndpointSlice
from argosy.api.meta import Condition, ObjectMeta, OwnerReference
from argosy.controllers.endpoints.packing import Draft

Json = dict[str, Any]
SINCE = "2026-01-01T00:00:00Z"
WEB = ServicePort(port=80, target_port=8080)


def service(*ports: ServicePort, labels: dict[str, str] | None = None, **spec: Any) -> Service:
    """The service `s`, of uid `u`, that selects `app: a`."""
    given = {"cluster_ip": "10.96.0.9", "ip_families": ("IPv4",), "selector": {"app": "a"}}
    meta = ObjectMeta(
        name="s", namespace="default", uid="u", labels=labels or {}, creation_timestamp=SINCE
    )
    return Service(metadata=meta, spec=ServiceSpec(**{"ports": ports or (WEB,), **given, **spec}))


def pod(
    name: str,
    *ips: str,
    ready: bool = True,
    going: bool = False,
    phase: str = "Running",
    **spec: Any,
) -> Pod:
    """A pod on the node `n`."""
    meta = ObjectMeta(
        name=name,
        namespace="default",
        uid=f"uid-{name}",
        labels={"app": "a"},
        deletion_timestamp=SINCE if going else None,
    )
    told = Condition(type="Ready", status="True" if ready else "False", last_transition_time=SINCE)
    status = PodStatus(
        phase=phase,
        pod_ip=ips[0] if ips else "",
        pod_ips=tuple(PodIP(ip=ip) for ip in ips),
        conditions=(told,),
    )
    return Pod(metadata=meta, spec=PodSpec(**{"node_name": "n", **spec}), status=status)


def pods(number: int, start: int = 0) -> list[Pod]:
    """So many pods, each with an address of its own."""
    return [pod(f"p{i:04}", f"10.0.{i // 250}.{i % 250 + 1}") for i in range(start, start + number)]


def node(name: str) -> Node | None:
    """The node `n`, in the zone `z`; there is no other."""
    meta = ObjectMeta(name=name, labels={"topology.kubernetes.io/zone": "z"})
    return Node(metadata=meta) if name == "n" else None


def stored(draft: Draft, name: str, uid: str = "u") -> EndpointSlice:
    """The slice as it is once it is written."""
    owner = OwnerReference(api_version="v1", kind="Service", name="s", uid=uid, controller=True)
    meta = ObjectMeta(
        name=draft.before.metadata.name if draft.before is not None else name,
        namespace="default",
        labels=dict(draft.labels),
        owner_references=(owner,),
    )
    return EndpointSlice(
        metadata=meta,
        address_type=draft.address_type,
        endpoints=tuple(draft.endpoints),
        ports=draft.ports,
    )
