"""The loop of list and watch: what fails waits, what works does not."""

import asyncio

import pytest

from argosy.runtime.following import follow
from argosy.testing.clock import FakeClock


class Kind:
    """Steps that come to an end as told, and the moments in which they were taken."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.lists = True
        self.watches = True
        self.lasting = 0.0
        self.taken: list[tuple[str, float]] = []

    async def list(self) -> bool:
        self.taken.append(("list", round(self.clock.monotonic(), 3)))
        return self.lists

    async def watch(self) -> bool:
        self.taken.append(("watch", round(self.clock.monotonic(), 3)))
        await self.clock.sleep(self.lasting)
        return self.watches


async def followed(kind: Kind, seconds: float) -> None:
    task = asyncio.create_task(follow(kind.clock, kind.list, kind.watch, lambda: 0))
    await kind.clock.advance(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_list_that_fails_is_tried_ever_more_rarely_and_nothing_watched() -> None:
    kind = Kind(FakeClock())
    kind.lists = False
    await followed(kind, 1.6)
    assert kind.taken == [("list", at) for at in (0.0, 0.1, 0.3, 0.7, 1.5)]


async def test_watches_that_last_follow_each_other_without_a_pause() -> None:
    kind = Kind(FakeClock())
    kind.lasting = 1.0
    await followed(kind, 2.5)
    assert kind.taken == [("list", 0.0), ("watch", 0.0), ("watch", 1.0), ("watch", 2.0)]


async def test_a_watch_that_ends_at_once_is_followed_by_a_pause() -> None:
    kind = Kind(FakeClock())
    await followed(kind, 0.35)
    assert kind.taken == [("list", 0.0), ("watch", 0.0), ("watch", 0.1), ("watch", 0.3)]


async def test_after_a_watch_that_failed_all_is_listed() -> None:
    kind = Kind(FakeClock())
    kind.watches, kind.lasting = False, 2.0
    await followed(kind, 2.2)
    assert kind.taken == [("list", 0.0), ("watch", 0.0), ("list", 2.1), ("watch", 2.1)]
