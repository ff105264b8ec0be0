"""Resources: what a pod asks for, what a node has left, and the scores of both plugins.

Amounts are summed exactly for each pod and rounded up once (`cpu` to thousandths, all else to whole
units), then summed as integers over a node's pods.
"""

import math
from decimal import Decimal
from typing import TypeAlias

from argosy.base import quantity
from tests.scheduler.reference.kit import (
    BEST,
    Args,
    Cluster,
    Object,
    containers_of,
    init_containers_of,
    is_sidecar,
    name_of,
    pods_on,
    quotient,
    rounded,
)

Requests: TypeAlias = dict[str, Decimal]

# What a container that does not say counts for in NodeResourcesFit's score.
UNASKED: Requests = {"cpu": Decimal("0.1"), "memory": Decimal(200 * 1024 * 1024)}
_EVEN: list[Object] = [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]
_LEAST: Object = {"type": "LeastAllocated"}


def pod_requests(
    pod: Object, *, status: bool = False, pod_level: bool = True, unasked: Requests | None = None
) -> Requests:
    """What the pod needs at its peak, sidecars, initialization and overhead included.

    With `status`, what a resize under way still holds counts too.
    """
    total = _containers_request(pod, status=status, unasked=unasked or {})
    own = _pod_level(pod)
    if pod_level and own:
        effective = _resized_pod(pod) if status else None
        for name in own:
            total[name] = own[name] if effective is None else effective.get(name, Decimal(0))
    return _sum(total, _parsed(pod["spec"].get("overhead")))


def _containers_request(pod: Object, *, status: bool, unasked: Requests) -> Requests:
    """The larger of running and initializing, resource by resource."""
    total: Requests = {}
    for container in containers_of(pod):
        total = _sum(total, _asked(pod, container, status=status, unasked=unasked))
    sidecars: Requests = {}
    peak: Requests = {}
    for container in init_containers_of(pod):
        sidecar = is_sidecar(container)
        asked = _asked(pod, container, status=status and sidecar, unasked=unasked)
        if sidecar:
            total, sidecars = _sum(total, asked), _sum(sidecars, asked)
            peak = _larger(peak, sidecars)
        else:
            peak = _larger(peak, _sum(asked, sidecars))
    return _larger(total, peak)


def _asked(pod: Object, container: Object, *, status: bool, unasked: Requests) -> Requests:
    asked = _parsed((container.get("resources") or {}).get("requests"))
    report = _report(pod, container) if status else None
    if report is not None and report.get("resources") is not None:
        actual = _parsed(report["resources"].get("requests"))
        asked = _held(pod, asked, actual, _parsed(report.get("allocatedResources")))
    return {**unasked, **asked}


def _report(pod: Object, container: Object) -> Object | None:
    status = pod.get("status", {})
    lists = [status.get("containerStatuses") or [], status.get("initContainerStatuses") or []]
    for report in [each for some in lists for each in some]:
        if report["name"] == container["name"]:
            found: Object = report
            return found
    return None


def _held(pod: Object, wanted: Requests, actual: Requests, allocated: Requests) -> Requests:
    """Until a resize is done both ends of it count, unless it can never be done."""
    held = _larger(actual, allocated)
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "PodResizePending" and condition.get("reason") == "Infeasible":
            return held
    return _larger(held, wanted)


def _pod_level(pod: Object) -> Requests:
    """The pod's own requests: of processors, memory and huge pages."""
    return {
        name: amount
        for name, amount in _parsed((pod["spec"].get("resources") or {}).get("requests")).items()
        if name in ("cpu", "memory") or name.startswith("hugepages-")
    }


def _resized_pod(pod: Object) -> Requests | None:
    status = pod.get("status", {})
    if status.get("resources") is None:
        return None
    wanted = _parsed(pod["spec"]["resources"].get("requests"))
    actual = _parsed(status["resources"].get("requests"))
    return _held(pod, wanted, actual, _parsed(status.get("allocatedResources")))


def _parsed(amounts: dict[str, str] | None) -> Requests:
    return {name: quantity.parse(text) for name, text in (amounts or {}).items()}


def _sum(one: Requests, other: Requests) -> Requests:
    return {n: one.get(n, Decimal(0)) + other.get(n, Decimal(0)) for n in {**one, **other}}


def _larger(one: Requests, other: Requests) -> Requests:
    return {n: max(r[n] for r in (one, other) if n in r) for n in {**one, **other}}


def amount(requests: Requests, name: str) -> int:
    """In the unit of the scheduler."""
    exact = requests.get(name, Decimal(0))
    return math.ceil(exact * 1000) if name == "cpu" else math.ceil(exact)


def is_scalar(name: str) -> bool:
    """Neither processors, memory nor ephemeral storage, but something that a node counts."""
    return (
        is_extended(name)
        or "kubernetes.io/" in name
        or name.startswith(("hugepages-", "attachable-volumes-"))
    )


def is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def allocatable(node: Object, name: str) -> int:
    return amount(_parsed(node.get("status", {}).get("allocatable")), name)


def taken(cluster: Cluster, node: Object, name: str) -> int:
    """What a node's pods have asked for."""
    return sum(
        amount(pod_requests(pod, status=True), name) for pod in pods_on(cluster, name_of(node))
    )


def taken_or_assumed(cluster: Cluster, node: Object, name: str) -> int:
    """The same, containers that ask for no processors or memory counting for a little.

    Where the pod as a whole says, its containers need not.
    """
    total = 0
    for pod in pods_on(cluster, name_of(node)):
        asked = pod_requests(pod, status=True)
        unasked = {n: a for n, a in UNASKED.items() if not (_pod_level(pod) and n in asked)}
        total += amount(pod_requests(pod, status=True, unasked=unasked), name)
    return total


def fits(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    if len(pods_on(cluster, name_of(node))) + 1 > allocatable(node, "pods"):
        return False
    requests = pod_requests(pod)
    for name in requests:
        counted = name in ("cpu", "memory", "ephemeral-storage") or is_scalar(name)
        wanted = amount(requests, name)
        if not counted or wanted <= 0 or _ignored(name, args):
            continue
        if wanted > allocatable(node, name) - taken(cluster, node, name):
            return False
    return True


def _ignored(name: str, args: Args) -> bool:
    """Only of extended resources; a group is what stands before the stroke."""
    return is_extended(name) and (
        name in (args.get("ignoredResources") or [])
        or name.split("/")[0] in (args.get("ignoredResourceGroups") or [])
    )


def fit_scores(cluster: Cluster, pod: Object, nodes: list[Object], args: Args) -> dict[str, int]:
    """By how full each resource of a node would be.

    Upstream leaves the pod's own (pod-level) requests out of this score, though not those of pods
    that are placed, nor out of the filter.
    """
    strategy = args.get("scoringStrategy") or _LEAST
    asked = pod_requests(pod, pod_level=False, unasked=UNASKED)
    scores = {}
    for node in nodes:
        parts = []
        for resource in strategy.get("resources") or _EVEN:
            name = resource["name"]
            room = allocatable(node, name)
            if room == 0 or (is_scalar(name) and amount(asked, name) == 0):
                continue
            assumed = name in UNASKED
            used = (taken_or_assumed if assumed else taken)(cluster, node, name)
            score = _worth(strategy, used + amount(asked, name), room)
            parts.append((score, resource.get("weight") or 1))
        scores[name_of(node)] = _mean(strategy, parts)
    return scores


def _worth(strategy: Object, used: int, room: int) -> int:
    if strategy["type"] == "LeastAllocated":
        return 0 if used > room else (room - used) * BEST // room
    if strategy["type"] == "MostAllocated":
        return min(used, room) * BEST // room
    percent = 100 if used > room else used * 100 // room
    return _on_the_line(strategy["requestedToCapacityRatio"]["shape"], percent)


def _on_the_line(shape: list[Object], percent: int) -> int:
    """The value at `percent` of a line through the points, flat outside of them."""
    points = [(p["utilization"], p["score"] * 10) for p in shape]
    if percent <= points[0][0]:
        return int(points[0][1])
    for (left, low), (right, high) in zip(points, points[1:], strict=False):
        if percent <= right:
            return int(low) + quotient((high - low) * (percent - left), right - left)
    return int(points[-1][1])


def _mean(strategy: Object, parts: list[tuple[int, int]]) -> int:
    """By weights. With RequestedToCapacityRatio zeros do not count, and the mean is rounded."""
    by_ratio = strategy["type"] == "RequestedToCapacityRatio"
    counted = [(score, weight) for score, weight in parts if score > 0 or not by_ratio]
    weights = sum(weight for _, weight in counted)
    if weights == 0:
        return 0
    total = sum(score * weight for score, weight in counted)
    return rounded(total / weights) if by_ratio else total // weights


def balance_scores(
    cluster: Cluster, pod: Object, nodes: list[Object], args: Args
) -> dict[str, int]:
    """Whether the pod makes the use of a node's resources more even, or less: 50 is neither.

    A pod that asks for none of them is not scored. In floating point, as upstream.
    """
    resources = [each["name"] for each in args.get("resources") or _EVEN]
    asked = pod_requests(pod)
    if not any(amount(asked, name) for name in resources):
        return {name_of(node): 0 for node in nodes}
    scores = {}
    for node in nodes:
        before, after = [], []
        for name in resources:
            room = allocatable(node, name)
            if room == 0 or (is_scalar(name) and amount(asked, name) == 0):
                continue
            used = taken(cluster, node, name)
            before.append(min(used / room, 1.0))
            after.append(min((used + amount(asked, name)) / room, 1.0))
        gain = _evenness(after) - _evenness(before)
        scores[name_of(node)] = BEST // 2 + quotient(BEST // 2 + gain, 2)
    return scores


def _evenness(fractions: list[float]) -> int:
    """100 less the standard deviation in hundredths."""
    deviation = 0.0
    if len(fractions) == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2)
    elif len(fractions) > 2:
        mean = _added(fractions) / len(fractions)
        squares = [(fraction - mean) * (fraction - mean) for fraction in fractions]
        deviation = math.sqrt(_added(squares) / len(fractions))
    return int((1 - deviation) * BEST)


def _added(values: list[float]) -> float:
    """One after the other: Python's own sum of floats is more exact since 3.12."""
    total = 0.0
    for value in values:
        total += value
    return total
