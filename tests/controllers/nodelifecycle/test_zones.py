"""Zones: how they are, and how fast it goes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.controllers.nodelifecycle.zones import (
    RATE,
    SLOW_RATE,
    Bucket,
    State,
    rate_of,
    state_of,
    turn,
)

TABLE = [
    (0, 0, State.NORMAL),
    (3, 0, State.NORMAL),
    (0, 1, State.FULL),
    (1, 2, State.NORMAL),  # two are few
    (3, 3, State.NORMAL),
    (2, 3, State.PARTIAL),
    (9, 11, State.PARTIAL),  # 55 %
    (10, 12, State.NORMAL),
]


@pytest.mark.parametrize(("ready", "lost", "state"), TABLE)
def test_states(ready: int, lost: int, state: State) -> None:
    assert state_of([True] * ready + [False] * lost) is state


@pytest.mark.parametrize(
    ("state", "nodes", "rate"),
    [
        (State.NORMAL, 3, RATE),
        (State.FULL, 3, RATE),
        (State.PARTIAL, 50, 0.0),
        (State.PARTIAL, 51, SLOW_RATE),
    ],
)
def test_rates(state: State, nodes: int, rate: float) -> None:
    assert rate_of(state, nodes) == rate


def test_all_is_lost_and_comes_back() -> None:
    first = turn({}, {"a": [True, False], "b": [True]})
    assert first.states == {"a": State.NORMAL, "b": State.NORMAL}
    assert first.rates == {"a": RATE, "b": RATE}
    one = turn(first.states, {"a": [False, False], "b": [True]})
    assert one.rates == {"a": RATE} and not one.stopped
    lost = turn(one.states, {"a": [False, False], "b": [False]})
    assert lost.stopped and lost.rates == {"a": 0.0, "b": 0.0}
    still = turn(lost.states, {"a": [False, False], "b": [False]})
    assert not still.stopped and not still.rates
    back = turn(still.states, {"a": [False, False], "b": [True]})
    assert back.resumed and back.rates == {"a": RATE, "b": RATE}
    assert turn(back.states, {"b": [True]}).states == {"b": State.NORMAL}


ZONES = st.dictionaries(st.sampled_from("abc"), st.lists(st.booleans(), min_size=1, max_size=6))


@settings(max_examples=100)
@given(st.lists(ZONES, max_size=8))
def test_it_stops_only_when_nobody_is_ready(history: list[dict[str, list[bool]]]) -> None:
    states: dict[str, State] = {}
    for ready in history:
        found = turn(states, ready)
        lost = not any(any(nodes) for nodes in ready.values())
        assert not found.stopped or lost
        assert not found.resumed or not lost
        if found.stopped:
            assert set(found.rates.values()) <= {0.0}
        states = dict(found.states)
        assert states.keys() == ready.keys()


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0.1, 30), st.sampled_from([None, 0.0, SLOW_RATE, RATE]))),
)
def test_a_bucket_gives_no_more_than_its_rate(steps: list[tuple[float, float | None]]) -> None:
    now, rate, allowed, taken = 0.0, RATE, 1.0, 0
    bucket = Bucket(RATE, now)
    for seconds, change in steps:
        now += seconds
        allowed += seconds * rate
        if change is not None:
            bucket.change(change, now)
            rate = change
        while bucket.take(now):
            taken += 1
        assert taken <= allowed + 1e-6


def test_who_waited_waits_on_at_another_rate() -> None:
    bucket = Bucket(RATE, 0)
    assert bucket.take(0) and not bucket.take(9)
    bucket.change(0.0, 9)
    assert not bucket.take(1000)
    bucket.change(RATE, 1000)
    assert not bucket.take(1000)
    assert not bucket.take(1009) and bucket.take(1011)
