import asyncio

from argosy.http.deadline import Deadline


class Bell:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.rung = asyncio.Event()
        self.at = 0.0
        self.deadline = Deadline(self.loop, self.ring)

    def ring(self) -> None:
        assert not self.rung.is_set()
        self.at = self.loop.time()
        self.rung.set()


async def test_it_expires_once() -> None:
    bell = Bell()
    bell.deadline.set(0.01)
    await asyncio.wait_for(bell.rung.wait(), 1)


async def test_it_can_be_moved_nearer() -> None:
    bell = Bell()
    bell.deadline.set(60)
    bell.deadline.set(0.01)
    await asyncio.wait_for(bell.rung.wait(), 1)


async def test_it_can_be_moved_away() -> None:
    bell = Bell()
    start = bell.loop.time()
    bell.deadline.set(0.01)
    bell.deadline.set(0.06)
    await asyncio.wait_for(bell.rung.wait(), 1)
    assert bell.at - start >= 0.055


async def test_cleared_or_stopped_it_does_not_expire() -> None:
    cleared, stopped = Bell(), Bell()
    cleared.deadline.set(0.005)
    cleared.deadline.clear()
    stopped.deadline.set(0.005)
    stopped.deadline.stop()
    await asyncio.sleep(0.02)
    assert not (cleared.rung.is_set() or stopped.rung.is_set())


async def test_cleared_it_can_be_set_again() -> None:
    bell = Bell()
    bell.deadline.set(0.005)
    bell.deadline.clear()
    await asyncio.sleep(0.01)
    bell.deadline.set(0.005)
    await asyncio.wait_for(bell.rung.wait(), 1)
