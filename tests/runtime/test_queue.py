"""The work queue: at most once, one worker a key, the earliest time wins, growing delays."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.runtime.queue import FIRST_DELAY, LONGEST_DELAY, WorkQueue
from argosy.testing.clock import FakeClock, settle


@asynccontextmanager
async def running() -> AsyncGenerator[tuple[WorkQueue[str], FakeClock], None]:
    """A queue whose delayed keys are moved."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    task = asyncio.create_task(queue.run())
    try:
        yield queue, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def drained(queue: WorkQueue[str]) -> list[str]:
    """All keys that are ready, each worked off at once."""
    found: list[str] = []
    while True:
        get = asyncio.create_task(queue.get())
        await settle()
        if not get.done():
            get.cancel()
            return found
        found.append(get.result())
        queue.done(get.result())


async def test_a_key_waits_once_and_order_is_kept() -> None:
    async with running() as (queue, _):
        for key in ("a", "b", "a", "c", "b"):
            queue.add(key)
        assert await drained(queue) == ["a", "b", "c"]


async def test_a_busy_key_is_given_to_nobody_else_and_comes_again_once() -> None:
    async with running() as (queue, _):
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        second = asyncio.create_task(queue.get())
        await settle()
        assert not second.done()
        queue.done("a")
        assert await second == "a"
        queue.done("a")
        assert await drained(queue) == []


async def test_a_busy_key_that_nobody_added_does_not_come_again() -> None:
    async with running() as (queue, _):
        queue.add("a")
        queue.done(await queue.get())
        assert await drained(queue) == []


async def test_each_of_many_waiting_workers_gets_a_key() -> None:
    async with running() as (queue, _):
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await settle()
        for key in ("a", "b", "c"):
            queue.add(key)
        assert sorted(await asyncio.gather(*workers)) == ["a", "b", "c"]


async def test_a_delayed_key_comes_at_its_time() -> None:
    async with running() as (queue, clock):
        queue.add_after("a", 5)
        await clock.advance(4.9)
        assert await drained(queue) == []
        await clock.advance(0.1)
        assert await drained(queue) == ["a"]
        await clock.advance(60)
        assert await drained(queue) == []


@pytest.mark.parametrize("delays", [(5, 2), (2, 5), (2, 2)])
async def test_the_earliest_delay_wins_and_counts_once(delays: tuple[float, ...]) -> None:
    async with running() as (queue, clock):
        for delay in delays:
            queue.add_after("a", delay)
            await settle()
        await clock.advance(2)
        assert await drained(queue) == ["a"]
        await clock.advance(10)
        assert await drained(queue) == []


async def test_work_now_takes_the_place_of_work_later() -> None:
    async with running() as (queue, clock):
        queue.add_after("a", 5)
        queue.add("a")
        assert await drained(queue) == ["a"]
        await clock.advance(10)
        assert await drained(queue) == []


async def test_a_sooner_key_wakes_the_queue_that_sleeps_for_a_later_one() -> None:
    async with running() as (queue, clock):
        queue.add_after("late", 50)
        await clock.advance(1)
        queue.add_after("soon", 1)
        await clock.advance(1)
        assert await drained(queue) == ["soon"]
        await clock.advance(48)
        assert await drained(queue) == ["late"]


async def test_a_delay_that_ends_while_the_key_is_busy_is_not_lost() -> None:
    async with running() as (queue, clock):
        queue.add("a")
        await queue.get()
        queue.add_after("a", 1)
        await clock.advance(2)
        queue.done("a")
        assert await drained(queue) == ["a"]


async def test_delays_of_failures_double_up_to_a_limit_and_begin_anew_after_success() -> None:
    async with running() as (queue, _):
        delays = [queue.retry("a") for _ in range(40)]
        assert delays[:4] == [FIRST_DELAY * 2**i for i in range(4)]
        assert all(later >= sooner for sooner, later in zip(delays, delays[1:], strict=False))
        assert delays[-1] == LONGEST_DELAY
        assert queue.retry("b") == FIRST_DELAY
        queue.forget("a")
        assert queue.retry("a") == FIRST_DELAY


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "later", "get", "done", "advance"]),
        st.sampled_from("abc"),
        st.integers(1, 4),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=40)
def test_no_work_is_lost_and_no_key_is_with_two_workers(steps: list[tuple[str, str, int]]) -> None:
    async def play() -> None:
        async with running() as (queue, clock):
            busy: list[str] = []
            owed: set[str] = set()
            for step, key, amount in steps:
                if step == "add":
                    queue.add(key)
                    owed.add(key)
                elif step == "later":
                    queue.add_after(key, amount)
                    owed.add(key)
                elif step == "advance":
                    await clock.advance(amount)
                elif step == "done" and busy:
                    queue.done(busy.pop(0))
                elif step == "get":
                    get = asyncio.create_task(queue.get())
                    await settle(8)
                    if get.done():
                        assert get.result() not in busy
                        busy.append(get.result())
                        owed.discard(get.result())
                    get.cancel()
            for key in busy:
                queue.done(key)
            await clock.advance(5)
            assert owed <= set(await drained(queue))

    asyncio.run(play())
