"""Who comes first in the work queue: by priority, in turns of groups, in order."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.runtime.queue import FIRST_DELAY, LOW, WorkQueue
from argosy.testing.clock import FakeClock
from tests.runtime.queuekit import drained, first, running


async def test_a_higher_priority_comes_first_and_order_is_kept_in_each() -> None:
    async with running() as (queue, _):
        for key, priority in (("a", LOW), ("b", 0), ("c", 7), ("d", LOW), ("e", 0), ("f", 7)):
            queue.add(key, priority)
        assert queue.depth() == {LOW: 2, 0: 2, 7: 2}
        assert await drained(queue) == ["c", "f", "b", "e", "a", "d"]
        assert queue.depth() == {}


async def test_a_key_that_waits_is_promoted_behind_its_new_equals_and_never_put_back() -> None:
    async with running() as (queue, _):
        queue.add("a", LOW)
        queue.add("b", LOW)
        queue.add("c")
        queue.add("b")
        queue.add("c", LOW)
        assert queue.depth() == {LOW: 1, 0: 2}
        assert await drained(queue) == ["c", "b", "a"]


async def test_a_busy_key_comes_again_with_the_highest_priority_of_those_asked_for() -> None:
    async with running() as (queue, _):
        queue.add("a", LOW)
        assert await queue.get() == "a"
        for priority in (LOW, 5, 0):
            queue.add("a", priority)
        queue.add("b")
        queue.done("a")
        assert await drained(queue) == ["a", "b"]


async def test_a_delayed_key_keeps_the_priority_with_which_it_was_worked_on() -> None:
    async with running() as (queue, clock):
        queue.add("a", LOW)
        await queue.get()
        queue.retry("a")
        queue.done("a")
        await clock.advance(FIRST_DELAY)
        assert queue.depth() == {LOW: 1}
        await drained(queue)
        queue.add_after("b", 1, LOW)
        queue.add_after("b", 2, 3)
        await clock.advance(1)
        assert queue.depth() == {3: 1}
        await drained(queue)
        queue.add_after("c", 1, 4)
        queue.add("c", LOW)
        assert queue.depth() == {4: 1}


async def test_groups_take_turns_whatever_they_have() -> None:
    async with running(first) as (queue, _):
        for at in range(10_000):
            queue.add(f"a{at}")
        for key in ("b0", "c0", "b1"):
            queue.add(key)
        found = [await queue.get() for _ in range(6)]
        assert found == ["a0", "b0", "c0", "a1", "b1", "a2"]


async def test_groups_take_turns_among_equals_only() -> None:
    async with running(first) as (queue, _):
        for key in ("a0", "a1", "b0"):
            queue.add(key, LOW)
        for key in ("a2", "a3"):
            queue.add(key)
        assert await drained(queue) == ["a2", "a3", "a0", "b0", "a1"]


async def test_what_was_overtaken_is_not_kept() -> None:
    async with running(first) as (queue, _):
        queue.add("high", 1)
        assert await queue.get() == "high"
        for at in range(2_000):
            queue.add(f"k{at % 5}", LOW)
            queue.add(f"k{at % 5}")
            queue.done(await queue.get())
        kept = sum(len(lane) for level in queue._levels.values() for lane in level.lanes.values())
        assert kept < 200


async def test_a_key_that_was_overtaken_and_is_low_again_comes_once_more() -> None:
    async with running() as (queue, _):
        queue.add("a", LOW)
        queue.add("a")
        queue.add("b")
        queue.done(await queue.get())
        queue.add("a", LOW)
        assert await drained(queue) == ["b", "a"]


async def test_tidying_keeps_order_turns_and_priorities() -> None:
    async with running(first) as (queue, _):
        keys = [f"{group}{at}" for at in range(100) for group in "ab"]
        for key in keys:
            queue.add(key, LOW)
        for key in keys:
            queue.add(key)
        queue.add("a100", LOW)
        assert await drained(queue) == [*keys, "a100"]


ADDS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["a1", "a2", "a3", "b1", "b2", "c1"]), st.sampled_from([0, LOW, 9])
        ),
        st.none(),  # take one
    ),
    max_size=60,
)


@given(ADDS)
@settings(max_examples=60)
def test_the_highest_comes_first_and_the_oldest_of_its_group(
    adds: list[tuple[str, int] | None],
) -> None:
    async def play() -> None:
        queue: WorkQueue[str] = WorkQueue(FakeClock(), group=first)
        waiting: dict[str, tuple[int, int]] = {}  # priority and since which step
        for step, add in enumerate(adds):
            if add is not None:
                key, priority = add
                queue.add(key, priority)
                if key not in waiting or waiting[key][0] < priority:
                    waiting[key] = (priority, step)
            elif waiting:
                taken = await queue.get()
                queue.done(taken)
                priority, since = waiting.pop(taken)
                assert all(other <= priority for other, _ in waiting.values())
                older = [
                    key for key, (at, age) in waiting.items() if at == priority and age < since
                ]
                assert not [key for key in older if first(key) == first(taken)]
            assert sum(queue.depth().values()) == len(waiting)

    asyncio.run(play())


async def test_of_many_groups_none_is_served_twice_before_another_once() -> None:
    async with running(first) as (queue, _):
        for at in range(50):
            for group in "abcdefgh"[: 1 + at % 8]:
                queue.add(f"{group}{at}")
        found = [(await queue.get())[0] for _ in range(48)]
        for turn in range(0, 48, 8):
            assert sorted(found[turn : turn + 8]) == list("abcdefgh")
