"""Telling again: everything once in a period, and not all at once."""

import asyncio
from collections import Counter

from argosy.api.meta import Key
from argosy.runtime.resync import resync
from argosy.testing.clock import FakeClock

KEYS = [("default", f"thing-{at}") for at in range(1_000)]
PERIOD = 640.0


async def told(periods: float) -> list[tuple[float, Key]]:
    clock, heard = FakeClock(), list[tuple[float, Key]]()
    task = asyncio.create_task(
        resync(clock, PERIOD, lambda: KEYS, lambda key: heard.append((clock.monotonic(), key)))
    )
    await clock.advance(PERIOD * periods)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return heard


async def test_each_is_told_once_in_a_period_at_its_own_moment() -> None:
    heard = await told(2)
    first, second = heard[: len(KEYS)], heard[len(KEYS) :]
    assert sorted(key for _, key in first) == sorted(key for _, key in second) == sorted(KEYS)
    assert [(moment + PERIOD, key) for moment, key in first] == second


async def test_they_are_spread_over_the_period() -> None:
    moments = Counter(moment for moment, _ in await told(1))
    assert len(moments) == 64
    assert max(moments.values()) < 3 * len(KEYS) / 64
