"""What tests of the queue share."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager

from argosy.runtime.counts import QueueCounts
from argosy.runtime.queue import RETRIES, Retries, WorkQueue
from argosy.testing.clock import FakeClock, settle


def one(key: str) -> Hashable:
    """All keys are of one group."""
    return None


def first(key: str) -> Hashable:
    """Keys are grouped by their first letter."""
    return key[0]


@asynccontextmanager
async def running(
    group: Callable[[str], Hashable] = one,
    retries: Retries = RETRIES,
    counts: QueueCounts | None = None,
) -> AsyncGenerator[tuple[WorkQueue[str], FakeClock], None]:
    """A queue whose delayed keys are moved."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock, group=group, retries=retries, counts=counts)
    task = asyncio.create_task(queue.run())
    try:
        yield queue, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def drained(queue: WorkQueue[str]) -> list[str]:
    """All keys that are ready, each worked off at once."""
    found: list[str] = []
    while True:
        get = asyncio.create_task(queue.get())
        await settle()
        if not get.done():
            get.cancel()
            return found
        found.append(get.result())
        queue.done(get.result())
