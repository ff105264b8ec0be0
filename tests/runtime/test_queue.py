"""The work queue: at most once, one worker a key, the earliest time wins, growing delays."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.runtime.counts import QueueCounts
from argosy.runtime.queue import FIRST_DELAY, LONGEST_DELAY, LOW, Retries
from argosy.testing.clock import settle
from tests.runtime.queuekit import drained, first, running


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


async def test_delays_that_do_not_hold_any_more_are_not_kept() -> None:
    async with running() as (queue, _):
        queue.add_after("other", 50)
        for _ in range(2_000):
            queue.add_after("a", 3600)
            queue.add("a")
            queue.done(await queue.get())
        assert len(queue._delayed) < 200


async def test_retries_of_many_keys_keep_to_a_rate_beyond_a_burst() -> None:
    async with running(retries=Retries(first=0.5, rate=10, burst=3)) as (queue, clock):
        delays = [round(queue.retry(f"k{at}"), 3) for at in range(11)]
        assert delays[:8] == [0.5] * 8  # a key's own delay is longer yet
        assert delays[8:] == [0.6, 0.7, 0.8]
        await clock.advance(60)
        assert [queue.retry(f"l{at}") for at in range(3)] == [0.5] * 3


async def test_adding_is_not_held_up_by_the_rate() -> None:
    async with running(retries=Retries(rate=0.001, burst=1)) as (queue, _):
        queue.retry("a")
        assert queue.retry("b") > 900
        queue.add("b")
        assert await drained(queue) == ["b"]


async def test_one_waiting_worker_is_called_for_one_key() -> None:
    async with running() as (queue, _):
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await settle()
        queue.add("a")
        await settle()
        assert [worker.done() for worker in workers] == [True, False, False]
        for worker in workers[1:]:
            worker.cancel()


async def test_a_worker_that_was_called_and_cancelled_leaves_the_key_to_another() -> None:
    async with running() as (queue, _):
        workers = [asyncio.create_task(queue.get()) for _ in range(2)]
        await settle()
        queue.add("a")
        workers[0].cancel()
        await settle()
        assert workers[0].cancelled()
        assert workers[1].result() == "a"


async def test_a_closed_queue_hands_out_nothing() -> None:
    async with running() as (queue, _):
        waiting = asyncio.create_task(queue.get())
        await settle()
        queue.add("a")
        queue.close()
        assert await drained(queue) == []
        assert not waiting.done()
        waiting.cancel()


async def test_what_happens_is_counted() -> None:
    counts = QueueCounts()
    async with running(counts=counts) as (queue, clock):
        queue.add("a")
        queue.add("a")
        await clock.advance(2)
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        await clock.advance(3)
        assert queue.unfinished() == [3.0]
        queue.done("a")
        assert queue.unfinished() == []
        queue.add_after("b", 5)
        assert (counts.adds, counts.retries) == (2, 1)
        assert (sum(counts.waited.counts), counts.waited.total) == (1, 2.0)
        assert (sum(counts.worked.counts), counts.worked.total) == (1, 3.0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "low", "later", "get", "done", "advance"]),
        st.sampled_from(["a1", "a2", "b1"]),
        st.integers(1, 4),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=40)
def test_no_work_is_lost_and_no_key_is_with_two_workers(steps: list[tuple[str, str, int]]) -> None:
    async def play() -> None:
        async with running(first) as (queue, clock):
            busy: list[str] = []
            owed: set[str] = set()
            for step, key, amount in steps:
                if step in ("add", "low"):
                    queue.add(key, LOW if step == "low" else 0)
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
