"""What levels have, and lend."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.flowcontrol.defaults import defaults
from argosy.apiserver.flowcontrol.levels import PERIOD_SECONDS, Levels
from argosy.apiserver.flowcontrol.objects import PriorityLevel
from argosy.apiserver.flowcontrol.queues import Ticket

DEFAULTS = {
    item["metadata"]["name"]: msgspec.convert(item, PriorityLevel)
    for kind, item in defaults()
    if kind == "PriorityLevelConfiguration"
}


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def limited(name: str, shares: int, **more: Any) -> PriorityLevel:
    spec = {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": shares,
            "limitResponse": {"type": "Queue", "queuing": {}},
            **more,
        },
    }
    return msgspec.convert({"metadata": {"name": name, "uid": "u"}, "spec": spec}, PriorityLevel)


def of(*levels: PriorityLevel, seats: int = 600) -> tuple[Levels, Time]:
    time = Time()
    found = Levels(seats, time)
    found.configure({level.metadata.name: level for level in levels})
    return found, time


@pytest.mark.parametrize(
    ("name", "nominal", "least", "widest"),
    [
        ("system", 74, 50, 10),
        ("node-high", 98, 74, 10),
        ("leader-election", 25, 25, 4),
        ("workload-high", 98, 49, 10),
        ("workload-low", 245, 25, 10),
        ("global-default", 49, 25, 8),
        ("catch-all", 13, 13, 10),
        ("exempt", 0, 0, 10),
    ],
)
def test_the_defaults_have_what_they_have_upstream(
    name: str, nominal: int, least: int, widest: int
) -> None:
    found, _ = of(*DEFAULTS.values())
    level = found.by_name[name]
    assert (level.nominal, level.least, level.widest) == (nominal, least, widest)


def test_what_is_not_used_is_lent_after_a_while_and_given_back() -> None:
    one = limited("one", 50, lendablePercent=50)
    two = limited("two", 50, lendablePercent=50)
    found, time = of(one, two, seats=100)
    queues = [level.queues for level in found.by_name.values()]
    assert [one.limit for one in queues] == [50, 50]
    held = [Ticket(1) for _ in range(60)]
    for ticket in held:
        queues[0].enter(ticket, "f", (0, 1))
    time.now = PERIOD_SECONDS - 0.1
    assert not found.adjust()
    time.now = PERIOD_SECONDS
    assert found.adjust()
    assert [one.limit for one in queues] == [71, 29]
    for ticket in held:
        queues[0].leave(ticket)
        queues[1].enter(ticket, "f", (0, 1))
    time.now = 2 * PERIOD_SECONDS
    found.adjust()
    assert [one.limit for one in queues] == [50, 50]


def test_nobody_lends_or_borrows_more_than_they_may() -> None:
    one = limited("one", 50, lendablePercent=20)
    two = limited("two", 50, borrowingLimitPercent=10)
    found, time = of(one, two, seats=100)
    queues = found.by_name["two"].queues
    for _ in range(50):
        queues.enter(Ticket(4), "f", (0,))
    time.now = PERIOD_SECONDS
    found.adjust()
    assert queues.limit <= 55
    assert found.by_name["one"].queues.limit >= 40


def test_a_level_that_is_deleted_stays_while_somebody_is_there() -> None:
    found, time = of(limited("a", 1), limited("b", 1))
    level = found.by_name["b"]
    ticket = Ticket(1)
    level.queues.enter(ticket, "f", (0,))
    found.configure({"a": limited("a", 1)})
    assert found.by_name["b"] is level
    assert level.queues.limit > 0
    assert level.queues.take() is ticket
    level.queues.finish(ticket)
    time.now = PERIOD_SECONDS
    found.adjust()
    assert list(found.by_name) == ["a"]


def test_one_that_comes_back_in_time_is_the_same() -> None:
    found, _ = of(limited("a", 1), limited("b", 1))
    level = found.by_name["b"]
    level.queues.enter(Ticket(1), "f", (0,))
    found.configure({"a": limited("a", 1)})
    found.configure({"a": limited("a", 1), "b": limited("b", 9)})
    assert found.by_name["b"] is level
    assert not level.leaving
    assert level.nominal == 540


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 100), st.none() | st.integers(0, 200)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.integers(0, 60), min_size=6, max_size=6),
)
def test_limits_are_within_their_bounds_and_sum_up(
    specs: list[tuple[int, int, int | None]], demands: list[int]
) -> None:
    levels = [
        limited(str(i), shares, lendablePercent=lends, borrowingLimitPercent=borrows)
        for i, (shares, lends, borrows) in enumerate(specs)
    ]
    found, time = of(*levels, seats=100)
    for level, demand in zip(found.by_name.values(), demands, strict=False):
        for _ in range(demand):
            level.queues.enter(Ticket(1), "f", (0,))
    time.now = PERIOD_SECONDS
    found.adjust()
    for level in found.by_name.values():
        assert level.least <= level.queues.limit <= max(level.most, level.least)
    total = sum(level.nominal for level in found.by_name.values())
    assert sum(level.queues.limit for level in found.by_name.values()) <= total + len(specs)
