"""The loop of list and watch: what fails waits, what works does not."""

import asyncio

import pytest

from argosy.runtime.following import SELDOM, Reach, follow
from argosy.testing.clock import FakeClock, settle


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


async def test_a_list_after_an_outage_is_followed_by_short_pauses_again() -> None:
    """The server answers: that the watch broke at once is no reason to wait for as long."""
    kind = Kind(FakeClock())
    kind.lists = kind.watches = False
    task = asyncio.create_task(follow(kind.clock, kind.list, kind.watch, lambda: 0))
    await kind.clock.advance(1.4)
    kind.lists = True
    await kind.clock.advance(0.5)
    task.cancel()
    assert kind.taken[4:] == [(step, at) for at in (1.5, 1.6, 1.8) for step in ("list", "watch")]


async def test_a_server_at_pains_is_left_its_pauses() -> None:
    """Every other list fails, and every watch: each return is none."""
    kind = Kind(FakeClock())
    kind.watches = False
    tries = iter(range(1000))

    async def listed() -> bool:
        await kind.list()
        return next(tries) % 2 == 1

    task = asyncio.create_task(follow(kind.clock, listed, kind.watch, lambda: 0))
    await kind.clock.advance(600)
    task.cancel()
    assert len(kind.taken) <= 10 * 10 * 1.5


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("refused", [0.0, 0.1, 0.3])
async def test_who_gets_through_tells_all_who_rest(first: int, refused: float) -> None:
    """Whether the others asked just before or just after, or are refused for a while longer."""
    clock, reach = FakeClock(), Reach()
    kinds = [Kind(clock), Kind(clock)]
    tasks = []
    for kind in kinds:
        kind.lists, kind.lasting = False, 60.0
        following = follow(clock, kind.list, kind.watch, lambda: 0, reach)
        tasks.append(asyncio.create_task(following))
    await clock.advance(2.0)
    kinds[first].lists = True
    await clock.advance(1.15 + refused)
    kinds[1 - first].lists = True
    await clock.advance(1.0)
    for task in tasks:
        task.cancel()
    began = [[at for step, at in kind.taken if step == "watch"] for kind in kinds]
    assert began[first] == [3.1]
    assert began[1 - first] == [pytest.approx({0.0: 3.2, 0.1: 3.4, 0.3: 3.8}[refused])]


async def test_who_rests_is_woken() -> None:
    reach = Reach()
    task = asyncio.create_task(reach.rest(FakeClock(), 60.0))
    await settle()
    reach.again(0.0)
    await settle()
    assert task.done() and reach.times == 1
    reach.again(SELDOM - 1)
    assert reach.times == 1
    reach.again(SELDOM)
    assert reach.times == 2


async def test_who_failed_for_a_moment_only_wakes_nobody() -> None:
    clock, reach = FakeClock(), Reach()
    kind = Kind(clock)
    kind.lists, kind.lasting = False, 60.0
    task = asyncio.create_task(follow(clock, kind.list, kind.watch, lambda: 0, reach))
    await clock.advance(0.2)
    kind.lists = True
    await clock.advance(1.0)
    task.cancel()
    assert kind.taken[-1] == ("watch", 0.3) and reach.times == 0


async def test_whoever_rests_ends_with_their_task() -> None:
    task = asyncio.create_task(Reach().rest(FakeClock(), 60.0))
    await settle()
    before = len(asyncio.all_tasks())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert before - len(asyncio.all_tasks()) == 3
