"""Which pods count for a metric, and what they have asked for.

Pods that go or have failed are ignored. Pods that are pending, and for cpu those that are not ready
or only just begin, are unready: what they use says nothing of the load yet. Source: upstream's
replica calculator.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from argosy.api.core import Container, InitContainer, Pod
from argosy.api.meta import condition
from argosy.base import quantity
from argosy.base.clock import parse_timestamp

CPU = "cpu"
ALWAYS = "Always"
WHOLE = ("cpu", "memory")
"""What can be requested for a pod as a whole, beside huge pages."""


class RequestError(Exception):
    """It is not known what a pod has asked for; the text says why."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One pod's metric, in thousandths: measured at `at`, over the time before."""

    value: int
    at: datetime
    window: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long pods take to begin: cpu in that time says nothing."""

    initialization: timedelta = timedelta(minutes=5)
    readiness: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class PodGroups:
    """The number of pods that count, and the names of the others."""

    ready: int
    unready: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()


def grouped(
    pods: Iterable[Pod],
    metrics: Mapping[str, Measured],
    resource: str,
    now: datetime,
    delays: Delays,
) -> PodGroups:
    """The pods by how they count; `resource` is empty for metrics that are none of a resource."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for pod in pods:
        name = pod.metadata.name
        names[_group(pod, metrics.get(name), resource, now, delays)].add(name)
    left = (frozenset(names[group]) for group in ("unready", "missing", "ignored"))
    return PodGroups(len(names["ready"]), *left)


def _group(pod: Pod, metric: Measured | None, resource: str, now: datetime, delays: Delays) -> str:
    if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Failed":
        return "ignored"
    if pod.status.phase == "Pending":
        return "unready"
    if metric is None:
        return "missing"
    if resource == CPU and _begins(pod, metric, now, delays):
        return "unready"
    return "ready"


def _begins(pod: Pod, metric: Measured, now: datetime, delays: Delays) -> bool:
    """Whether the pod's cpu is that of its start, not of its work."""
    ready = condition(pod.status.conditions, "Ready")
    if ready is None or pod.status.start_time is None:
        return True
    start = parse_timestamp(pod.status.start_time)
    since = parse_timestamp(ready.last_transition_time) if ready.last_transition_time else start
    if start + delays.initialization > now:
        return ready.status == "False" or metric.at < since + metric.window
    return ready.status == "False" and start + delays.readiness > since


def ready_pods(pods: Iterable[Pod]) -> int:
    """How many pods run and are ready."""
    running = (pod.status for pod in pods if pod.status.phase == "Running")
    found = (condition(status.conditions, "Ready") for status in running)
    return sum(ready is not None and ready.status == "True" for ready in found)


def requests(pods: Iterable[Pod], resource: str, container: str = "") -> dict[str, int]:
    """What each pod has asked for, or one container of it. Raises RequestError."""
    return {pod.metadata.name: _request(pod, resource, container) for pod in pods}


def _request(pod: Pod, resource: str, container: str) -> int:
    whole = pod.spec.resources.requests
    if not container and any(name in WHOLE or name.startswith("hugepages-") for name in whole):
        return _of_pod(pod, resource)
    beside = [one for one in pod.spec.init_containers if one.restart_policy == ALWAYS]
    running: list[Container | InitContainer] = [*pod.spec.containers, *beside]
    if container:
        running = [one for one in running if one.name == container]
        if not running:
            raise RequestError(f"container {container} not found in Pod {pod.metadata.name}")
    for one in running:
        if resource not in one.resources.requests:
            where = f"container {one.name} of Pod {pod.metadata.name}"
            raise RequestError(f"missing request for {resource} in {where}")
    return sum(_asked(one, resource) for one in running)


def _of_pod(pod: Pod, resource: str) -> int:
    """What a pod asks for that says so as a whole: what it says, or what its containers need."""
    spec = pod.spec
    said = spec.resources.requests.get(resource)
    if said is None:
        containers: list[Container | InitContainer] = [*spec.containers, *spec.init_containers]
        if all(resource not in one.resources.requests for one in containers):
            name = pod.metadata.name
            raise RequestError(f"missing pod-level request for {resource} in Pod {name}")
    asked = _together(pod, resource) if said is None else quantity.milli(said)
    return asked + quantity.milli(spec.overhead.get(resource, 0))


def _together(pod: Pod, resource: str) -> int:
    """What its containers need at once, at most: init containers run one after the other."""
    beside = most = 0
    for one in pod.spec.init_containers:
        if one.restart_policy == ALWAYS:
            beside += _asked(one, resource)
            most = max(most, beside)
        else:
            most = max(most, beside + _asked(one, resource))
    return max(most, beside + sum(_asked(one, resource) for one in pod.spec.containers))


def _asked(one: Container | InitContainer, resource: str) -> int:
    return quantity.milli(one.resources.requests.get(resource, 0))
