"""How far a cache has come: who waits is woken in time, also where history was lost."""

import asyncio

from argosy.runtime.progress import Progress
from argosy.testing.clock import settle


def waiting(progress: Progress, *revisions: int) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(progress.reached(revision)) for revision in revisions]


async def done(tasks: list[asyncio.Task[None]]) -> list[bool]:
    await settle(5)
    return [task.done() for task in tasks]


async def test_each_waits_for_a_revision_of_its_own() -> None:
    progress = Progress()
    tasks = waiting(progress, 7, 5, 9, 5)
    assert await done(tasks) == [False] * 4
    progress.advance(6)
    assert await done(tasks) == [False, True, False, True]
    progress.advance(2)  # an event may be older than what was listed
    assert progress.revision == 6
    progress.restart(9, progress.mark())
    assert await done(tasks) == [True] * 4
    assert progress.has_reached(9) and not progress.has_reached(10)


async def test_who_gave_up_harms_nobody() -> None:
    progress = Progress()
    tasks = waiting(progress, 5, 5)
    await settle(2)
    tasks[0].cancel()
    progress.advance(5)
    assert await done(tasks) == [True, True]


async def test_what_a_list_that_was_asked_for_later_does_not_show_is_lost() -> None:
    progress = Progress()
    progress.advance(10)
    tasks = waiting(progress, 20)
    await settle(2)
    asked = progress.mark()
    tasks += waiting(progress, 21)  # written while the list was made
    await settle(2)
    progress.restart(15, asked)
    assert await done(tasks) == [True, False]
    progress.advance(21)
    assert await done(tasks) == [True, True]


def test_after_a_server_was_set_back_what_was_seen_before_counts_as_reached() -> None:
    progress = Progress()
    progress.advance(100)
    progress.restart(40, progress.mark())
    assert progress.revision == 40
    assert progress.has_reached(90) and progress.has_reached(100)
    assert not progress.has_reached(101)
    progress.restart(41, progress.mark())
    assert progress.has_reached(90)


async def test_of_a_kind_that_is_gone_nothing_is_awaited_until_it_is_back() -> None:
    progress = Progress()
    tasks = waiting(progress, 5)
    await settle(2)
    progress.end()
    assert await done(tasks) == [True]
    assert progress.has_reached(1_000)
    progress.restart(3, progress.mark())
    assert not progress.has_reached(5)
