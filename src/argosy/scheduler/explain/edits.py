"""Pods and nodes as they would be after a fix: pure edits of views."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from argosy.api.core import Container, Node, Pod, ResourceRequirements, Taint, Toleration
from argosy.api.nodeaffinity import REQUIRED
from argosy.scheduler.explain.words import shown
from argosy.scheduler.plugins.node_unschedulable import CORDONED
from argosy.scheduler.shape import amount

PodEdit = Callable[[Pod], Pod]
NodeEdit = Callable[[Node], Node]
replace = msgspec.structs.replace


def same(item: Any) -> Any:
    """No edit."""
    return item


def tolerating(*taints: Taint) -> PodEdit:
    """A pod that tolerates `taints` too."""
    more = tuple(
        Toleration(key=taint.key, operator="Equal", value=taint.value, effect=taint.effect)
        for taint in taints
    )
    return lambda pod: _spec(pod, tolerations=(*pod.spec.tolerations, *more))


def without_gates(pod: Pod) -> Pod:
    """The pod with no scheduling gate left."""
    return _spec(pod, scheduling_gates=())


def without_labels(*keys: str) -> PodEdit:
    """A pod whose nodeSelector doesn't name these keys."""

    def edit(pod: Pod) -> Pod:
        kept = {key: value for key, value in pod.spec.node_selector.items() if key not in keys}
        return _spec(pod, node_selector=kept)

    return edit


def without_required(way: str) -> PodEdit:
    """A pod whose affinity of a sort (`nodeAffinity`, `podAffinity`, …) requires nothing."""

    def edit(pod: Pod) -> Pod:
        affinity = dict(pod.spec.affinity or {})
        rules = {name: rule for name, rule in (affinity.get(way) or {}).items() if name != REQUIRED}
        affinity.pop(way, None)
        if rules:
            affinity[way] = rules
        return _spec(pod, affinity=affinity or None)

    return edit


def without_spread(pod: Pod) -> Pod:
    """The pod with no topology spread constraint."""
    return _spec(pod, topology_spread_constraints=())


def without_host_ports(pod: Pod) -> Pod:
    """The pod with none of its node's ports; one on its node's network has them whatever it says,
    and is left as it is."""
    if pod.spec.host_network:
        return pod

    def freed(item: Any) -> Any:
        return replace(item, ports=tuple(replace(port, host_port=0) for port in item.ports))

    return _spec(
        pod,
        containers=tuple(freed(item) for item in pod.spec.containers),
        init_containers=tuple(freed(item) for item in pod.spec.init_containers),
    )


def asking(resource: str, most: int) -> PodEdit:
    """A pod that asks for at most `most` of a resource, in a node's units.

    What its containers ask for shrinks in equal measure.
    """

    def edit(pod: Pod) -> Pod:
        spec, own = pod.spec, max(0, most - _amount(pod.spec.overhead, resource))
        if resource in spec.resources.requests or resource in spec.resources.limits:
            return _spec(pod, resources=_lowered(spec.resources, resource, own))
        total = sum(_asked(item, resource) for item in spec.containers)
        containers = tuple(
            replace(
                item,
                resources=_lowered(item.resources, resource, own * _asked(item, resource) // total),
            )
            if _asked(item, resource)
            else item
            for item in spec.containers
        )
        first = tuple(
            replace(item, resources=_lowered(item.resources, resource, own))
            for item in spec.init_containers
        )
        return _spec(pod, containers=containers, init_containers=first)

    return edit


def uncordoned(node: Node) -> Node:
    """The node as `kubectl uncordon` leaves it."""
    kept = tuple(taint for taint in node.spec.taints if taint.key != CORDONED.key)
    return replace(node, spec=replace(node.spec, unschedulable=False, taints=kept))


def untainted(*taints: Taint) -> NodeEdit:
    """A node without these taints."""

    def edit(node: Node) -> Node:
        kept = tuple(taint for taint in node.spec.taints if taint not in taints)
        return replace(node, spec=replace(node.spec, taints=kept))

    return edit


def labelled(labels: Mapping[str, str]) -> NodeEdit:
    """A node with these labels too."""
    return lambda node: replace(
        node, metadata=replace(node.metadata, labels={**node.metadata.labels, **labels})
    )


def _spec(pod: Pod, **changes: Any) -> Pod:
    return replace(pod, spec=replace(pod.spec, **changes))


def _asked(container: Container, resource: str) -> int:
    asked = container.resources
    return _amount({**asked.limits, **asked.requests}, resource)


def _amount(amounts: Mapping[str, str | int | float], resource: str) -> int:
    return amount(resource, amounts[resource]) if resource in amounts else 0


def _lowered(asked: ResourceRequirements, resource: str, most: int) -> ResourceRequirements:
    """Requests and, for what can't be had beyond its request, limits."""

    def lower(amounts: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
        if _amount(amounts, resource) <= most:
            return dict(amounts)
        return {**amounts, resource: shown(resource, most)}

    fixed = resource not in ("cpu", "memory", "ephemeral-storage")
    implied = resource in asked.limits and resource not in asked.requests
    limits = lower(asked.limits) if fixed or implied else asked.limits
    return replace(asked, requests=lower(asked.requests), limits=limits)
