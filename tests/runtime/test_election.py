"""Leader election: one leads, another follows, and never do two write."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Event
from argosy.api.resources.control import LEASE
from argosy.http.message import Request, Response
from argosy.runtime.election import Election, Terms
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.runtime.electionkit import Candidate, Server, Time, candidate
from tests.runtime.kit import faulty


@asynccontextmanager
async def standing(count: int, **of: Any) -> AsyncGenerator[tuple[Time, Server, list[Candidate]]]:
    """So many candidates, of which the first leads."""
    time, server = Time(), Server()
    them = [candidate(name, time, server, **of) for name in "abc"[:count]]
    try:
        for one in them:
            one.start()
            await time.advance(0.1)
        yield time, server, them
    finally:
        for one in them:
            one.machine.wake()
            await one.stop()
        await time.advance(60)
        await asyncio.gather(*(one.task for one in them if one.task), return_exceptions=True)
        for one in them:
            await one.machine.end()


def held(server: Server) -> dict[str, Any]:
    assert server.lease is not None
    spec: dict[str, Any] = server.lease["spec"]
    return spec


async def test_the_first_leads_and_the_others_wait() -> None:
    async with standing(3) as (time, server, them):
        await time.advance(60)
        assert [one.terms for one in them] == [1, 0, 0]
        assert {who for who, _ in server.writes} == {"a"}
        assert them[0].election.leading and them[1].election.leader == "a"
        assert held(server)["leaseTransitions"] == 0
        assert held(server)["leaseDurationSeconds"] == 15
        assert held(server)["acquireTime"] < held(server)["renewTime"]
        assert server.events == ["a became leader"]


async def test_a_leader_that_ends_lets_the_next_begin_at_once() -> None:
    async with standing(2) as (time, server, them):
        await time.advance(5)
        await them[0].stop()
        await time.advance(0.01)
        spec = held(server)
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("", 1)
        await time.advance(5)
        assert them[1].terms == 1 and server.holder == "b"
        assert held(server)["leaseTransitions"] == 1
        assert server.events == ["a became leader", "a stopped leading", "b became leader"]


async def test_a_leader_whose_last_write_is_unknown_leaves_the_lease_to_run_out() -> None:
    async with standing(2, slowest=0.4) as (time, server, them):
        await time.advance(5)
        count = len(server.writes)
        while len(server.writes) == count:
            await time.advance(0.01)  # it has arrived, and the answer is under way
        await them[0].stop()
        await time.advance(1)
        assert server.holder == "a"
        await time.advance(25)
        assert server.holder == "b"


@pytest.mark.parametrize(
    "trouble",
    [
        lambda machine: machine.stop(),
        lambda machine: machine.nap(),
        lambda machine: setattr(machine, "cut", True),
    ],
    ids=["stopped", "asleep", "cut off"],
)
async def test_a_leader_that_is_silent_is_followed_and_never_writes_again(
    trouble: Callable[[Any], None],
) -> None:
    async with standing(2) as (time, server, them):
        await time.advance(5)
        trouble(them[0].machine)
        await time.advance(12)
        assert them[1].terms == 0  # its lease lasts yet
        await time.advance(10)
        assert server.holder == "b"
        them[0].machine.cut = False
        them[0].machine.wake()
        await time.advance(30)
        assert [who for who, _ in server.writes].index("b") > 3
        assert all(who == holder for who, holder in server.writes)
        assert server.holder == "b" and not them[0].election.leading


async def test_work_ends_before_the_lease_can_be_taken() -> None:
    async with standing(2) as (time, server, them):
        await time.advance(5)
        them[0].machine.cut = True
        await time.advance(10.2)
        assert not them[0].election.leading and server.holder == "a"
        count = len(server.writes)
        them[0].machine.cut = False
        await time.advance(1)
        assert count == len(server.writes) or them[0].terms == 2


async def test_a_leader_survives_short_troubles() -> None:
    async with standing(2) as (time, server, them):
        for _ in range(5):
            them[0].machine.cut = True
            await time.advance(5)
            them[0].machine.cut = False
            await time.advance(5)
        assert [one.terms for one in them] == [1, 0]


async def test_a_lease_that_was_deleted_or_taken_is_lost_at_once() -> None:
    async with standing(1) as (time, server, them):
        server.lease = None
        await time.advance(2.1)
        assert them[0].terms == 2  # nobody else is there: it began anew
        await time.advance(10)
        server.revision += 1
        meta = {"name": "lock", "resourceVersion": str(server.revision)}
        spec = {**held(server), "holderIdentity": "other", "leaseTransitions": 9}
        server.lease = {"metadata": meta, "spec": spec}
        count = len(server.writes)
        await time.advance(2.5)
        assert not them[0].election.leading
        await time.advance(20)
        assert held(server)["holderIdentity"] == "a"  # the other one is never seen to renew
        assert held(server)["leaseTransitions"] == 10
        assert {holder for _, holder in server.writes[count + 3 :]} == {"a"}


async def test_the_age_of_a_record_counts_from_when_it_was_seen() -> None:
    time, server = Time(), Server()
    spec = {"holderIdentity": "x", "leaseDurationSeconds": 15, "renewTime": "1999-01-01T00:00:00Z"}
    server.lease = {"metadata": {"name": "lock", "resourceVersion": "0"}, "spec": spec}
    one = candidate("a", time, server, chance=lambda: 0.0)
    one.start()
    await time.advance(14.9)
    assert server.holder == "x"
    await time.advance(2.2)
    assert server.holder == "a"
    await one.stop()
    await time.advance(1)
    await one.machine.end()


async def test_what_the_work_raises_comes_out_and_the_lease_is_released() -> None:
    time, server = Time(), Server()
    one = candidate("a", time, server)

    async def work() -> None:
        raise ValueError("broken")

    leading = asyncio.ensure_future(one.election.lead(work))
    await time.advance(5)
    with pytest.raises(ValueError, match="broken"):
        await leading
    assert server.holder == ""
    await one.machine.end()


@pytest.mark.parametrize(
    "terms, message",
    [
        ({"lease_duration": 10}, "leaseDuration must be greater than renewDeadline"),
        (
            {"renew_deadline": 2.4},
            r"renewDeadline must be greater than retryPeriod\*JitterFactor",
        ),
        ({"retry_period": 0}, "retryPeriod must be greater than zero"),
    ],
)
def test_terms_must_fit_each_other(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Terms(**terms)


async def test_a_real_server_takes_the_lease_and_the_events() -> None:
    async with cluster() as running:
        clock = FakeClock()
        election = Election(running.client, clock, name="lock", namespace="default", identity="me")
        done = asyncio.Event()

        async def work() -> None:
            done.set()
            await clock.sleep(1000)

        leading = asyncio.ensure_future(election.lead(work))
        async with asyncio.timeout(5):
            await done.wait()
        for _ in range(3):
            await clock.advance(2)
            await settle(300)
        assert election.leading
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        found = (await running.client.call("GET", LEASE.path("lock", "default"))).decode()
        assert '"holderIdentity":""' in found and '"leaseDurationSeconds":1' in found
        told = (await running.client.list(Event, "default")).items
        assert {item.message for item in told} == {"me became leader", "me stopped leading"}


async def test_who_resigns_has_told_so_when_that_is_done() -> None:
    async with cluster() as running:
        client, transport = faulty(running)

        async def slowly(request: Request) -> Response | None:
            await settle(100 * ("/events" in request.path))
            return None

        transport.fault = slowly
        clock = FakeClock()
        election = Election(client, clock, name="lock", namespace="default", identity="me")

        async def work() -> None:
            await clock.sleep(1)

        leading = asyncio.ensure_future(election.lead(work))
        while not leading.done():
            await settle(300)
            await clock.advance(1)
        told = (await running.client.list(Event, "default")).items
        assert {item.message for item in told} == {"me became leader", "me stopped leading"}


HAPPENINGS = ("stop", "nap", "wake", "cut", "mend", "forwards", "back", "end", "start")
Story = Sequence[tuple[float, int, str]]


async def happens(one: Candidate, what: str, chance: Random) -> None:
    """One thing that happens to one candidate."""
    machine = one.machine
    if what == "stop":
        machine.stop()
    elif what == "wake":
        machine.wake()
    elif what == "nap" and not machine.set_back:
        machine.nap()
    elif what in ("cut", "mend"):
        machine.cut = what == "cut"
    elif what == "forwards":
        machine.jump += chance.uniform(0, 100)
    elif what == "back" and not machine.napped:  # both together deceive a fence, as it says
        machine.jump -= chance.uniform(0, 100)
        machine.set_back = True
    elif what == "end":
        await one.stop()
    elif one.task is None or one.task.done():
        one.start()


@settings(max_examples=12)
@given(
    story=st.lists(
        st.tuples(st.floats(0.1, 12), st.integers(0, 2), st.sampled_from(HAPPENINGS)), max_size=12
    ),
    seed=st.integers(0, 2**16),
)
async def test_never_do_two_write(story: Story, seed: int) -> None:
    chance = Random(seed)
    async with standing(3, slowest=2.0) as (time, server, them):
        for one in them:
            one.machine.rate = chance.uniform(0.95, 1.05)
        for seconds, which, what in story:
            await happens(them[which], what, chance)
            await time.advance(seconds)
        for one in them:
            await happens(one, "mend", chance)
            await happens(one, "wake", chance)
        await time.advance(30)
        for one in them:
            await happens(one, "start", chance)
        await time.advance(30)
        assert server.writes and server.holder  # and the work goes on
    wrong = [(who, holder) for who, holder in server.writes if who != holder]
    assert wrong == []
