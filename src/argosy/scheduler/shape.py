"""A pod's shape: everything by which nodes are filtered and scored. Equal shapes share the work.

Amounts are whole numbers in a node's units (thousandths of a cpu, bytes, pieces). A request larger
than any node may have is cut to just above that, so it never fits and sums never overflow. Pods
come by the hundred with one and the same spec, so what follows from it is remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from argosy.api.core import (
    ContainerPort,
    InitContainer,
    Pod,
    PodSpec,
    ResourceRequirements,
    Toleration,
)
from argosy.api.nodeaffinity import only_pinned
from argosy.base import quantity
from argosy.base.memo import remembered
from argosy.scheduler import nodeaffinityform
from argosy.scheduler.peaks import Amounts, added, larger, parsed, peak
from argosy.scheduler.resourcenames import counted, for_whole_pods

LARGEST = 2**52
"""More than any node has: 4.5 PB. A node that says more is taken at this."""

BASE = ("cpu", "memory", "ephemeral-storage", "pods")
UNASKED_CPU = 100
UNASKED_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing counts for in scores: kube-scheduler's figures."""

ANY_ADDRESS = "0.0.0.0"
RESTART_ALL = "RestartAllContainersOnContainerExits"
HOST_USERS = "UserNamespacesHostNetworkSupport"
FEATURES = frozenset((RESTART_ALL, HOST_USERS))
"""Features that a node must declare for some pods."""

_UNASKED = {"cpu": UNASKED_CPU, "memory": UNASKED_MEMORY * 1000}
_MOST_SPECS = 1024
Quantities = Mapping[str, str | int | float]


class Port(NamedTuple):
    """A port of the node itself; the address may be `ANY_ADDRESS`."""

    protocol: str
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a pod takes of a node. The others are for scores, where a container that asks for no cpu
    or no memory counts for a little: `scored` is (cpu, memory) of the pod on its node, `own` is all
    of the pod that is to be placed, without what it asks for as a whole (as kube-scheduler).
    """

    amounts: tuple[tuple[str, int], ...]
    scored: tuple[int, int]
    own: tuple[tuple[str, int], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.amounts, self.scored, self.own)))

    def __hash__(self) -> int:
        """Asked for several times in each decision."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Shape:
    """Hashable; equal for pods that any node treats alike, whatever other pods there are.

    `affinity` is the pod's node affinity as JSON text; empty where it has none, or none but the one
    node that it must be on. `ports` are those of the node that it wants for itself, `features` what
    the node must declare that it can do.
    """

    request: Request
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    affinity: str = ""
    ports: tuple[Port, ...] = ()
    features: tuple[str, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = (self.node_selector, self.tolerations, self.affinity, self.ports, self.features)
        object.__setattr__(self, "_hash", hash((self.request, *parts)))

    def __hash__(self) -> int:
        """Asked for several times in each decision."""
        return self._hash


class _Resize(NamedTuple):
    """What containers, by their names, and the pod have as yet (in fact, and set aside for them);
    and whether they shall never have more."""

    names: list[str]
    actual: Mapping[str, tuple[Quantities, Quantities]]
    own: tuple[Quantities, Quantities] | None
    infeasible: bool

    def held(self, wanted: Amounts, name: str) -> Amounts:
        """What a container has or shall have."""
        return self._most(wanted, self.actual.get(name), "status.containerStatuses")

    def held_as_whole(self, wanted: Amounts) -> Amounts:
        """What the pod has or shall have."""
        return self._most(wanted, self.own, "status")

    def _most(
        self, wanted: Amounts, actual: tuple[Quantities, Quantities] | None, path: str
    ) -> Amounts:
        if actual is None:
            return wanted
        real = parsed(actual[0], f"{path}.resources.requests")
        now = larger(real, parsed(actual[1], f"{path}.allocatedResources"))
        return now if self.infeasible else larger(now, wanted)


@lru_cache(maxsize=4096)
def amount(resource: str, value: str | int | float) -> int:
    """`value` in the node's units. Raises ValueError for what is no quantity."""
    exact = quantity.milli(value) if resource == "cpu" else quantity.whole(value)
    return max(0, min(exact, LARGEST + 1))


def shape_of(pod: Pod) -> Shape:
    """The shape of `pod`. Raises ValueError, with the field's path, for a broken quantity."""
    spec = pod.spec
    return _known_shape(
        (
            _asking(spec),
            [(item.ports, item.restart_policy_rules) for item in spec.containers],
            spec.node_selector,
            spec.tolerations,
            _node_affinity(spec.affinity),
            spec.host_network and spec.host_users is False,
        )
    )


def _shape(parts: tuple[Any, ...]) -> Shape:
    asking, containers, selector, tolerations, affinity, host_users = parts
    inits: Sequence[InitContainer] = asking[1]
    rules = [rule.action for _, rules in containers for rule in rules]
    rules += [rule.action for item in inits for rule in item.restart_policy_rules]
    features = [RESTART_ALL] if "RestartAllContainers" in rules else []
    features += [HOST_USERS] if host_users else []
    ports = _host_ports([ports for ports, _ in containers], inits)
    selected = tuple(sorted(selector.items()))
    return Shape(_request(asking), selected, tolerations, affinity, ports, tuple(features))


def _node_affinity(affinity: Mapping[str, Any] | None) -> str:
    rules = (affinity or {}).get("nodeAffinity")
    if not affinity or not rules:
        return ""
    nodeaffinityform.check(rules)
    if only_pinned(affinity):
        return ""
    return msgspec.json.encode(rules).decode()


def host_ports(pod: Pod) -> tuple[Port, ...]:
    """The ports of its node that `pod` wants for itself, each once."""
    spec = pod.spec
    return _host_ports([item.ports for item in spec.containers], spec.init_containers)


def _host_ports(
    running: Sequence[tuple[ContainerPort, ...]], inits: Sequence[InitContainer]
) -> tuple[Port, ...]:
    sidecars = [item.ports for item in inits if item.restart_policy == "Always"]
    found = [
        Port(port.protocol or "TCP", port.host_port, port.host_ip or ANY_ADDRESS)
        for ports in (*running, *sidecars)
        for port in ports
        if port.host_port > 0
    ]
    return tuple(dict.fromkeys(found))


def request_of(pod: Pod) -> Request:
    """What `pod` takes: what its containers ask for at most at any time, or what it asks for as a
    whole (KEP-2837), its overhead, and one of the node's pods.

    While it is resized (KEP-1287) that is the most of what it was and shall be. A limit without a
    request counts as the request, as the API defaults it.
    """
    resize = _resize(pod)
    asking = _asking(pod.spec)
    return _known_request(asking if resize is None else (*asking, resize))


def _asking(spec: PodSpec) -> tuple[Any, ...]:
    """All that says what a pod asks for."""
    asked = [item.resources for item in spec.containers]
    return (asked, spec.init_containers, spec.resources.requests, spec.overhead)


def _resize(pod: Pod) -> _Resize | None:
    """None where no node has told what the pod has."""
    status = pod.status
    reports = (*status.container_statuses, *status.init_container_statuses)
    actual = {
        item.name: (item.resources.requests, item.allocated_resources)
        for item in reports
        if item.resources is not None
    }
    own = (status.resources.requests, status.allocated_resources) if status.resources else None
    if not actual and own is None:
        return None
    pending = (item.reason for item in status.conditions if item.type == "PodResizePending")
    names = [item.name for item in pod.spec.containers]
    return _Resize(names, actual, own, next(pending, "") == "Infeasible")


def _request(parts: tuple[Any, ...]) -> Request:
    asked, inits, whole, overhead, *resizing = parts
    resize: _Resize | None = resizing[0] if resizing else None
    running = []
    for index, item in enumerate(asked):
        wanted = _asked(item, f"spec.containers[{index}].resources.requests")
        running.append(resize.held(wanted, resize.names[index]) if resize else wanted)
    starting = []
    for index, item in enumerate(inits):
        wanted = _asked(item.resources, f"spec.initContainers[{index}].resources.requests")
        sidecar = item.restart_policy == "Always"
        starting.append((resize.held(wanted, item.name) if resize and sidecar else wanted, sidecar))
    wanted = parsed(whole, "spec.resources.requests")
    now = resize.held_as_whole(wanted) if resize else wanted
    as_whole = {name: now.get(name, 0) for name in wanted if for_whole_pods(name)}
    return _counted(running, starting, as_whole, parsed(overhead, "spec.overhead"))


def _counted(
    running: Sequence[Amounts],
    starting: Sequence[tuple[Amounts, bool]],
    as_whole: Amounts,
    overhead: Amounts,
) -> Request:
    taken = added(peak(running, starting, {}) | as_whole, overhead)
    # Where the pod as a whole says, its containers need not.
    unasked = {n: v for n, v in _UNASKED.items() if not (as_whole and n in taken)}
    scored = added(peak(running, starting, unasked) | as_whole, overhead)
    own = added(peak(running, starting, _UNASKED), overhead)
    amounts = {**_rounded(taken), "pods": 1}
    return Request(
        tuple(sorted(amounts.items())),
        (_units("cpu", scored.get("cpu", 0)), _units("memory", scored.get("memory", 0))),
        tuple(sorted(_rounded(own).items())),
    )


def _rounded(exact: Amounts) -> dict[str, int]:
    """In a node's units, what is not nothing."""
    return {name: _units(name, value) for name, value in exact.items() if value and counted(name)}


def _units(name: str, exact: int) -> int:
    return min(exact if name == "cpu" else -(-exact // 1000), LARGEST + 1)


def _asked(resources: ResourceRequirements, path: str) -> Amounts:
    if not resources.limits:
        return parsed(resources.requests, path)
    return parsed({**resources.limits, **resources.requests}, path)


_known_request = remembered(_request, most=_MOST_SPECS)
_known_shape = remembered(_shape, most=_MOST_SPECS)
