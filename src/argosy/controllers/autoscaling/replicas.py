"""How many replicas a metric asks for: pure arithmetic over what was measured.

Amounts are in thousandths, as upstream counts them. What was not measured is taken as if it held
the change back: pods without metrics use all that they may when fewer pods are asked for, and
nothing when more are; unready ones use nothing. If that turns the change round, nothing changes.
Source: upstream's replica calculator.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from argosy.controllers.autoscaling.podgroups import PodGroups

MOST_REPLICAS = 2**31 - 1
MOST_USAGE = 2**63 - 1


class MetricsError(Exception):
    """A metric can't be had, or says nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far from 1 the ratio of usage and target may be without any change."""

    down: float = 0.1
    up: float = 0.1

    def holds(self, ratio: float) -> bool:
        """Whether that is near enough."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Wanted:
    """The replicas that are asked for, and what is used now: on average, or as a whole.

    `share` is per cent of what is requested, where the target is that.
    """

    replicas: int
    usage: int
    share: int | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What pods use together: in relation to the target, on average, and of what they asked."""

    ratio: float
    average: int
    share: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a pod may use, or what share of its `requests` (by pod)."""

    amount: int
    requests: Mapping[str, int] | None = None

    def used(self, usage: Mapping[str, int]) -> Used:
        """What the pods use. Raises MetricsError where that can't be said."""
        if self.requests is None:
            average = quotient(sum(usage.values()), len(usage))
            return Used(average / self.amount, average)
        known = [name for name in usage if name in self.requests]
        total = sum(usage[name] for name in known)
        asked = sum(self.requests[name] for name in known)
        if asked == 0:
            raise MetricsError("no metrics returned matched known pods")
        share = quotient(total * 100, asked)
        return Used(share / self.amount, quotient(total, len(known)), share)

    def full(self, pod: str) -> int:
        """What a pod uses that uses as much as it may."""
        if self.requests is None:
            return self.amount
        return quotient(self.requests[pod] * max(100, self.amount), 100)


def countable(usage: Mapping[str, int], groups: PodGroups) -> dict[str, int]:
    """What those pods use that count. Raises MetricsError where there are none."""
    left_out = groups.ignored | groups.unready
    counted = {name: value for name, value in usage.items() if name not in left_out}
    if not counted:
        raise MetricsError("did not receive metrics for targeted pods (pods might be unready)")
    return counted


def of_pods(
    current: int,
    counted: Mapping[str, int],
    target: Target,
    groups: PodGroups,
    tolerance: Tolerance,
) -> Wanted:
    """For a metric of each pod, of which the `countable` ones. Raises MetricsError."""
    now = target.used(counted)
    more = now.ratio > 1.0
    if not groups.missing and not (groups.unready and more):
        kept = tolerance.holds(now.ratio)
        replicas = current if kept else rounded_up(now.ratio * groups.ready)
        return Wanted(replicas, now.average, now.share)
    assumed = {**counted, **_assumed(now.ratio, target, groups)}
    replicas = _cautious(current, now.ratio, target.used(assumed).ratio, len(assumed), tolerance)
    return Wanted(replicas, now.average, now.share)


def _assumed(ratio: float, target: Target, groups: PodGroups) -> dict[str, int]:
    """What is taken for the pods of which nothing is known."""
    if ratio < 1.0:
        return {name: target.full(name) for name in groups.missing}
    if ratio > 1.0:
        return dict.fromkeys(groups.missing | groups.unready, 0)
    return {}


def _cautious(current: int, seen: float, assumed: float, pods: int, tolerance: Tolerance) -> int:
    """The replicas, unless the assumptions turn the change round."""
    turned = (seen < 1.0 < assumed) or (assumed < 1.0 < seen)
    if turned or tolerance.holds(assumed):
        return current
    replicas = rounded_up(assumed * pods)
    if (assumed < 1.0 and replicas > current) or (assumed > 1.0 and replicas < current):
        return current
    return replicas


def of_value(current: int, usage: int, target: int, ready: int, tolerance: Tolerance) -> Wanted:
    """For a metric as a whole, whose target is one value for all pods. `ready` pods share it."""
    ratio = usage / target
    if current == 0:
        return Wanted(rounded_up(ratio), usage)
    if tolerance.holds(ratio):
        return Wanted(current, usage)
    return Wanted(rounded_up(ratio * ready), usage)


def of_share(there: int, usage: int, target: int, tolerance: Tolerance) -> Wanted:
    """For a metric as a whole, whose target is a value for each of the pods that are `there`.

    Of no pods at all the average is the whole.
    """
    replicas = there
    if there == 0 or not tolerance.holds(usage / (float(target) * there)):
        replicas = rounded_up(usage / target)
    if usage >= MOST_USAGE:
        return Wanted(replicas, MOST_USAGE)
    return Wanted(replicas, math.ceil(usage / max(there, 1)))


def total(values: Iterable[int]) -> int:
    """The sum of a metric's series, as far as can be counted."""
    return min(sum(values), MOST_USAGE)


def rounded_up(replicas: float) -> int:
    """A number of replicas."""
    return min(math.ceil(replicas), MOST_REPLICAS)


def quotient(amount: int, divisor: int) -> int:
    """Whole division towards zero, as upstream's language has it: metrics may be negative."""
    found = abs(amount) // abs(divisor)
    return found if (amount < 0) is (divisor < 0) else -found
