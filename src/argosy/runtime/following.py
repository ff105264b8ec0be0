"""List once, then watch, for ever: the loop of whoever keeps up with a kind.

Several that follow one server tell each other of its return. Otherwise one that was refused once
more would stay behind the others for as long as it had waited before, and a controller that knows
new pods but old ReplicaSets undoes what another has done.
"""

import asyncio
from collections.abc import Awaitable, Callable

from argosy.base.clock import Clock

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
SHORT_WATCH = 1.0
"""A watch that ends sooner, and brought nothing, is followed by a pause."""
OUTAGE = 1.0
"""Who paused for so long tells the others that it got through."""
SELDOM = 60.0
"""Seconds in which that is told once: a server that is at pains all the time is left its pauses."""

Step = Callable[[], Awaitable[bool]]


class Reach:
    """When a server that could not be reached answers again, as those know who follow it."""

    def __init__(self) -> None:
        self.times = 0
        self._next = float("-inf")
        self._again = asyncio.Event()

    def again(self, now: float) -> None:
        """It answers: nobody who rests need rest on. `now` is monotonic."""
        if now < self._next:
            return
        self._next = now + SELDOM
        self.times += 1
        self._again.set()
        self._again = asyncio.Event()

    async def rest(self, clock: Clock, seconds: float) -> None:
        """Wait so long, or until it answers somebody again."""
        waiting = asyncio.ensure_future(clock.sleep(seconds))
        hearing = asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait((waiting, hearing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            hearing.cancel()
            await asyncio.gather(waiting, hearing, return_exceptions=True)


async def follow(
    clock: Clock,
    listed: Step,
    watched: Step,
    revision: Callable[[], object],
    reach: Reach | None = None,
) -> None:
    """Keep up until cancelled; what fails, or ends at once, waits ever longer.

    The steps tell whether they came to their end, `revision` how far one has come. After a watch
    that failed all is listed anew. `reach` is shared by those that follow the same server.
    """
    reach = reach or Reach()
    pause, fresh, failed, times = FIRST_PAUSE, False, False, reach.times
    while True:
        if not fresh:
            fresh = await listed()
            if fresh and failed and pause >= OUTAGE:
                reach.again(clock.monotonic())
            failed = not fresh
        seen, began = revision(), clock.monotonic()
        fresh = fresh and await watched()
        if revision() != seen or clock.monotonic() - began >= SHORT_WATCH:
            pause = FIRST_PAUSE
            if fresh:
                continue
        if reach.times != times:  # it was got through to since it failed here last
            pause, times = FIRST_PAUSE, reach.times
        await reach.rest(clock, pause)
        pause = min(pause * 2, LONGEST_PAUSE)
