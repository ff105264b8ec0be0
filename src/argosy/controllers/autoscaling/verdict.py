"""What follows from the proposals: how many replicas, and why. Pure.

A target with no replicas is left alone: somebody switched it off. Only if this controller itself
scaled it to zero, which its condition tells, it may come back. One outside of the bounds is brought
back within them, whatever is measured. Otherwise the largest proposal counts, held to the pace that
`behaviour` allows; with some metrics missing nothing shrinks. Source: upstream's horizontal
controller; KEP-2021 for zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.api.autoscaling import AutoscalerSpec, HorizontalPodAutoscaler
from argosy.api.meta import Condition, condition
from argosy.base import quantity
from argosy.controllers.autoscaling.behaviour import History, Span, allowed
from argosy.controllers.autoscaling.proposals import Failure, Proposal
from argosy.controllers.autoscaling.replicas import Tolerance

ABLE, ACTIVE, LIMITED, ZERO = "AbleToScale", "ScalingActive", "ScalingLimited", "ScaledToZero"
UNABLE = "the HPA was unable to compute the replica count: "
ABOVE = "Current number of replicas above Spec.MaxReplicas"
BELOW = "Current number of replicas below Spec.MinReplicas"
DISABLED = "scaling is disabled since the replica count of the target is zero"
FROM_NOTHING = ("Object", "External")
"""Metrics that say something where there are no pods."""


@dataclass(frozen=True, slots=True)
class Move:
    """The replicas that there shall be, why, and what is to be said of it."""

    replicas: int
    why: str = ""
    marks: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Best:
    """What all metrics propose together; no replicas where they propose nothing."""

    replicas: int | None
    name: str
    error: str
    mark: Condition


def mark(kind: str, good: bool, reason: str, message: str) -> Condition:
    """One observation."""
    status = "True" if good else "False"
    return Condition(type=kind, status=status, reason=reason, message=message)


def from_zero(scaler: HorizontalPodAutoscaler, gate: bool) -> bool:
    """Whether this controller scaled the target to zero."""
    found = condition(scaler.status.conditions, ZERO)
    return gate and found is not None and found.status == "True"


def may_be_zero(spec: AutoscalerSpec) -> bool:
    """Whether a metric says something without pods."""
    return any(metric.type in FROM_NOTHING for metric in spec.metrics)


def without_metrics(spec: AutoscalerSpec, current: int, zero: bool) -> Move | None:
    """What is clear before anything is measured; None where it is not. `zero`: see `from_zero`."""
    if current == 0:
        if zero and (spec.min_replicas != 0 or may_be_zero(spec)):
            return None
        return Move(0, marks=(mark(ACTIVE, False, "ScalingDisabled", DISABLED),))
    if current > spec.max_replicas:
        return Move(spec.max_replicas, ABOVE)
    if current < spec.min_replicas:
        return Move(spec.min_replicas, BELOW)
    return None


def best(results: Sequence[Proposal | Failure], current: int) -> Best:
    """The largest proposal, unless some metrics fail and the rest would shrink the target."""
    replicas, name = 0, ""
    failures = [one for one in results if isinstance(one, Failure)]
    for one in results:
        if isinstance(one, Proposal) and (replicas == 0 or one.replicas > replicas):
            replicas, name = one.replicas, one.name
    error = ""
    if failures:
        count = f"{len(failures)} invalid out of {len(results)}"
        error = f"invalid metrics ({count}), first error is: {failures[0].whole}"
    if len(failures) == len(results) or (failures and replicas < current):
        text = f"{UNABLE}{failures[0].told}" if failures else ""
        reason = failures[0].reason if failures else ""
        return Best(None, "", error, mark(ACTIVE, False, reason, text))
    text = f"the HPA was able to successfully calculate a replica count from {name}"
    return Best(replicas, name, error, mark(ACTIVE, True, "ValidMetricFound", text))


def decided(
    spec: AutoscalerSpec,
    current: int,
    found: int,
    name: str,
    history: History,
    now: float,
    *,
    zero: bool,
) -> tuple[Move, History]:
    """The move that a proposal of `found` replicas leads to; `name` is what proposes it."""
    wanted = max(found, 0)
    why = f"{name if found > 0 else ''} above target" if wanted > current else ""
    if wanted < current:
        why = "All metrics below target"
    span = Span(spec.min_replicas, spec.max_replicas)
    held = allowed(history, spec.behavior, current, wanted, span, now)
    marks = (
        mark(ABLE, True, held.held.word, held.held.text),
        mark(LIMITED, held.limited, held.limit.word, held.limit.text),
    )
    replicas = held.replicas
    if current == 0 and zero and wanted < spec.min_replicas:  # which was zero before
        replicas, why = max(replicas, spec.min_replicas), why or BELOW
    return Move(replicas, why, marks), held.history


def zero_mark(spec: AutoscalerSpec, before: int, after: int) -> Condition:
    """Whether a move scaled the target to zero."""
    if before > 0 and after == 0 and spec.min_replicas == 0 and may_be_zero(spec):
        return mark(ZERO, True, ZERO, "the HPA controller scaled the workload to zero")
    text = "the HPA controller did not scale the workload to zero"
    return mark(ZERO, False, "NotScaledToZero", text)


def tolerance(spec: AutoscalerSpec, default: Tolerance) -> Tolerance:
    """How far from its targets the autoscaler takes as near enough."""
    if spec.behavior is None:
        return default
    up, down = spec.behavior.scale_up.tolerance, spec.behavior.scale_down.tolerance
    return Tolerance(
        down=default.down if down is None else float(quantity.parse(down)),
        up=default.up if up is None else float(quantity.parse(up)),
    )
