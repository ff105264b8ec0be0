"""What a pod's containers ask for in sum, and the class of service that follows from it.

Regular containers and sidecars run together; an init container runs beside the sidecars that were
started before it. The larger of both is what the pod needs.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from argosy.base import quantity
from argosy.base.memo import remembered

Json = Mapping[str, Any]
COMPUTE = ("cpu", "memory")


def aggregate(spec: Json, part: str) -> dict[str, Decimal]:
    """The sum of `requests` or `limits`, by resource."""
    together: dict[str, Decimal] = {}
    sidecars: dict[str, Decimal] = {}
    before: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        _add(together, container, part)
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            _add(together, container, part)
            _add(sidecars, container, part)
            running = sidecars
        else:
            running = dict(sidecars)
            _add(running, container, part)
        before = _larger(before, running)
    return _larger(together, before)


def _add(sums: dict[str, Decimal], container: Json, part: str) -> None:
    for name, amount in ((container.get("resources") or {}).get(part) or {}).items():
        sums[name] = sums.get(name, Decimal(0)) + quantity.parse(amount)


def _larger(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    merged = dict(one)
    for name, amount in other.items():
        merged[name] = max(merged.get(name, amount), amount)
    return merged


def qos_class(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort."""
    if "resources" in spec:
        asked = [spec["resources"]]
    else:
        groups = (spec.get("containers") or (), spec.get("initContainers") or ())
        asked = [item.get("resources") or {} for group in groups for item in group]
    return _known_class(asked)


def _class_of(asked: list[Json]) -> str:
    requests, limits = (_positive(asked, part) for part in ("requests", "limits"))
    if not any(requests) and not any(limits):
        return "BestEffort"
    whole = all(set(limit) == set(COMPUTE) for limit in limits)
    return "Guaranteed" if whole and _total(requests) == _total(limits) else "Burstable"


_known_class = remembered(_class_of)


def _positive(asked: list[Json], part: str) -> list[dict[str, Decimal]]:
    return [
        {
            name: amount
            for name in COMPUTE
            if (amount := quantity.parse((item.get(part) or {}).get(name, 0))) > 0
        }
        for item in asked
    ]


def _total(amounts: list[dict[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for item in amounts:
        for name, amount in item.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total
