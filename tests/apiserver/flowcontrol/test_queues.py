"""Seats and queues of a level, with a clock of their own."""

from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.flowcontrol.queues import (
    FULL,
    MOST_REMEMBERED,
    NO_SEATS,
    Queues,
    Ticket,
)

HAND = (0, 1)


@dataclass
class Level:
    """Queues, and who runs."""

    limit: int
    length: int | None = 50
    now: float = 0.0
    running: list[Ticket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues = Queues(lambda: self.now)
        self.queues.limit, self.queues.length = self.limit, self.length

    def enter(
        self, flow: str, seats: int = 1, hand: tuple[int, ...] = HAND, *, writes: bool = False
    ) -> Ticket:
        ticket = Ticket(seats, writes=writes)
        assert self.queues.enter(ticket, flow, hand) == ""
        return ticket

    def take(self, writers: float = inf) -> Ticket | None:
        ticket = self.queues.take(writers)
        if ticket is not None:
            self.running.append(ticket)
        return ticket

    def finish(self, ticket: Ticket) -> None:
        self.running.remove(ticket)
        self.queues.finish(ticket)


def test_no_more_run_than_there_are_seats() -> None:
    level = Level(limit=2)
    tickets = [level.enter("a") for _ in range(3)]
    assert [level.take(), level.take(), level.take()] == [tickets[0], tickets[1], None]
    level.finish(tickets[0])
    assert level.take() is tickets[2]


def test_a_wide_request_waits_until_it_fits_and_nobody_slips_past_it() -> None:
    level = Level(limit=3)
    first, wide, narrow = level.enter("a"), level.enter("b", 3), level.enter("c")
    assert level.take() is first
    assert level.take() is None
    level.finish(first)
    assert level.take() is wide
    assert level.take() is None
    level.finish(wide)
    assert level.take() is narrow


def test_one_that_is_wider_than_the_level_runs_alone() -> None:
    level = Level(limit=2)
    first, wide = level.enter("a"), level.enter("b", 5)
    assert level.take() is first
    assert level.take() is None
    level.finish(first)
    assert level.take() is wide
    assert level.take() is None


def test_who_comes_to_a_full_queue_is_refused_only_where_no_seat_is_free() -> None:
    level = Level(limit=1, length=2)
    for _ in range(5):  # a seat, and two queues of two
        level.enter("a")
        level.take()
    assert level.queues.enter(Ticket(1), "a", HAND) == FULL
    assert level.queues.enter(Ticket(1), "b", (2, 3)) == ""


def test_without_queues_nobody_waits_for_a_seat() -> None:
    level = Level(limit=2, length=None)
    level.enter("a", 1, (0,))
    level.enter("b", 1, (0,))
    assert level.queues.enter(Ticket(1), "c", (0,)) == NO_SEATS
    assert level.take() is not None


def test_a_level_without_seats_that_has_no_queues_runs_one_after_the_other() -> None:
    level = Level(limit=0, length=None)
    ticket = level.enter("a", 1, (0,))
    assert level.take() is ticket
    assert level.queues.enter(Ticket(1), "b", (0,)) == NO_SEATS


def test_nobody_waits_where_all_are_exempt() -> None:
    level = Level(limit=0, length=None)
    level.queues.boundless = True
    tickets = [level.enter("a", 10, (0,)) for _ in range(100)]
    assert [level.take() for _ in tickets] == tickets


def test_who_leaves_makes_room_for_those_behind() -> None:
    level = Level(limit=1)
    first, gone, last = level.enter("a"), level.enter("a", 1, (0,)), level.enter("a", 1, (0,))
    assert level.take() is first
    level.queues.leave(gone)
    level.finish(first)
    assert level.take() is last
    level.finish(last)
    assert level.queues.idle


def test_seats_that_linger_are_taken_until_they_are_released() -> None:
    level = Level(limit=2)
    ticket = Ticket(1, 2, 0.5)
    assert level.queues.enter(ticket, "a", HAND) == ""
    assert level.take() is ticket
    other = level.enter("b")
    level.finish(ticket)
    assert level.take() is None
    level.queues.release(ticket)
    assert level.take() is other


def test_who_comes_anew_is_before_a_flood() -> None:
    level = Level(limit=1)
    for number in range(60):
        level.enter("flood", 1, (number % 6,))
    for _ in range(10):
        ticket = level.take()
        assert ticket is not None
        level.now += 0.002
        level.finish(ticket)
    quiet = level.enter("quiet", 1, (7, 8))
    assert level.take() is quiet


def flood(level: Level, flow: str, queue: int) -> None:
    """Let five wait."""
    known = level.queues._flows.get(flow)
    for _ in range(5 - (len(known.waiting) if known is not None else 0)):
        level.enter(flow, 1, (queue,))


def run(level: Level) -> str:
    """Let the next one run. Returns whose it is."""
    ticket = level.take()
    assert ticket is not None
    assert ticket.place is not None
    level.now += 0.002
    level.finish(ticket)
    return ticket.place[1].name


def test_who_was_content_with_little_is_not_paid_back_for_it() -> None:
    level = Level(limit=1)
    for step in range(500):
        flood(level, "greedy", 1)
        if step % 10 == 0:
            level.enter("modest", 1, (0,))
        run(level)
    served = []
    for _ in range(100):
        flood(level, "greedy", 1)
        flood(level, "modest", 0)
        served.append(run(level))
    assert abs(served.count("modest") - served.count("greedy")) <= 3


def test_one_after_the_other_without_a_pause_is_a_flood_too() -> None:
    level = Level(limit=1)
    served = []
    for _ in range(40):
        flood(level, "greedy", 1)
        if "hasty" not in level.queues._flows:
            level.enter("hasty", 1, (0,))
        served.append(run(level))
    assert abs(served.count("hasty") - served.count("greedy")) <= 3


def test_what_is_remembered_of_flows_is_bounded() -> None:
    level = Level(limit=1)
    for number in range(MOST_REMEMBERED + 5):
        level.enter(f"flow-{number}", 1, (0,))
        ticket = level.take()
        assert ticket is not None
        level.finish(ticket)
    assert len(level.queues._left) == MOST_REMEMBERED


FLOWS = st.sampled_from("abcd")


def test_who_has_writes_enough_at_work_is_passed_over() -> None:
    level = Level(limit=10)
    loud = [level.enter("loud", writes=True) for _ in range(4)]
    assert [level.take(2), level.take(2), level.take(2)] == [loud[0], loud[1], None]
    quiet = level.enter("quiet", writes=True)
    assert level.take(2) is quiet
    level.finish(loud[0])
    assert [level.take(2), level.take(2)] == [loud[2], None]
    assert level.take() is loud[3]  # nobody else is there now


def test_reads_are_not_bounded_with_writes() -> None:
    level = Level(limit=10)
    write, read, other = level.enter("a", writes=True), level.enter("a"), level.enter("a")
    assert [level.take(1), level.take(1), level.take(1)] == [write, read, other]


def test_who_waits_for_another_server_is_not_at_work() -> None:
    level = Level(limit=10)
    first, second, third = (level.enter("a", writes=True) for _ in range(3))
    assert [level.take(1), level.take(1)] == [first, None]
    level.queues.asleep(first, asleep=True)
    assert [level.take(1), level.take(1)] == [second, None]
    level.queues.asleep(first, asleep=False)
    level.finish(second)
    assert level.take(1) is None
    level.finish(first)
    assert level.take(1) is third


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), FLOWS, st.integers(1, 6)),
        st.tuples(st.just("take"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("finish"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("leave"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("time"), st.just(""), st.integers(1, 20)),
    ),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1, 8))
def test_seats_are_conserved(steps: list[tuple[str, str, int]], limit: int) -> None:
    level = Level(limit, length=3)
    waiting: list[Ticket] = []
    for what, flow, number in steps:
        if what == "enter":
            ticket = Ticket(number, number + 1 if number == 3 else 0, writes=number % 2 == 0)
            if not level.queues.enter(ticket, flow, (ord(flow) % 4, 1)):
                waiting.append(ticket)
        elif what == "take" and (taken := level.take(number)) is not None:
            waiting.remove(taken)
        elif what == "finish" and level.running:
            level.finish(level.running[number % len(level.running)])
        elif what == "leave" and waiting:
            level.queues.leave(waiting.pop(number % len(waiting)))
        elif what == "time":
            level.now += number / 1000
        _check(level, waiting)
    while waiting or level.running:  # however it went: all come to their end
        if (taken := level.take()) is not None:
            waiting.remove(taken)
        else:
            level.finish(level.running[0])
        _check(level, waiting)
    assert level.queues.idle
    assert not level.queues._flows
    assert not level.queues._queues


def _check(level: Level, waiting: list[Ticket]) -> None:
    queues = level.queues
    assert queues.seats == sum(ticket.most for ticket in level.running)
    assert queues.executing == len(level.running)
    assert queues.waiting == len(waiting)
    assert queues.waiting_seats == sum(ticket.most for ticket in waiting)
    assert queues.seats <= queues.limit or len(level.running) == 1
    writing = sum(flow.writing for flow in queues._flows.values())
    assert writing == sum(ticket.writes for ticket in level.running)
    assert list(queues._wanting) == [
        name for name in queues._wanting if queues._flows[name].waiting
    ]
    assert sum(len(flow.waiting) for flow in queues._wanting.values()) == len(waiting)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), min_size=2, max_size=5),
    st.integers(4, 8),
)
def test_flows_that_always_wait_are_served_alike(kinds: list[tuple[int, int]], limit: int) -> None:
    """By seat-seconds, whatever the width and length of their requests, and their number."""
    level = Level(limit)
    ends: list[tuple[float, Ticket]] = []
    served = dict.fromkeys(range(len(kinds)), 0.0)

    def refill() -> None:
        for flow, (seats, _) in enumerate(kinds):
            waiting = level.queues._flows.get(str(flow))
            for _ in range(3 - (len(waiting.waiting) if waiting is not None else 0)):
                level.enter(str(flow), seats, (flow,))

    refill()
    while level.now < 0.5:
        while (ticket := level.take()) is not None:
            assert ticket.place is not None
            flow = int(ticket.place[1].name)
            length = kinds[flow][1] / 1000
            served[flow] += ticket.seats * length
            ends.append((level.now + length, ticket))
            refill()
        ends.sort(key=lambda end: end[0])
        level.now, ticket = ends.pop(0)
        level.finish(ticket)
        refill()
    fair = sum(served.values()) / len(kinds)
    for amount in served.values():
        assert amount == pytest.approx(fair, abs=0.1 * fair + 0.1)
