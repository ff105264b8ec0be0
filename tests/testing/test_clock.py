"""The fake clock: time passes when told, and nobody oversleeps."""

import asyncio
from datetime import UTC, datetime, timedelta

from argosy.testing.clock import EPOCH, FakeClock


async def test_time_stands_still_until_it_is_told_to_pass() -> None:
    clock = FakeClock()
    assert (clock.now(), clock.monotonic()) == (EPOCH, 0.0)
    await clock.advance(90.5)
    assert (clock.now(), clock.monotonic()) == (EPOCH + timedelta(seconds=90.5), 90.5)


async def test_it_may_start_elsewhere() -> None:
    start = datetime(2030, 1, 2, tzinfo=UTC)
    assert FakeClock(start).now() == start


async def test_sleepers_wake_in_order_each_at_its_moment() -> None:
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.monotonic()))

    tasks = [
        asyncio.create_task(sleeper("a", 3)),
        asyncio.create_task(sleeper("b", 1, 1, 5)),
        asyncio.create_task(sleeper("c", 0, -1)),
    ]
    await clock.advance(2)
    assert woken == [("c", 0.0), ("c", 0.0), ("b", 1.0), ("b", 2.0)]
    await clock.advance(5)
    assert woken[4:] == [("a", 3.0), ("b", 7.0)]
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_is_cancelled_wakes_nobody() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await clock.advance(2)
    assert task.cancelled()
    assert clock.monotonic() == 2.0
