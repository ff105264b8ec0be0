"""Whose turn it is."""

from collections import deque
from collections.abc import Callable
from math import inf

import msgspec

from argosy.apiserver.flowcontrol.levels import Level, Levels
from argosy.apiserver.flowcontrol.objects import PriorityLevel
from argosy.apiserver.flowcontrol.queues import Ticket
from argosy.apiserver.flowcontrol.turns import MEETING, Turns


class Loop:
    """Rounds in which what is due is called."""

    def __init__(self) -> None:
        self._due: deque[Callable[[], object]] = deque()
        self.writers = inf
        self.turns = Turns(self._due.append, lambda: self.writers)
        self.given: list[str] = []

    def enter(self, level: Level, name: str) -> Ticket:
        ticket = Ticket(1, granted=lambda: self.given.append(name))
        assert level.queues.enter(ticket, name, (ord(name[0]) % 8,)) == ""
        self.turns.ask(level, name)
        return ticket

    def round(self) -> None:
        for _ in range(len(self._due)):
            self._due.popleft()()


def levels(**shares: int) -> dict[str, Level]:
    found = Levels(100, lambda: 0.0)
    found.configure(
        {
            name: msgspec.convert(
                {
                    "metadata": {"name": name},
                    "spec": {
                        "type": "Limited",
                        "limited": {
                            "nominalConcurrencyShares": count,
                            "limitResponse": {"type": "Queue", "queuing": {"handSize": 1}},
                        },
                    },
                },
                PriorityLevel,
            )
            for name, count in shares.items()
        }
    )
    return found.by_name


def test_where_flows_meet_there_are_more_rounds_between_two_turns() -> None:
    loop, [level] = Loop(), levels(a=1).values()
    loop.writers = 2
    for name in "xyz":
        loop.enter(level, name)
    for _ in range(MEETING):
        loop.round()
        assert loop.given == ["x"]
    loop.round()
    assert loop.given == ["x", "y"]


def test_who_comes_beside_a_flood_has_the_next_turn() -> None:
    loop, [level] = Loop(), levels(a=1).values()
    loop.writers = 2
    for _ in range(4):
        loop.enter(level, "flood")
    for _ in range(MEETING + 1):
        loop.round()
    assert loop.given == ["flood"] * 2
    loop.enter(level, "quiet")
    for _ in range(2):
        loop.round()
    assert loop.given == ["flood"] * 2 + ["quiet"]
    loop.enter(level, "flood")  # it has waited for its own turns, and does so again
    for _ in range(MEETING):
        loop.round()
        assert loop.given[-1] == "quiet"
    loop.round()
    assert loop.given[-1] == "flood"


def test_the_first_begins_at_once_and_one_in_every_other_round() -> None:
    loop, [level] = Loop(), levels(a=1).values()
    for name in "xyz":
        loop.enter(level, name)
    assert loop.given == ["x"]
    loop.round()
    assert loop.given == ["x"]
    loop.round()
    assert loop.given == ["x", "y"]


def test_who_comes_while_one_runs_may_be_next() -> None:
    loop, [level] = Loop(), levels(a=1).values()
    for _ in range(10):
        loop.enter(level, "flood")
    loop.round()
    loop.enter(level, "quiet")
    loop.round()
    assert loop.given == ["flood", "quiet"]


def test_levels_have_turns_by_their_seats() -> None:
    loop, found = Loop(), levels(small=1, large=3)
    for _ in range(20):
        loop.enter(found["small"], "small")
        loop.enter(found["large"], "large")
    for _ in range(24):
        loop.round()
    assert abs(loop.given[:12].count("large") - 9) <= 1


def test_a_level_without_seats_does_not_hold_others_up() -> None:
    loop, found = Loop(), levels(none=0, some=1)
    loop.enter(found["none"], "none")
    loop.enter(found["some"], "some")
    assert loop.given == ["some"]
    found["none"].queues.limit = 1
    loop.turns.ask(found["none"])
    for _ in range(2):
        loop.round()
    assert loop.given == ["some", "none"]
