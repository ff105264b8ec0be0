"""The loop of simulations: a seed decides the order, nothing else, and time is virtual."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from argosy.testing import simulation
from argosy.testing.clock import EPOCH
from argosy.testing.simulation import LoopClock, SimulatedLoop, StandstillError

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], seed: int = 1, **options: Any) -> T:
    loop = SimulatedLoop(seed, **options)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main)
    assert loop.is_closed() and not loop.failures
    return result


async def interleaved(tasks: int = 4, steps: int = 4) -> list[tuple[int, int]]:
    """Which step of which task came when."""
    seen: list[tuple[int, int]] = []

    async def walk(number: int) -> None:
        for step in range(steps):
            seen.append((number, step))
            await asyncio.sleep(0)

    await asyncio.gather(*map(walk, range(tasks)))
    return seen


def test_the_order_is_the_seeds() -> None:
    orders = [run(interleaved(), seed, spread=8) for seed in range(20)]
    assert orders == [run(interleaved(), seed, spread=8) for seed in range(20)]
    assert len({tuple(order) for order in orders}) > 15
    for order in orders:
        for number in range(4):
            assert [step for other, step in order if other == number] == [0, 1, 2, 3]


def test_nobody_waits_behind_more_than_the_spread() -> None:
    for seed in range(10):
        order = run(interleaved(3, 200), seed, spread=4)
        for number in range(3):
            places = [place for place, (other, _) in enumerate(order) if other == number]
            gaps = [after - before for before, after in zip(places, places[1:], strict=False)]
            assert max(gaps) <= 4 * 8 + 3  # the slowest take eight times as long


def test_time_jumps_to_whoever_waits_for_it() -> None:
    async def wait() -> list[float]:
        loop = asyncio.get_running_loop()
        clock = LoopClock(loop)
        assert (clock.now(), clock.monotonic()) == (EPOCH, 0.0)
        seen = []

        async def sleep(seconds: float) -> None:
            await clock.sleep(seconds)
            seen.append(clock.monotonic())

        await asyncio.gather(sleep(7200), sleep(3), sleep(0.5))
        assert clock.now() == EPOCH + timedelta(hours=2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        seen.append(clock.monotonic())
        loop.call_later(5, seen.append, -1.0).cancel()
        await clock.sleep(10)
        return seen

    assert run(wait()) == [0.5, 3.0, 7200.0, 7210.0]


def test_what_goes_to_a_thread_is_done_in_the_loop() -> None:
    async def work() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        value = await asyncio.to_thread(lambda: 42)
        with pytest.raises(ValueError):
            await loop.run_in_executor(None, int, "none")
        gone = loop.run_in_executor(None, lambda: 1)
        gone.cancel()
        await asyncio.sleep(1)
        return value, loop.time()

    value, seconds = run(work())
    assert value == 42
    assert seconds == pytest.approx(1.002)


def test_what_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    async def hang() -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(simulation, "STANDSTILL", 100)
    for endless, words in ((spin(), "100 steps"), (hang(), "every task waits")):
        loop = SimulatedLoop(1)
        task = loop.create_task(endless)
        with pytest.raises(StandstillError, match=words):
            loop.run_until_complete(task)
        task.cancel()
        monkeypatch.setattr(simulation, "STANDSTILL", 10**6)
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        monkeypatch.setattr(simulation, "STANDSTILL", 100)
        loop.close()


def test_what_nobody_catches_is_told_and_generators_are_closed() -> None:
    closed: list[str] = []

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append("numbers")

    async def main() -> None:
        async for _ in numbers():
            break
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(lambda: 1 // 0)
        await asyncio.sleep(1)

    loop = SimulatedLoop(3)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert closed == ["numbers"]
    [failure] = loop.failures
    assert isinstance(failure["exception"], ZeroDivisionError)
