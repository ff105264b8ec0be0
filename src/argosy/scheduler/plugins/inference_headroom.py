"""InferenceHeadroom: pods that answer requests have room to grow, and training leaves it to them.

Not among the default plugins. A latency-critical pod goes where more pods like it would still fit
beside it, for a burst. A pod that trains had better not take the last of a node: below a reserve
of what it asks for, the node is worth less and less to it. Other pods are indifferent.

Latency-critical is a pod with one of `latencyCriticalLabels`, or of at least
`latencyCriticalPriority`. What counts are resources; devices of claims don't.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from argosy.api.core import Pod
from argosy.api.names import qualified
from argosy.base.errors import FieldError, invalid_value
from argosy.scheduler.columns import Columns
from argosy.scheduler.copies import copies
from argosy.scheduler.framework import HIGHEST_SCORE, Plugin, Scores, Survey
from argosy.scheduler.pluginargs import Args, Int32, read, refuse
from argosy.scheduler.preferring import Worths
from argosy.scheduler.shape import Request, request_of
from argosy.scheduler.state import State
from argosy.scheduler.work import trains

NAME = "InferenceHeadroom"
SERVICE = "serving.kserve.io/inferenceservice"
"""What the pods of an InferenceService carry."""


class InferenceHeadroomArgs(Args, frozen=True, kw_only=True):
    """Who is latency-critical (by label, by priority); how many more pods a burst is; and the
    percentage of a node that training leaves alone while there is another one."""

    latency_critical_labels: tuple[str, ...] = (SERVICE,)
    latency_critical_priority: Int32 | None = None
    burst_pods: Int32 = 3
    reserve_percent: Int32 = 20


def configured(args: Mapping[str, Any]) -> Plugin:
    """With InferenceHeadroomArgs as JSON. Raises ValueError, which begins with the field's path."""
    given = read(args, InferenceHeadroomArgs)
    refuse(_faults(given))
    labels = frozenset(given.latency_critical_labels)

    def survey(state: State, pod: Pod) -> Survey | None:
        if critical(pod, labels, given.latency_critical_priority):
            return Worths(room_to_grow(state.nodes, request_of(pod), given.burst_pods))
        if trains(pod):
            return Worths(reserve_left(state.nodes, request_of(pod), given.reserve_percent))
        return None

    return Plugin(name=NAME, survey=survey, prefers=True)


def critical(pod: Pod, labels: frozenset[str], priority: int | None) -> bool:
    """Whether somebody waits for what the pod answers: by one of `labels`, or by its priority."""
    if priority is not None and pod.spec.priority >= priority:
        return True
    return not labels.isdisjoint(pod.metadata.labels)


def room_to_grow(nodes: Columns, request: Request, burst: int) -> Scores:
    """100 where `burst` more such pods fit beside the first one, less for fewer."""
    more: Scores = np.clip(copies(nodes, request) - 1, 0, burst)
    more *= HIGHEST_SCORE
    return more // burst


def reserve_left(nodes: Columns, request: Request, percent: int) -> Scores:
    """100 where `percent` of all that the pod asks for stays free, down to 0 where nothing does."""
    vector = nodes.vector(request)
    left = np.full(nodes.size, float(HIGHEST_SCORE))
    for column in np.flatnonzero(vector):
        if column == nodes.resources["pods"]:
            continue
        offered = nodes.allocatable[: nodes.size, column]
        free = offered - nodes.requested[: nodes.size, column] - vector[column]
        np.minimum(left, HIGHEST_SCORE * 100 / percent * free / np.maximum(offered, 1), out=left)
    scores: Scores = np.maximum(left, 0.0).astype(np.int64)
    return scores


def _faults(given: InferenceHeadroomArgs) -> Iterator[FieldError]:
    for index, key in enumerate(given.latency_critical_labels):
        yield from qualified(key, f"latencyCriticalLabels[{index}]")
    numbers = (("burstPods", given.burst_pods), ("reservePercent", given.reserve_percent))
    for name, value in numbers:
        if not 1 <= value <= 100:
            yield invalid_value(name, value, "not in valid range [1, 100]")
