"""The queue's order, rests and wakes, on a clock that only the test moves."""

import asyncio

import pytest

from argosy.scheduler.queue import LONGEST_PARKED, QUIET, SchedulingQueue
from argosy.testing.clock import FakeClock

Queue = SchedulingQueue[str]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> Queue:
    return SchedulingQueue(clock)


async def ready(queue: Queue) -> list[str]:
    """All keys that are given out without time passing."""
    found: list[str] = []
    while True:
        get = asyncio.ensure_future(queue.get())
        for _ in range(5):
            await asyncio.sleep(0)
        if not get.done():
            get.cancel()
            await asyncio.gather(get, return_exceptions=True)
            return found
        found.append(get.result())


async def test_priority_then_first_come(queue: Queue) -> None:
    for key, priority in (("low", 0), ("high", 5), ("late", 0), ("higher", 9)):
        queue.add(key, priority)
    queue.add("late", 7)
    assert await ready(queue) == ["higher", "late", "high", "low"]


async def test_what_is_put_off_has_its_turn_when_nothing_came_for_a_while(
    queue: Queue, clock: FakeClock
) -> None:
    for _ in range(3):
        queue.put_off("a")
        await clock.advance(QUIET - 1)
        assert await ready(queue) == []
    for give_back in (queue.finish, queue.park, queue.retry):
        await clock.advance(2)
        assert await ready(queue) == ["a"]
        queue.put_off("a")  # while a worker has it
        give_back("a")
        await clock.advance(QUIET - 1)
        assert await ready(queue) == []
    queue.add("a", 2)  # now it is whole
    queue.put_off("a", 3)
    assert await ready(queue) == ["a"]
    queue.finish("a")
    assert len(queue) == 0


async def test_a_key_is_given_out_once_until_it_is_given_back(queue: Queue) -> None:
    queue.add("a")
    assert await ready(queue) == ["a"]
    queue.add("a")
    assert await ready(queue) == []
    queue.finish("a")
    assert await ready(queue) == ["a"]
    queue.finish("a")
    assert len(queue) == 0


async def test_a_parked_key_waits_for_a_wake_and_for_its_rest(
    queue: Queue, clock: FakeClock
) -> None:
    queue.add("a")
    await ready(queue)
    queue.park("a")
    await clock.advance(20)
    assert await ready(queue) == []
    queue.wake()
    assert await ready(queue) == ["a"]
    queue.park("a")
    for _ in range(100):
        queue.wake()
    await clock.advance(1.9)
    assert await ready(queue) == []
    await clock.advance(0.2)
    assert await ready(queue) == ["a"]


async def test_rests_double_up_to_ten_seconds(queue: Queue, clock: FakeClock) -> None:
    queue.add("a")
    for rest in (1, 2, 4, 8, 10, 10):
        assert await ready(queue) == ["a"]
        queue.retry("a")
        await clock.advance(rest - 0.1)
        assert await ready(queue) == []
        await clock.advance(0.1)


async def test_a_wake_during_the_decision_is_not_lost(queue: Queue, clock: FakeClock) -> None:
    queue.add("a")
    await ready(queue)
    queue.wake()
    queue.park("a")
    await clock.advance(1)
    assert await ready(queue) == ["a"]


async def test_a_pod_that_lands_wakes_those_that_heed_others(
    queue: Queue, clock: FakeClock
) -> None:
    for key in ("alone", "among"):
        queue.add(key)
    await ready(queue)
    queue.park("alone")
    queue.park("among", heeding=True)
    queue.stir()
    await clock.advance(1)
    assert await ready(queue) == ["among"]
    queue.stir()
    queue.park("among", heeding=True)
    await clock.advance(2)
    assert await ready(queue) == ["among"]
    queue.park("among", heeding=True)
    queue.wake()
    queue.stir()
    await clock.advance(4)
    assert await ready(queue) == ["alone", "among"]
    queue.park("alone")
    queue.park("among", heeding=True)
    queue.drop("among")
    queue.stir()
    await clock.advance(8)
    assert await ready(queue) == []


async def test_a_change_during_the_decision_needs_no_rest(queue: Queue) -> None:
    queue.add("a")
    await ready(queue)
    queue.add("a")
    queue.park("a")
    assert await ready(queue) == ["a"]


async def test_nothing_is_parked_for_ever(queue: Queue, clock: FakeClock) -> None:
    queue.add("a")
    await ready(queue)
    queue.park("a")
    await clock.advance(LONGEST_PARKED)
    assert await ready(queue) == ["a"]


async def test_who_is_parked_for_a_while_comes_after_it_but_not_before_its_rest(
    queue: Queue, clock: FakeClock
) -> None:
    queue.add("a")
    await ready(queue)
    queue.park("a", within=60)
    await clock.advance(59)
    assert await ready(queue) == []
    await clock.advance(1)
    assert await ready(queue) == ["a"]
    queue.park("a", within=0)
    await clock.advance(1.9)
    assert await ready(queue) == []
    await clock.advance(0.1)
    assert await ready(queue) == ["a"]
    queue.park("a", within=float("inf"))
    await clock.advance(LONGEST_PARKED)
    assert await ready(queue) == ["a"]


async def test_a_dropped_key_does_not_come(queue: Queue, clock: FakeClock) -> None:
    queue.add("ready")
    queue.drop("ready")
    queue.add("parked")
    assert await ready(queue) == ["parked"]
    queue.park("parked")
    queue.drop("parked")
    queue.wake()
    await clock.advance(LONGEST_PARKED)
    assert await ready(queue) == []
    queue.drop("unknown")


async def test_a_key_dropped_while_busy_is_still_one_worker_s(queue: Queue) -> None:
    queue.add("a")
    await ready(queue)
    queue.drop("a")
    queue.add("a")
    assert await ready(queue) == []
    queue.finish("a")
    assert await ready(queue) == ["a"]


async def test_get_wakes_up_for_a_key_that_comes_later(queue: Queue) -> None:
    get = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert await asyncio.wait_for(get, 1) == "a"


async def test_who_has_room_comes_at_once_before_others_of_its_priority(
    queue: Queue, clock: FakeClock
) -> None:
    for key in ("a", "b"):
        queue.add(key, 5)
    assert await ready(queue) == ["a", "b"]
    for key in ("a", "b"):
        queue.park(key)
    queue.add("new", 5)
    queue.add("chief", 6)
    queue.hurry("b")
    queue.hurry("a")
    queue.hurry("unknown")
    # Those that are hurried keep their order among each other.
    assert await ready(queue) == ["chief", "a", "b", "new"]


async def test_who_is_hurried_while_it_is_busy_or_rests_does_not_wait(queue: Queue) -> None:
    queue.add("a")
    assert await ready(queue) == ["a"]
    queue.hurry("a")
    assert await ready(queue) == []
    queue.park("a")
    assert await ready(queue) == ["a"]
    queue.retry("a")
    assert await ready(queue) == []
    queue.hurry("a")
    assert await ready(queue) == ["a"]


async def test_who_held_up_the_others_comes_after_them(queue: Queue, clock: FakeClock) -> None:
    for key in ("slow", "held"):
        queue.add(key)
    assert await ready(queue) == ["slow", "held"]
    queue.retry("slow", last=True)
    queue.retry("held")
    await clock.advance(1.0)
    assert await ready(queue) == ["held"]
    await clock.advance(8.0)
    assert await ready(queue) == []
    await clock.advance(1.0)
    assert await ready(queue) == ["slow"]
