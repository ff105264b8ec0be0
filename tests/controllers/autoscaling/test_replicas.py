"""How many replicas a metric asks for. The numbers are those of upstream's own tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.controllers.autoscaling.podgroups import (
    Delays,
    Measured,
    PodGroups,
    grouped,
    requests,
)
from argosy.controllers.autoscaling.replicas import (
    MOST_REPLICAS,
    MOST_USAGE,
    MetricsError,
    Target,
    Tolerance,
    Wanted,
    countable,
    of_pods,
    of_share,
    of_value,
    quotient,
    total,
)
from tests.controllers.autoscaling.kit import HOT, NOW, pod

YES, NO = {"ready": "True"}, {"ready": "False"}
WARM, PENDING = {"ran": HOT}, {"ready": "False", "phase": "Pending"}
FAILED, GOING = {"ready": "False", "phase": "Failed"}, {"ready": "False", "going": True}
TENTH = Tolerance()


@dataclass(frozen=True)
class Case:
    """Pods, what those that are measured use, and what comes of it."""

    current: int
    expected: int
    usage: tuple[int, ...]
    target: int
    average: int
    share: int | None = None
    pods: tuple[Mapping[str, Any], ...] = ()
    asked: tuple[str, ...] = ()
    tolerance: Tolerance = TENTH
    resource: str = "cpu"
    more: Mapping[str, int] = field(default_factory=dict)

    def made(self) -> list[Pod]:
        facts = self.pods or ({},) * self.current
        asked = self.asked or ("1",) * len(facts)
        return [pod(f"p{i}", requests=[{"cpu": asked[i]}], **facts[i]) for i in range(len(facts))]


def utilization(
    current: int, expected: int, usage: tuple[int, ...], target: int, share: int, **more: Any
) -> Case:
    average = more.pop("average", None)
    return Case(current, expected, usage, target, average or share * 10, share, **more)


CASES = {
    "up": utilization(3, 5, (300, 500, 700), 30, 50),
    "up, one unready": utilization(3, 4, (300, 500, 700), 30, 60, pods=(NO, YES, YES)),
    "up, one hot": utilization(3, 4, (300, 500, 700), 30, 60, pods=(WARM, YES, YES)),
    "unready, no scale": utilization(3, 3, (400, 500, 700), 30, 40, pods=(YES, NO, NO)),
    "hot, no scale": utilization(
        3, 3, (400, 500, 700), 30, 40, pods=(YES, {**NO, **WARM}, {**NO, **WARM})
    ),
    "up, failed ignored": utilization(2, 4, (500, 700), 30, 60, pods=(YES, YES, FAILED, FAILED)),
    "up, going ignored": utilization(2, 4, (500, 700), 30, 60, pods=(YES, YES, GOING, GOING)),
    "down": utilization(5, 3, (100, 300, 500, 250, 250), 50, 28),
    "down without unready": utilization(
        5, 2, (100, 300, 500, 250, 250), 50, 30, pods=(YES, YES, YES, NO, NO)
    ),
    "down without pending": utilization(
        5, 1, (100,), 50, 10, pods=(YES, PENDING, PENDING, PENDING, PENDING)
    ),
    "down without hot": utilization(
        5, 2, (100, 300, 500, 250, 250), 50, 30, pods=(YES, YES, YES, WARM, WARM)
    ),
    "down, failed ignored": utilization(
        5, 3, (100, 300, 500, 250, 250), 50, 28, pods=(*(YES,) * 5, FAILED, FAILED)
    ),
    "down, going ignored": utilization(
        5, 3, (100, 300, 500, 250, 250), 50, 28, pods=(*(YES,) * 5, GOING, GOING)
    ),
    "near enough": utilization(3, 3, (1010, 1030, 1020), 100, 102, asked=("0.9", "1.0", "1.1")),
    "no tolerance": utilization(
        3, 4, (909, 1010, 1111), 100, 101, asked=("0.9", "1", "1.1"), tolerance=Tolerance(0.0, 0.0)
    ),
    "much tolerance up": utilization(
        3, 3, (1890, 1910, 1900), 100, 190, asked=("0.9", "1", "1.1"), tolerance=Tolerance(0.1, 2.0)
    ),
    "less tolerance up": utilization(
        3, 4, (1100, 1080, 1090), 100, 109,
        asked=("0.9", "1", "1.1"), tolerance=Tolerance(2.0, 0.08),
    ),
    "tolerance down": utilization(
        3, 3, (660, 640, 650), 100, 65, asked=("0.9", "1", "1.1"), tolerance=Tolerance(0.36, 0.1)
    ),
    "less tolerance down": utilization(
        3, 2, (660, 640, 650), 100, 65, asked=("0.9", "1", "1.1"), tolerance=Tolerance(0.34, 0.1)
    ),
    "superfluous": utilization(
        4, 24, (4000, 9500, 3000, 7000), 100, 587, average=5875, more={"x": 3200, "y": 2000}
    ),
    "two missing": utilization(4, 3, (400, 95), 100, 24, average=247),
    "one missing, equal": utilization(2, 2, (1000,), 100, 100),
    "one missing, more": utilization(2, 2, (1900,), 100, 190),
    "one missing, less": utilization(2, 2, (600,), 100, 60),
    "unready and missing": utilization(3, 3, (100, 450), 50, 45, pods=(NO, YES, YES)),
    "hot and missing": utilization(3, 3, (100, 450), 50, 45, pods=(WARM, YES, YES)),
    "unready, missing, up": utilization(3, 4, (100, 2000), 50, 200, pods=(NO, YES, YES)),
    "unready, missing, down": utilization(4, 3, (100, 100, 100), 50, 10, pods=(NO, YES, YES, YES)),
    "target over 100": utilization(
        4, 2, (200, 100, 100), 300, 6, average=100, asked=("1", "1", "2", "2"),
        pods=(NO, YES, YES, YES),
    ),
    "surge": utilization(2, 2, (100, 100), 50, 10, pods=(YES, YES, YES)),
    "plain up": Case(3, 4, (20000, 10000, 30000), 15000, 20000, resource=""),
    "plain up, unready count": Case(
        3, 6, (50000, 10000, 30000), 15000, 30000, pods=(YES, YES, {**NO, **WARM}), resource=""
    ),
    "plain up, unready count, too": Case(
        3, 7, (50000, 15000, 30000), 15000, 31666,
        pods=({**NO, **WARM}, YES, {**NO, **WARM}), resource="",
    ),
    "plain down": Case(5, 3, (12000,) * 5, 20000, 12000, resource=""),
    "plain, near enough": Case(3, 3, (20000, 21000, 21000), 20000, 20666, resource=""),
    "plain, tolerance": Case(
        3, 4, (20000, 21000, 21000), 20000, 20666, resource="", tolerance=Tolerance(0.1, 0.01)
    ),
    "plain, missing, equal": Case(5, 5, (20000, 19000, 21000), 20000, 20000, resource=""),
    "plain surge": Case(2, 2, (10000, 10000), 17000, 10000, resource="", pods=(YES, YES, YES)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_metric_of_pods(case: Case) -> None:
    pods = case.made()
    usage = {**{f"p{i}": value for i, value in enumerate(case.usage)}, **case.more}
    measured = {name: Measured(value, NOW) for name, value in usage.items()}
    groups = grouped(pods, measured, case.resource, NOW, Delays())
    asked = None if case.share is None else requests(pods, "cpu")
    target = Target(case.target, asked)
    found = of_pods(case.current, countable(usage, groups), target, groups, case.tolerance)
    assert found == Wanted(case.expected, case.average, case.share)


@pytest.mark.parametrize(
    "current, usage, target, ready, tolerance, expected",
    [
        (3, 20000, 15000, 3, TENTH, 4),
        (3, 50000, 10000, 1, TENTH, 5),
        (1, 8600, 4400, 1, TENTH, 2),
        (3, 8600, 4400, 1, TENTH, 2),
        (5, 12000, 20000, 5, TENTH, 3),
        (5, 8600, 14334, 5, TENTH, 3),
        (3, 20666, 20000, 3, TENTH, 3),
        (3, 8600, 8888, 3, TENTH, 3),
        (3, 20666, 20000, 3, Tolerance(0.1, 0.01), 4),
        (3, 8900, 8800, 3, Tolerance(0.1, 0.01), 4),
        (3, MOST_USAGE, 1, 3, TENTH, MOST_REPLICAS),
        (3, MOST_USAGE, MOST_USAGE, 3, TENTH, 3),
        (0, 20000, 15000, 0, TENTH, 2),
        (0, 1, 15000, 0, TENTH, 1),
        (0, 0, 15000, 0, TENTH, 0),
    ],
)
def test_a_metric_as_a_whole(
    current: int, usage: int, target: int, ready: int, tolerance: Tolerance, expected: int
) -> None:
    assert of_value(current, usage, target, ready, tolerance) == Wanted(expected, usage)


@pytest.mark.parametrize(
    "there, usage, target, tolerance, expected, average",
    [
        (3, 20000, 5000, TENTH, 4, 6667),
        (3, 8600, 2150, TENTH, 4, 2867),
        (5, 6000, 2000, TENTH, 3, 1200),
        (5, 8600, 2867, TENTH, 3, 1720),
        (4, 20166, 5000, TENTH, 4, 5042),
        (3, 8600, 2900, TENTH, 3, 2867),
        (4, 20208, 5000, Tolerance(0.1, 0.01), 5, 5052),
        (3, 8600, 2800, Tolerance(0.1, 0.01), 4, 2867),
        (1, MOST_USAGE, 1, TENTH, MOST_REPLICAS, MOST_USAGE),
        (1, MOST_USAGE, MOST_USAGE, TENTH, 1, MOST_USAGE),
        (0, 9000, 2000, TENTH, 5, 9000),
        (0, 0, 2000, TENTH, 0, 0),
    ],
)
def test_a_metric_by_pod(
    there: int, usage: int, target: int, tolerance: Tolerance, expected: int, average: int
) -> None:
    assert of_share(there, usage, target, tolerance) == Wanted(expected, average)


def test_metrics_of_strangers_say_nothing() -> None:
    with pytest.raises(MetricsError, match="no metrics returned matched known pods"):
        Target(100, {"p0": 1000}).used({"stranger": 100})


def test_metrics_of_unready_pods_say_nothing() -> None:
    text = r"did not receive metrics for targeted pods \(pods might be unready\)"
    with pytest.raises(MetricsError, match=text):
        countable({"p0": 100}, PodGroups(0, unready=frozenset({"p0"})))


def test_what_cannot_be_counted_is_the_most_that_can() -> None:
    assert total([MOST_USAGE // 2 + 1] * 2) == MOST_USAGE
    assert total([3, 4]) == 7


@pytest.mark.parametrize("amount, divisor, expected", [(7, 2, 3), (-7, 2, -3), (-6, 2, -3)])
def test_division_is_towards_zero(amount: int, divisor: int, expected: int) -> None:
    assert quotient(amount, divisor) == expected


@settings(max_examples=100, deadline=None)
@given(
    usage=st.lists(st.integers(0, 5000), min_size=1, max_size=8),
    missing=st.integers(0, 4),
    unready=st.integers(0, 4),
    target=st.integers(1, 300),
)
def test_what_is_not_known_never_turns_a_change(
    usage: list[int], missing: int, unready: int, target: int
) -> None:
    """More than the target never shrinks, less never grows, whatever is not known."""
    counted = {f"p{i}": value for i, value in enumerate(usage)}
    groups = PodGroups(
        len(usage),
        frozenset(f"u{i}" for i in range(unready)),
        frozenset(f"m{i}" for i in range(missing)),
    )
    asked = dict.fromkeys((*counted, *groups.missing, *groups.unready), 1000)
    goal, current = Target(target, asked), len(asked)
    ratio = goal.used(counted).ratio
    found = of_pods(current, counted, goal, groups, TENTH).replicas
    assert found >= current if ratio > 1 else found <= current
    assert found == of_pods(current, counted, goal, groups, TENTH).replicas
