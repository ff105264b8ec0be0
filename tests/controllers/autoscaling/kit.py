"""What the autoscaling tests share: pods, and rules, in few words."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from argosy.api.autoscaling import ScalingPolicy, ScalingRules
from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.testing.clock import EPOCH

Json = dict[str, Any]
NOW = EPOCH
COOL, HOT = 600.0, 10.0
"""Seconds since which a pod runs whose cpu counts, or doesn't yet."""


def pod(
    name: str,
    *,
    ready: str = "True",
    phase: str = "Running",
    ran: float | None = COOL,
    since: float | None = None,
    going: bool = False,
    requests: Sequence[Json] = ({"cpu": "1"},),
    **spec: Any,
) -> Pod:
    """A pod that has been running for `ran` seconds, and is as ready as it is for `since`."""
    meta: Json = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    if going:
        meta["deletionTimestamp"] = timestamp(NOW)
    turned = timestamp(NOW - timedelta(seconds=since if since is not None else ran or 0))
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": turned}
    status: Json = {"phase": phase, "conditions": [condition] if ready else []}
    if ran is not None:
        status["startTime"] = timestamp(NOW - timedelta(seconds=ran))
    containers = [
        {"name": f"c{i}", "resources": {"requests": asked}} for i, asked in enumerate(requests)
    ]
    return msgspec.convert(
        {"metadata": meta, "spec": {"containers": containers, **spec}, "status": status}, Pod
    )


def rules(
    pods: tuple[int, int] | None = None,
    percent: tuple[int, int] | None = None,
    window: int | None = None,
    select: str = "Max",
) -> ScalingRules:
    """Policies: so many pods, or per cent, in so many seconds."""
    given = (("Pods", pods), ("Percent", percent))
    policies = tuple(
        ScalingPolicy(type=kind, value=one[0], period_seconds=one[1])
        for kind, one in given
        if one is not None
    )
    return ScalingRules(
        stabilization_window_seconds=window, select_policy=select, policies=policies
    )
