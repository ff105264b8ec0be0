"""A pod's shape: everything by which nodes are filtered and scored. Equal shapes share the work.

Amounts are whole numbers in a node's units (thousandths of a cpu, bytes, pieces). A request larger
than any node may have is cut to just above that, so it never fits and sums never overflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from argosy.api.core import Pod, Toleration
from argosy.base import quantity

LARGEST = 2**52
"""More than any node has: 4.5 PB. A node that says more is taken at this."""

BASE = ("cpu", "memory", "ephemeral-storage", "pods")
UNASKED_CPU = 100
UNASKED_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing counts for in scores: kube-scheduler's figures."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a pod takes of a node; `scored` is (cpu, memory) with the defaults of the unasked."""

    amounts: tuple[tuple[str, int], ...]
    scored: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """Hashable; equal for pods that any node treats alike."""

    request: Request
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()


@lru_cache(maxsize=4096)
def amount(resource: str, value: str | int | float) -> int:
    """`value` in the node's units. Raises ValueError for what is no quantity."""
    exact = quantity.milli(value) if resource == "cpu" else quantity.whole(value)
    return max(0, min(exact, LARGEST + 1))


def shape_of(pod: Pod) -> Shape:
    """The shape of `pod`. Raises ValueError, with the field's path, for a broken quantity."""
    return Shape(
        request_of(pod),
        tuple(sorted(pod.spec.node_selector.items())),
        pod.spec.tolerations,
    )


def request_of(pod: Pod) -> Request:
    """What `pod` takes: its containers' requests, its overhead and one of the node's pods.

    A limit without a request counts as the request, as the API defaults it.
    """
    totals: dict[str, int] = {"pods": 1}
    scored_cpu = scored_memory = 0
    for index, container in enumerate(pod.spec.containers):
        asked = {**container.resources.limits, **container.resources.requests}
        path = f"spec.containers[{index}].resources.requests"
        amounts = _amounts(asked, path)
        scored_cpu += amounts.get("cpu") or UNASKED_CPU
        scored_memory += amounts.get("memory") or UNASKED_MEMORY
        _add(totals, amounts)
    overhead = _amounts(pod.spec.overhead, "spec.overhead")
    _add(totals, overhead)
    scored = (scored_cpu + overhead.get("cpu", 0), scored_memory + overhead.get("memory", 0))
    cut = {name: min(total, LARGEST + 1) for name, total in totals.items() if total}
    return Request(tuple(sorted(cut.items())), _cut_pair(scored))


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
