"""How fast may be scaled: recommendations and changes of the past, and what they allow now.

Without a behaviour a target may at most double (or have four pods), and shrinks only as far as the
highest recommendation of the last five minutes. With one, each direction has a window in which
recommendations are held together, and policies for how many pods, or per cent of them, may come or
go in a period. All of it is pure; times are seconds of one clock. Source: upstream's horizontal
controller; KEP-853.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from argosy.api.autoscaling import ScalingBehavior, ScalingPolicy, ScalingRules
from argosy.controllers.autoscaling.replicas import MOST_REPLICAS

DOWN_WINDOW = 300.0
"""Seconds for which a higher recommendation keeps a target from shrinking, by default."""
DOUBLED, AT_LEAST = 2, 4
"""How far may be scaled up at once without a behaviour: times the replicas, or to so many."""


@dataclass(frozen=True, slots=True)
class Then:
    """A number at a time: a recommendation, or by how many replicas was scaled."""

    replicas: int
    at: float


@dataclass(frozen=True, slots=True)
class History:
    """What was recommended, and how far was scaled up and down."""

    recommended: tuple[Then, ...] = ()
    ups: tuple[Then, ...] = ()
    downs: tuple[Then, ...] = ()

    def begun(self, replicas: int, now: float) -> "History":
        """It begins with what there is."""
        return self if self.recommended else replace(self, recommended=(Then(replicas, now),))

    def recommending(self, replicas: int, now: float, window: float) -> "History":
        """With one recommendation more; those from before the window are forgotten."""
        kept = tuple(then for then in self.recommended if then.at >= now - window)
        return replace(self, recommended=(*kept, Then(replicas, now)))

    def scaled(
        self, before: int, after: int, now: float, behavior: ScalingBehavior | None
    ) -> "History":
        """With one change more, if there are policies that ask for it."""
        if behavior is None:
            return self
        since = now - _longest(behavior)
        ups, downs = (
            tuple(then for then in changes if then.at >= since)
            for changes in (self.ups, self.downs)
        )
        change = (Then(abs(after - before), now),)
        ups, downs = (ups + change, downs) if after > before else (ups, downs + change)
        return replace(self, ups=ups, downs=downs)


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the most replicas that the autoscaler allows."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number is what it is: a word, and a sentence."""

    word: str
    text: str


READY = Reason("ReadyForNewScale", "recommended size matches current size")
HELD_DOWN = Reason(
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
HELD_UP = Reason(
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent "
    "recommendation",
)
WITHIN = Reason("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FAST_UP = Reason(
    "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
)
TOO_FAST_DOWN = Reason(
    "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"
)
TOO_MANY = Reason(
    "TooManyReplicas", "the desired replica count is more than the maximum replica count"
)
TOO_FEW = Reason(
    "TooFewReplicas", "the desired replica count is less than the minimum replica count"
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The number that was come to, whether time and whether bounds had a say, and why."""

    replicas: int
    held: Reason
    limited: bool
    limit: Reason
    history: History


def allowed(
    history: History,
    behavior: ScalingBehavior | None,
    current: int,
    wanted: int,
    span: Span,
    now: float,
) -> Allowed:
    """How many of the `wanted` replicas there shall be now."""
    if behavior is None:
        stable, held = _highest(history, wanted, now), HELD_UP
        replicas, limit = _bounded(current, stable, span)
    else:
        stable = _stable(history, behavior, current, wanted, now)
        held = HELD_DOWN if wanted >= current else HELD_UP
        replicas, limit = _limited(history, behavior, current, stable, span, now)
    return Allowed(
        replicas,
        READY if stable == wanted else held,
        replicas != stable,
        limit,
        history.recommending(wanted, now, _window(behavior)),
    )


def _highest(history: History, wanted: int, now: float) -> int:
    recent = (one.replicas for one in history.recommended if one.at >= now - DOWN_WINDOW)
    return max([wanted, *recent])


def _bounded(current: int, wanted: int, span: Span) -> tuple[int, Reason]:
    most, reason = max(DOUBLED * current, AT_LEAST), TOO_FAST_UP
    if span.most <= most:
        most, reason = span.most, TOO_MANY
    if wanted < span.least:
        return span.least, TOO_FEW
    if wanted > most:
        return most, reason
    return wanted, WITHIN


def windows(behavior: ScalingBehavior) -> tuple[float, float]:
    """Seconds for which recommendations are held together, upwards and downwards."""
    up = behavior.scale_up.stabilization_window_seconds
    down = behavior.scale_down.stabilization_window_seconds
    return float(up or 0), DOWN_WINDOW if down is None else float(down)


def _window(behavior: ScalingBehavior | None) -> float:
    """How long a recommendation has to be known. A behaviour may come, go and change."""
    return DOWN_WINDOW if behavior is None else max(DOWN_WINDOW, *windows(behavior))


def _stable(
    history: History, behavior: ScalingBehavior, current: int, wanted: int, now: float
) -> int:
    """As few changes as the recommendations of both windows agree on."""
    up, down = windows(behavior)
    least = min([wanted, *(one.replicas for one in history.recommended if one.at > now - up)])
    most = max([wanted, *(one.replicas for one in history.recommended if one.at > now - down)])
    return min(max(current, least), most)


def _limited(
    history: History,
    behavior: ScalingBehavior,
    current: int,
    wanted: int,
    span: Span,
    now: float,
) -> tuple[int, Reason]:
    if wanted > current:
        rate = max(up_limit(history, behavior.scale_up, current, now), current)
        most, reason = (rate, TOO_FAST_UP) if span.most > rate else (span.most, TOO_MANY)
        return (most, reason) if wanted > most else (wanted, WITHIN)
    if wanted < current:
        rate = min(down_limit(history, behavior.scale_down, current, now), current)
        least, reason = (rate, TOO_FAST_DOWN) if span.least < rate else (span.least, TOO_FEW)
        return (least, reason) if wanted < least else (wanted, WITHIN)
    return wanted, WITHIN


def up_limit(history: History, rules: ScalingRules, current: int, now: float) -> int:
    """The most replicas that the policies allow now."""
    if rules.select_policy == "Disabled":
        return current
    choose = min if rules.select_policy == "Min" else max
    limits = (_raised(one, _start(history, one, current, now)) for one in rules.policies)
    return choose(limits, default=MOST_REPLICAS if choose is min else 0)


def down_limit(history: History, rules: ScalingRules, current: int, now: float) -> int:
    """The fewest replicas that the policies allow now."""
    if rules.select_policy == "Disabled":
        return current
    choose = max if rules.select_policy == "Min" else min
    limits = (_lowered(one, _start(history, one, current, now)) for one in rules.policies)
    return choose(limits, default=MOST_REPLICAS if choose is min else 0)


def _start(history: History, policy: ScalingPolicy, current: int, now: float) -> int:
    """How many replicas there were when the policy's period began."""
    since = now - policy.period_seconds
    return current - _changed(history.ups, since) + _changed(history.downs, since)


def _changed(changes: Iterable[Then], since: float) -> int:
    return sum(one.replicas for one in changes if one.at > since)


def _raised(policy: ScalingPolicy, start: int) -> int:
    if policy.type == "Pods":
        return start + policy.value
    # Rounded up: a small target could never grow otherwise.
    return math.ceil(start * (1 + policy.value / 100))


def _lowered(policy: ScalingPolicy, start: int) -> int:
    if policy.type == "Pods":
        return start - policy.value
    return int(start * (1 - policy.value / 100))


def _longest(behavior: ScalingBehavior) -> int:
    """Policies of one direction look at changes in both."""
    policies = (*behavior.scale_up.policies, *behavior.scale_down.policies)
    return max((policy.period_seconds for policy in policies), default=0)
