"""The status of an autoscaler after a look. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.autoscaling import AutoscalerStatus
from argosy.api.meta import Condition
from argosy.controllers.autoscaling.verdict import ZERO
from argosy.runtime.conditions import with_condition

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a look: observations in the order in which they were made, and numbers.

    Without `current` nothing was seen of the target: the numbers stay. Without `desired` nothing
    was decided. `zeroless`: nothing may be said of zero.
    """

    marks: tuple[Condition, ...]
    current: int | None = None
    desired: int | None = None
    metrics: tuple[Json, ...] = ()
    rescaled: bool = False
    zeroless: bool = False


def status_after(old: AutoscalerStatus, outcome: Outcome, now: str) -> AutoscalerStatus:
    """The status; `now` is an RFC 3339 timestamp."""
    conditions = old.conditions
    for one in outcome.marks:
        conditions = with_condition(conditions, one, now)
    if outcome.zeroless:
        conditions = tuple(one for one in conditions if one.type != ZERO)
    if outcome.current is None:
        return msgspec.structs.replace(old, conditions=conditions)
    return msgspec.structs.replace(
        old,
        last_scale_time=now if outcome.rescaled else old.last_scale_time,
        current_replicas=outcome.current,
        desired_replicas=old.desired_replicas if outcome.desired is None else outcome.desired,
        current_metrics=outcome.metrics,
        conditions=conditions,
    )


def written(status: AutoscalerStatus) -> Json:
    """The status as a merge patch: with zeroes, and without what is not there any more."""
    return {
        "lastScaleTime": status.last_scale_time,
        "currentReplicas": status.current_replicas,
        "desiredReplicas": status.desired_replicas,
        "currentMetrics": list(status.current_metrics) or None,
        "conditions": [msgspec.to_builtins(one) for one in status.conditions],
    }
