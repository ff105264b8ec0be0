"""What follows from proposals, and what an autoscaler says of it."""

from typing import Any

import msgspec
import pytest

from argosy.api.autoscaling import AutoscalerSpec, AutoscalerStatus, HorizontalPodAutoscaler
from argosy.api.meta import Condition
from argosy.controllers.autoscaling.behaviour import History
from argosy.controllers.autoscaling.outcome import Outcome, status_after, written
from argosy.controllers.autoscaling.proposals import Failure, Proposal
from argosy.controllers.autoscaling.replicas import Tolerance
from argosy.controllers.autoscaling.verdict import (
    ABOVE,
    BELOW,
    ZERO,
    best,
    decided,
    from_zero,
    mark,
    tolerance,
    without_metrics,
    zero_mark,
)

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:15Z"
QUEUE = {"type": "External", "external": {"metric": {"name": "q"}, "target": {}}}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {}}}


def spec(least: int = 1, most: int = 10, **more: Any) -> AutoscalerSpec:
    body = {"minReplicas": least, "maxReplicas": most, "metrics": [CPU], **more}
    return msgspec.convert(body, AutoscalerSpec)


@pytest.mark.parametrize(
    "given, current, zero, expected",
    [
        (spec(), 5, False, None),
        (spec(), 11, False, (10, ABOVE)),
        (spec(3), 2, False, (3, BELOW)),
        (spec(), 0, False, (0, "")),
        (spec(0, metrics=[QUEUE]), 0, False, (0, "")),
        (spec(0, metrics=[QUEUE]), 0, True, None),
        (spec(0), 0, True, (0, "")),
        (spec(2), 0, True, None),
    ],
)
def test_what_is_clear_without_metrics(
    given: AutoscalerSpec, current: int, zero: bool, expected: tuple[int, str] | None
) -> None:
    move = without_metrics(given, current, zero)
    assert (move and (move.replicas, move.why)) == expected


def proposal(replicas: int, name: str = "m") -> Proposal:
    return Proposal(replicas, name, {})


BAD = Failure("FailedGetPodsMetric", "told", "whole")
OTHER = Failure("FailedGetObjectMetric", "other", "wholly other")


@pytest.mark.parametrize(
    "results, current, replicas, name",
    [
        ([proposal(3, "a"), proposal(5, "b")], 4, 5, "b"),
        ([proposal(5, "a"), proposal(5, "b")], 4, 5, "a"),
        ([proposal(0, "a"), proposal(0, "b")], 4, 0, "b"),
        ([BAD, proposal(5, "b")], 4, 5, "b"),
        ([BAD, proposal(4, "b")], 4, 4, "b"),
        ([BAD, proposal(3, "b")], 4, None, ""),
        ([BAD, OTHER], 4, None, ""),
    ],
)
def test_the_largest_proposal_counts(
    results: list[Proposal | Failure], current: int, replicas: int | None, name: str
) -> None:
    found = best(results, current)
    assert (found.replicas, found.name) == (replicas, name)
    assert found.mark.type == "ScalingActive"
    if replicas is None:
        assert (found.mark.status, found.mark.reason) == ("False", "FailedGetPodsMetric")
        assert found.mark.message == "the HPA was unable to compute the replica count: told"
    else:
        text = f"the HPA was able to successfully calculate a replica count from {name}"
        assert (found.mark.reason, found.mark.message) == ("ValidMetricFound", text)


def test_the_first_failure_is_told() -> None:
    text = "invalid metrics (2 invalid out of 3), first error is: whole"
    assert best([BAD, proposal(1), OTHER], 4).error == text
    assert best([proposal(1)], 4).error == ""


@pytest.mark.parametrize(
    "current, found, least, zero, expected, why",
    [
        (2, 3, 1, False, 3, "m above target"),
        (3, 2, 1, False, 2, "All metrics below target"),
        (3, 3, 1, False, 3, ""),
        (3, -1, 1, False, 1, "All metrics below target"),
        (0, 2, 0, True, 2, "m above target"),
        (0, 1, 3, True, 3, "m above target"),
        (0, 0, 3, True, 3, BELOW),
    ],
)
def test_moves(current: int, found: int, least: int, zero: bool, expected: int, why: str) -> None:
    move, history = decided(spec(least), current, found, "m", History(), 5.0, zero=zero)
    assert (move.replicas, move.why) == (expected, why)
    assert [one.type for one in move.marks] == ["AbleToScale", "ScalingLimited"]
    assert [one.replicas for one in history.recommended] == [max(found, 0)]


def test_what_is_said_of_zero() -> None:
    queue = spec(0, metrics=[QUEUE])
    assert zero_mark(queue, 2, 0).status == "True"
    assert zero_mark(queue, 2, 1).status == "False"
    assert zero_mark(queue, 0, 2).status == "False"
    assert zero_mark(spec(0), 2, 0).status == "False"
    assert zero_mark(spec(1, metrics=[QUEUE]), 2, 0).status == "False"
    status = AutoscalerStatus(conditions=(mark(ZERO, True, "", ""),))
    scaler = HorizontalPodAutoscaler(status=status)
    assert from_zero(scaler, True)
    assert not from_zero(scaler, False)
    assert not from_zero(HorizontalPodAutoscaler(), True)


def test_tolerances() -> None:
    default = Tolerance()
    assert tolerance(spec(), default) is default
    given = spec(behavior={"scaleUp": {"tolerance": "50m"}, "scaleDown": {}})
    assert tolerance(given, default) == Tolerance(down=0.1, up=0.05)


def test_a_status_that_is_written() -> None:
    old = AutoscalerStatus(
        current_replicas=2,
        desired_replicas=3,
        last_scale_time=NOW,
        current_metrics=({"type": "Resource"},),
        conditions=(
            Condition(type="AbleToScale", status="True", last_transition_time=NOW),
            Condition(type=ZERO, status="False", last_transition_time=NOW),
        ),
    )
    able = mark("AbleToScale", True, "R", "m")
    seen = status_after(old, Outcome(marks=(able,), current=4), LATER)
    assert (seen.current_replicas, seen.desired_replicas, seen.last_scale_time) == (4, 3, NOW)
    assert seen.current_metrics == ()
    assert seen.conditions[0].last_transition_time == NOW
    assert written(seen)["currentMetrics"] is None
    moved = Outcome(marks=(able,), current=4, desired=5, rescaled=True, zeroless=True)
    after = status_after(old, moved, LATER)
    assert (after.desired_replicas, after.last_scale_time) == (5, LATER)
    assert [one.type for one in after.conditions] == ["AbleToScale"]
    lost = mark("AbleToScale", False, "FailedGetScale", "m")
    unseen = status_after(old, Outcome(marks=(lost,)), LATER)
    assert (unseen.current_replicas, unseen.current_metrics) == (2, ({"type": "Resource"},))
    assert unseen.conditions[0].last_transition_time == LATER
