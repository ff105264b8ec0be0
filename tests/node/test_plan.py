"""Plans, by tables: facts and time in, actions out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.node.plan import Plan, Situation, Verdict, decide, restarts
from argosy.node.state import SHUTDOWN, Running, Seen, Terminated, Waiting, begun, ended
from tests.node.facts import DELETED, FRESH, T0, at, gone, situation, up

START, KILL = Plan(start=("main",)), Plan(kill=("main",))
DEADLINE = Verdict(
    "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
)
TERMINATED = Verdict("Terminated", "Pod was terminated because its node shut down.", True)


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        (situation(FRESH), START),
        (situation(FRESH, hold=at(2)), Plan(after=2)),
        (situation(FRESH, 3, hold=at(2)), START),
        (situation(up()), Plan()),
        (situation(gone(0), policy="Never"), Plan()),
        (situation(gone(1), policy="Never"), Plan()),
        (situation(gone(0), policy="OnFailure"), Plan()),
        (situation(gone(1, crashes=1), policy="OnFailure"), START),
        (situation(gone(0, crashes=1), policy="Always"), START),
        (situation(gone(0, crashes=2), 4, policy="Always"), Plan(after=6)),
        (situation(gone(0, crashes=2), 10, policy="Always"), START),
        (situation(gone(1, crashes=4), 0, policy="Always"), Plan(after=40)),
        (situation(gone(1, crashes=99), 0, policy="Always"), Plan(after=300)),
        (situation(gone(0, reason=SHUTDOWN, crashes=0), policy="OnFailure"), START),
        (
            situation(up(failing="no answer"), policy="Always"),
            Plan(terminate=("main",), after=30),
        ),
        (situation(up(failing="x", stopping=T0), 30, policy="Always"), KILL),
    ],
)
def test_living_pods(facts: Situation, plan: Plan) -> None:
    assert decide(facts) == plan


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        (situation(FRESH, meta=DELETED), Plan(leave=True)),
        (situation(up(), meta=DELETED), Plan(terminate=("main",), after=7)),
        (situation(up(stopping=T0), 3, meta=DELETED), Plan(after=4)),
        (situation(up(stopping=T0), 7, meta=DELETED), KILL),
        (situation(up(), meta={**DELETED, "deletionGracePeriodSeconds": 0}), KILL),
        (situation(gone(143), meta=DELETED, policy="Always"), Plan(leave=True)),
        (situation(up(), status={"phase": "Failed"}), Plan(terminate=("main",), after=30)),
        (situation(FRESH, status={"phase": "Failed"}), Plan()),
    ],
)
def test_pods_that_go(facts: Situation, plan: Plan) -> None:
    assert decide(facts) == plan


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        (situation(up(), 4, activeDeadlineSeconds=5), Plan(after=1)),
        (
            situation(up(), 5, activeDeadlineSeconds=5),
            Plan(terminate=("main",), after=30, verdict=DEADLINE),
        ),
        (
            situation(FRESH, 2, activeDeadlineSeconds=1),
            Plan(verdict=DEADLINE),
        ),
        (
            situation(
                up(), 2, activeDeadlineSeconds=5, status={"startTime": "2025-12-31T00:00:00Z"}
            ),
            Plan(terminate=("main",), after=30, verdict=DEADLINE),
        ),
        # What has ended by itself is not judged afterwards, nor looked at again and again.
        (situation(gone(0), 9, activeDeadlineSeconds=5), Plan()),
        (situation(gone(1), 9, verdict=DEADLINE, policy="Always"), Plan(verdict=DEADLINE)),
    ],
)
def test_deadlines(facts: Situation, plan: Plan) -> None:
    assert decide(facts) == plan


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        (situation(FRESH, shutdown=5.0), Plan(leave=True)),
        (
            situation(up(), shutdown=5.0),
            Plan(terminate=("main",), after=5, verdict=TERMINATED),
        ),
        (situation(up(), shutdown=5.0, policy="Always"), Plan(terminate=("main",), after=5)),
        (
            situation(up(), shutdown=5.0, meta={**DELETED, "deletionGracePeriodSeconds": 2}),
            Plan(terminate=("main",), after=2),
        ),
        (situation(gone(143), shutdown=5.0, policy="Always"), Plan(leave=True)),
    ],
)
def test_a_node_that_stops(facts: Situation, plan: Plan) -> None:
    assert decide(facts) == plan


def test_a_start_remembers_the_instance_before() -> None:
    crashed = gone(1, when=5, restarts=2, crashes=1)
    again = begun(crashed, Running(at(6), "j"), started=True, healthy=False)
    assert (again.restarts, again.last, again.crashes) == (3, crashed.state, 1)
    first = begun(
        Seen(name="main", state=Waiting("x", "y")), Running(T0, "i"), started=True, healthy=True
    )
    assert (first.restarts, first.last, first.ready) == (0, None, True)


def test_ten_calm_minutes_forgive_all_crashes() -> None:
    seen = up(crashes=6)
    short = ended(seen, Terminated(code=1, reason="Error", started=T0, finished=at(599)))
    calm = ended(seen, Terminated(code=1, reason="Error", started=T0, finished=at(600)))
    assert (short.delay, calm.delay) == (300.0, 0.0)


@given(
    policy=st.sampled_from(["Always", "OnFailure", "Never"]),
    code=st.integers(0, 255),
    crashes=st.integers(0, 50),
    now=st.floats(0, 10_000),
    shutdown=st.none() | st.floats(0, 5),
    deleted=st.booleans(),
)
def test_never_starts_what_shall_not_run(
    policy: str, code: int, crashes: int, now: float, shutdown: float | None, deleted: bool
) -> None:
    facts = situation(
        gone(code, crashes=crashes),
        now,
        policy=policy,
        shutdown=shutdown,
        meta=DELETED if deleted else {},
    )
    plan = decide(facts)
    state = facts.containers[0].state
    assert isinstance(state, Terminated)
    if plan.start:
        assert restarts(policy, state) and shutdown is None and not deleted
        assert now >= facts.containers[0].delay
    assert plan.after is None or plan.after > 0  # never a busy loop
