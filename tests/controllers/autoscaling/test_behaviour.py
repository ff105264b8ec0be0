"""How fast may be scaled. The numbers of the tables are those of upstream's own tests."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.autoscaling import ScalingBehavior, ScalingRules
from argosy.controllers.autoscaling.behaviour import (
    DOWN_WINDOW,
    Allowed,
    History,
    Span,
    Then,
    allowed,
    down_limit,
    up_limit,
)
from tests.controllers.autoscaling.kit import rules

NOW = 10_000.0
NOTHING = History()
UP = rules((4, 15), (100, 15), 0)
DOWN = rules(percent=(100, 15))
WITHIN, MANY, FEW = "DesiredWithinRange", "TooManyReplicas", "TooFewReplicas"
FAST_UP, FAST_DOWN = "ScaleUpLimit", "ScaleDownLimit"


def spread(changes: list[int], period: float) -> tuple[Then, ...]:
    """Changes with equal times between them in a period that ends now."""
    gap = period / (len(changes) + 1)
    return tuple(Then(change, NOW - gap * (i + 1)) for i, change in enumerate(changes))


def step(
    current: int,
    wanted: int,
    least: int,
    most: int,
    *,
    up: ScalingRules | None = None,
    down: ScalingRules | None = None,
    history: History = NOTHING,
) -> Allowed:
    behavior = ScalingBehavior(scale_up=up or UP, scale_down=down or DOWN)
    return allowed(history, behavior, current, wanted, Span(least, most), NOW)


UPS = History(ups=spread([1, 5, 9], 120))
DOWNS = History(downs=spread([1, 5, 9], 120))


@pytest.mark.parametrize(
    "current, wanted, least, most, expected, reason",
    [
        (5, 7, 3, 8, 7, WITHIN),
        (3, 1, 2, 8, 2, FEW),
        (1, 0, 0, 10, 0, WITHIN),
        (20, 1000, 1, 10, 10, MANY),
        (3, 1000, 1, 2000, 6, FAST_UP),
        (1, 1000, 1, 2000, 4, FAST_UP),
    ],
)
def test_without_a_behaviour(
    current: int, wanted: int, least: int, most: int, expected: int, reason: str
) -> None:
    found = allowed(NOTHING, None, current, wanted, Span(least, most), NOW)
    assert (found.replicas, found.limit.word) == (expected, reason)
    assert found.limited is (expected != wanted)


@pytest.mark.parametrize(
    "current, wanted, least, most, given, expected, reason",
    [
        (5, 7, 3, 8, {}, 7, WITHIN),
        (3, 1, 2, 8, {}, 2, FEW),
        (1, 0, 0, 10, {}, 0, WITHIN),
        (100, 1000, 100, 150, {}, 150, MANY),
        (3, 1000, 1, 2000, {"up": rules(percent=(1, 60))}, 4, FAST_UP),
        (1000, 3, 3, 2000, {"down": rules((20, 60))}, 980, FAST_DOWN),
        (10, 50, 1, 1000, {}, 20, FAST_UP),
        (10, 500, 1, 1000, {"up": rules((100, 60), (100, 60))}, 110, FAST_UP),
        (10, 500, 1, 1000, {"up": rules((2, 60), (100, 60))}, 20, FAST_UP),
        (10, 50, 1, 1000, {"up": rules((100, 60))}, 50, WITHIN),
        (10, 50, 1, 1000, {"up": rules((30, 60))}, 40, FAST_UP),
        (10, 50, 1, 1000, {"up": rules(percent=(200, 60))}, 30, FAST_UP),
        (100, 2, 1, 1000, {"down": rules((20, 60), (1, 60))}, 80, FAST_DOWN),
        (100, 2, 1, 1000, {"down": rules((2, 60), (1, 60))}, 98, FAST_DOWN),
        (10, 0, 1, 1000, {"down": rules((100, 60))}, 1, FEW),
        (10, 2, 5, 1000, {"down": rules(percent=(100, 60))}, 5, FEW),
        (10, 2, 1, 1000, {"down": rules((5, 60))}, 5, FAST_DOWN),
        (10, 5, 1, 1000, {"down": rules(percent=(50, 60))}, 5, WITHIN),
        (100, 500, 1, 200, {"up": rules((300, 60)), "history": UPS}, 200, MANY),
        (100, 500, 1, 200, {"up": rules(percent=(10000, 60)), "history": UPS}, 200, MANY),
        (100, 500, 1, 1000, {"up": rules((5, 120)), "history": UPS}, 100, FAST_UP),
        (100, 500, 1, 1000, {"up": rules((150, 120)), "history": UPS}, 235, FAST_UP),
        (100, 500, 1, 1000, {"up": rules(percent=(200, 120)), "history": UPS}, 255, FAST_UP),
        (
            6, 24, 1, 1000,
            {
                "up": rules(percent=(300, 300)),
                "history": History(ups=spread([4], 120), downs=spread([2], 120)),
            },
            16, FAST_UP,
        ),
        (10, 5, 1, 1000, {"history": DOWNS}, 5, WITHIN),
        (100, 0, 1, 1000, {"down": rules((115, 120)), "history": DOWNS}, 1, FEW),
        (100, 0, 5, 1000, {"down": rules((130, 120)), "history": DOWNS}, 5, FEW),
        (100, 2, 5, 1000, {"down": rules(percent=(100, 120)), "history": DOWNS}, 5, FEW),
        (100, 2, 1, 1000, {"down": rules((5, 120)), "history": DOWNS}, 100, FAST_DOWN),
        (
            100, 0, 1, 1000,
            {"down": rules(percent=(50, 120)), "history": History(downs=spread([2, 4, 6], 120))},
            56, FAST_DOWN,
        ),
        (
            10, 1, 1, 1000,
            {
                "down": rules(percent=(50, 180), window=0),
                "history": History(ups=spread([2], 120), downs=spread([4], 120)),
            },
            6, FAST_DOWN,
        ),
        (
            100, 0, 1, 1000,
            {"down": rules(percent=(10, 120)), "history": History(downs=spread([10] * 3, 120))},
            100, FAST_DOWN,
        ),
        (
            10, 5, 1, 1000,
            {"down": rules(percent=(1000, 120)), "history": History(downs=spread([10] * 3, 120))},
            5, WITHIN,
        ),
    ],
)  # fmt: skip
def test_policies(
    current: int,
    wanted: int,
    least: int,
    most: int,
    given: dict[str, object],
    expected: int,
    reason: str,
) -> None:
    found = step(current, wanted, least, most, **given)  # type: ignore[arg-type]
    assert (found.replicas, found.limit.word) == (expected, reason)


def test_policies_that_are_chosen_from() -> None:
    both = rules((10, 60), (100, 60))
    assert up_limit(NOTHING, both, 50, NOW) == 100
    assert up_limit(NOTHING, replace_select(both, "Min"), 50, NOW) == 60
    assert up_limit(NOTHING, replace_select(both, "Disabled"), 50, NOW) == 50
    both = rules((10, 60), (50, 60))
    assert down_limit(NOTHING, both, 50, NOW) == 25
    assert down_limit(NOTHING, replace_select(both, "Min"), 50, NOW) == 40
    assert down_limit(NOTHING, replace_select(both, "Disabled"), 50, NOW) == 50


def replace_select(given: ScalingRules, select: str) -> ScalingRules:
    return ScalingRules(policies=given.policies, select_policy=select)


@pytest.mark.parametrize(
    "recommended, current, wanted, window, expected, reason",
    [
        ([], 100, 5, None, 5, "ReadyForNewScale"),
        ([(10, 30), (8, 60)], 10, 3, None, 10, "ScaleDownStabilized"),
        ([(10, 330), (8, 60)], 10, 3, None, 8, "ScaleDownStabilized"),
        ([(10, 30)], 10, 3, 0, 3, "ReadyForNewScale"),
        ([(10, 30)], 10, 3, 20, 3, "ReadyForNewScale"),
    ],
)
def test_recommendations_hold_it_up(
    recommended: list[tuple[int, float]],
    current: int,
    wanted: int,
    window: int | None,
    expected: int,
    reason: str,
) -> None:
    history = History(tuple(Then(count, NOW - ago) for count, ago in recommended))
    found = step(current, wanted, 1, 1000, down=rules(percent=(100, 15), window=window),
                 history=history)  # fmt: skip
    assert (found.replicas, found.held.word) == (expected, reason)
    if window is None:
        plain = allowed(history, None, current, wanted, Span(1, 1000), NOW)
        assert (plain.replicas, plain.held.word) == (expected, reason)


@pytest.mark.parametrize(
    "recommended, wanted, expected, reason",
    [
        ([(5, 30), (7, 10)], 9, 5, "ScaleUpStabilized"),
        ([(5, 90), (7, 10)], 9, 7, "ScaleUpStabilized"),
        ([(5, 90)], 9, 9, "ReadyForNewScale"),
        ([(2, 30)], 9, 5, "ScaleUpStabilized"),
    ],
)
def test_recommendations_hold_it_down(
    recommended: list[tuple[int, float]], wanted: int, expected: int, reason: str
) -> None:
    history = History(tuple(Then(count, NOW - ago) for count, ago in recommended))
    found = step(5, wanted, 1, 1000, up=rules((100, 15), window=60), history=history)
    assert (found.replicas, found.held.word) == (expected, reason)


def test_changes_are_remembered_as_long_as_any_policy_asks() -> None:
    behavior = ScalingBehavior(scale_up=rules((4, 15)), scale_down=rules((4, 1800)))
    history = NOTHING.scaled(1, 5, 0.0, behavior).scaled(5, 9, 20.0, behavior)
    assert history.ups == (Then(4, 0.0), Then(4, 20.0))
    later = history.scaled(9, 3, 1900.0, behavior)
    assert (later.ups, later.downs) == ((), (Then(6, 1900.0),))
    assert NOTHING.scaled(1, 5, 0.0, None) is NOTHING


def test_it_begins_with_what_is_there() -> None:
    begun = NOTHING.begun(7, 3.0)
    assert begun.recommended == (Then(7, 3.0),)
    assert begun.begun(9, 4.0) is begun


BEHAVIORS = st.none() | st.builds(
    lambda up, down, window, select: ScalingBehavior(
        scale_up=rules((up, 60), (up * 10, 30), window, select),
        scale_down=rules((down, 60), (down * 10, 30), window * 2, select),
    ),
    st.integers(1, 10),
    st.integers(1, 10),
    st.integers(0, 120),
    st.sampled_from(["Max", "Min", "Disabled"]),
)


@settings(max_examples=80, deadline=None)
@given(
    behavior=BEHAVIORS,
    least=st.integers(0, 10),
    more=st.integers(1, 30),
    wanted=st.lists(st.integers(0, 60), min_size=1, max_size=30),
    gap=st.floats(1, 40),
)
def test_it_keeps_to_its_bounds_in_place_and_time(
    behavior: ScalingBehavior | None, least: int, more: int, wanted: list[int], gap: float
) -> None:
    """Never outside of the bounds, never below what was recommended within the window, and the
    same again for the same history."""
    span = Span(least, least + more)
    current, now = span.least + more // 2, 0.0
    history = NOTHING.begun(current, now)
    window = DOWN_WINDOW
    if behavior is not None:
        window = float(behavior.scale_down.stabilization_window_seconds or 0)
    for count in wanted:
        now += gap
        found = allowed(history, behavior, current, count, span, now)
        assert span.least <= found.replicas <= span.most
        recent = [one.replicas for one in history.recommended if one.at > now - window]
        if found.replicas < current:
            assert found.replicas >= min(max([count, *recent]), span.most)
        assert allowed(history, behavior, current, count, span, now) == found
        history = found.history
        if found.replicas != current:
            history = history.scaled(current, found.replicas, now, behavior)
        current = found.replicas
        assert len(history.recommended) <= max(window, DOWN_WINDOW) / gap + 2
