"""What controllers read off pods: whether one counts, is ready, is available, and which goes first.

Pure functions, as kube-controller-manager's `controller_utils` has them.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cmp_to_key

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.base.clock import parse_timestamp

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_COST = re.compile(r"-\d+|[1-9]\d*|0", re.ASCII)
_BOUND = 2**31


def active(pod: Pod) -> bool:
    """Whether it runs or will run."""
    return not pod.finished and pod.metadata.deletion_timestamp is None


def terminating(pod: Pod) -> bool:
    """Whether it is deleted, and has not come to its end yet."""
    return not pod.finished and pod.metadata.deletion_timestamp is not None


def ready(pod: Pod) -> bool:
    """Whether it takes work."""
    told = condition(pod.status.conditions, "Ready")
    return told is not None and told.status == "True"


def available(pod: Pod, min_ready: int, now: datetime) -> bool:
    """Whether it has been ready for `min_ready` seconds."""
    if not ready(pod):
        return False
    left = availability(pod, min_ready, now)
    return min_ready == 0 or (left is not None and left <= 0)


def availability(pod: Pod, min_ready: int, now: datetime) -> float | None:
    """In how many seconds a ready pod is available; None where nobody knows since when it is."""
    since = ready_since(pod)
    if since is None:
        return None
    return min_ready - (now - since).total_seconds()


def next_available(pods: Iterable[Pod], min_ready: int, now: datetime) -> float | None:
    """In how many seconds the next of the ready pods becomes available, if one will."""
    if min_ready <= 0:
        return None
    waits = (availability(pod, min_ready, now) for pod in pods)
    return min((wait for wait in waits if wait is not None and wait > 0), default=None)


def ready_since(pod: Pod) -> datetime | None:
    """Since when it is ready, if it is and tells."""
    told = condition(pod.status.conditions, "Ready")
    if told is None or told.status != "True" or told.last_transition_time is None:
        return None
    return parse_timestamp(told.last_transition_time)


def first_to_go(
    pods: Sequence[Pod], related: Iterable[Pod], count: int, now: datetime
) -> list[Pod]:
    """The `count` pods whose loss is least: those not placed, not running, not ready, cheap.

    After that the ones on nodes that have many of the `related`, the younger by orders of
    magnitude, and those that restarted most.
    """
    if count >= len(pods):
        return list(pods)
    crowd = Counter(pod.spec.node_name for pod in related if active(pod))

    def compare(one: Pod, other: Pod) -> int:
        first, second = _rank(one, crowd), _rank(other, crowd)
        if first != second:
            return -1 if first < second else 1
        return _younger(one, other, now)

    return sorted(pods, key=cmp_to_key(compare))[:count]


def _rank(pod: Pod, crowd: Counter[str]) -> tuple[bool, int, bool, int, int]:
    node = pod.spec.node_name
    phase = PHASES.get(pod.status.phase, 0)
    return (node != "", phase, ready(pod), deletion_cost(pod), -crowd[node])


def deletion_cost(pod: Pod) -> int:
    """What its annotation says; 0 where there is none, or none that can be read."""
    text = pod.metadata.annotations.get(DELETION_COST, "0")
    cost = int(text) if len(text) <= 11 and _COST.fullmatch(text) else 0
    return cost if -_BOUND <= cost < _BOUND else 0


def _younger(one: Pod, other: Pod, now: datetime) -> int:
    """Below 0 where `one` goes first: by readiness, then by restarts, then by age."""
    since = ready_since(one), ready_since(other)
    if since[0] != since[1]:
        return _by_age(one, other, since, now)
    restarts = _restarts(other) - _restarts(one)
    if restarts:
        return restarts
    made = _made(one), _made(other)
    return _by_age(one, other, made, now) if made[0] != made[1] else 0


def _by_age(
    one: Pod, other: Pod, times: tuple[datetime | None, datetime | None], now: datetime
) -> int:
    """The younger first; of those about equally old any, but always the same."""
    if times[0] is None or times[1] is None:
        return -1 if times[0] is None else 1
    difference = _magnitude(now, times[0]) - _magnitude(now, times[1])
    if difference == 0:
        return -1 if one.metadata.uid < other.metadata.uid else 1
    return difference


def _magnitude(now: datetime, since: datetime) -> int:
    """The age as a power of two of nanoseconds; -1 for what has none."""
    age = (now - since).total_seconds() * 1e9
    return int(math.log2(age)) if age > 0 else -1


def _restarts(pod: Pod) -> int:
    return max((status.restart_count for status in pod.status.container_statuses), default=0)


def _made(pod: Pod) -> datetime | None:
    told = pod.metadata.creation_timestamp
    return parse_timestamp(told) if told is not None else None
