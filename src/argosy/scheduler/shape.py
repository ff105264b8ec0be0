"""A pod's shape: everything by which nodes are filtered and scored. Equal shapes share the work.

Amounts are whole numbers in a node's units (thousandths of a cpu, bytes, pieces). A request larger
than any node may have is cut to just above that, so it never fits and sums never overflow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from argosy.api.core import Container, Pod, ResourceRequirements, Toleration
from argosy.api.nodeaffinity import only_pinned
from argosy.base import quantity

LARGEST = 2**52
"""More than any node has: 4.5 PB. A node that says more is taken at this."""

BASE = ("cpu", "memory", "ephemeral-storage", "pods")
UNASKED_CPU = 100
UNASKED_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing counts for in scores: kube-scheduler's figures."""

ANY_ADDRESS = "0.0.0.0"
_UNASKED = {"cpu": UNASKED_CPU, "memory": UNASKED_MEMORY}
Amounts = dict[str, int]


class Port(NamedTuple):
    """A port of the node itself; the address may be `ANY_ADDRESS`."""

    protocol: str
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a pod takes of a node; `scored` is (cpu, memory) with the defaults of the unasked."""

    amounts: tuple[tuple[str, int], ...]
    scored: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """Hashable; equal for pods that any node treats alike, whatever other pods there are.

    `affinity` is the pod's node affinity as JSON text; empty where it has none, or none but the one
    node that it must be on. `ports` are those of the node that it wants for itself.
    """

    request: Request
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    affinity: str = ""
    ports: tuple[Port, ...] = ()


@lru_cache(maxsize=4096)
def amount(resource: str, value: str | int | float) -> int:
    """`value` in the node's units. Raises ValueError for what is no quantity."""
    exact = quantity.milli(value) if resource == "cpu" else quantity.whole(value)
    return max(0, min(exact, LARGEST + 1))


def shape_of(pod: Pod) -> Shape:
    """The shape of `pod`. Raises ValueError, with the field's path, for a broken quantity."""
    spec = pod.spec
    return Shape(
        request_of(pod),
        tuple(sorted(spec.node_selector.items())) if spec.node_selector else (),
        spec.tolerations,
        _node_affinity(spec.affinity),
        host_ports(pod),
    )


def host_ports(pod: Pod) -> tuple[Port, ...]:
    """The ports of its node that `pod` wants for itself, each once."""
    ports = [port for container in pod.spec.containers for port in container.ports]
    for container in pod.spec.init_containers:
        if container.restart_policy == "Always":
            ports.extend(container.ports)
    found = [
        Port(port.protocol or "TCP", port.host_port, port.host_ip or ANY_ADDRESS)
        for port in ports
        if port.host_port > 0
    ]
    return tuple(dict.fromkeys(found))


def request_of(pod: Pod) -> Request:
    """What `pod` takes: what its containers ask for at most at any time, or what it asks for as a
    whole, its overhead, and one of the node's pods. Source: KEP-753, KEP-2837.

    A limit without a request counts as the request, as the API defaults it.
    """
    running, scored = _containers(pod.spec.containers, "spec.containers")
    if pod.spec.init_containers:
        running, scored = _with_init(pod, running, scored)
    whole = _asked(pod.spec.resources, "spec.resources.requests")
    for name in filter(_for_whole_pods, whole):
        running[name] = scored[name] = whole[name]
    overhead = _amounts(pod.spec.overhead, "spec.overhead")
    _add(running, overhead)
    _add(scored, overhead)
    running["pods"] = 1
    cut = {name: min(total, LARGEST + 1) for name, total in running.items() if total}
    pair = (scored.get("cpu", 0), scored.get("memory", 0))
    return Request(tuple(sorted(cut.items())), _cut_pair(pair))


def _with_init(pod: Pod, running: Amounts, scored: Amounts) -> tuple[Amounts, Amounts]:
    """What the pod needs at most: an init container runs beside the sidecars before it."""
    totals = (running, scored)
    sidecars: tuple[Amounts, Amounts] = ({}, {})
    before: tuple[Amounts, Amounts] = ({}, {})
    for index, container in enumerate(pod.spec.init_containers):
        asked = _asked(container.resources, f"spec.initContainers[{index}].resources.requests")
        for place, own in enumerate((asked, _UNASKED | asked)):
            beside = dict(sidecars[place])
            _add(beside, own)
            if container.restart_policy == "Always":
                _add(totals[place], own)
                _add(sidecars[place], own)
            for name, value in beside.items():
                before[place][name] = max(before[place].get(name, 0), value)
    for total, most in zip(totals, before, strict=True):
        for name, value in most.items():
            total[name] = max(total.get(name, 0), value)
    return totals


def _containers(containers: Iterable[Container], path: str) -> tuple[Amounts, Amounts]:
    """What the containers ask for together; and the same with what the unasked counts for."""
    totals: Amounts = {}
    scored: Amounts = {}
    for index, container in enumerate(containers):
        asked = _asked(container.resources, f"{path}[{index}].resources.requests")
        _add(totals, asked)
        _add(scored, _UNASKED | asked)
    return totals, scored


def _asked(resources: ResourceRequirements, path: str) -> Amounts:
    if not resources.limits:
        return _amounts(resources.requests, path)
    return _amounts({**resources.limits, **resources.requests}, path)


def _for_whole_pods(resource: str) -> bool:
    return resource in ("cpu", "memory") or resource.startswith("hugepages-")


def _node_affinity(affinity: Mapping[str, Any] | None) -> str:
    rules = (affinity or {}).get("nodeAffinity")
    if not affinity or not rules or only_pinned(affinity):
        return ""
    return msgspec.json.encode(rules).decode()


def _amounts(asked: Mapping[str, str | int | float], path: str) -> dict[str, int]:
    found = {}
    for name, value in asked.items():
        try:
            found[name] = amount(name, value)
        except ValueError as error:
            raise ValueError(f"{path}[{name}]: {error}") from error
    return found


def _add(totals: dict[str, int], amounts: Mapping[str, int]) -> None:
    for name, value in amounts.items():
        totals[name] = totals.get(name, 0) + value


def _cut_pair(pair: tuple[int, int]) -> tuple[int, int]:
    return (min(pair[0], LARGEST), min(pair[1], LARGEST))
