"""List once, then watch, for ever: the loop of whoever keeps up with a kind."""

from collections.abc import Awaitable, Callable

from argosy.base.clock import Clock

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
SHORT_WATCH = 1.0
"""A watch that ends sooner, and brought nothing, is followed by a pause."""

Step = Callable[[], Awaitable[bool]]


async def follow(clock: Clock, listed: Step, watched: Step, revision: Callable[[], object]) -> None:
    """Keep up until cancelled; what fails, or ends at once, waits ever longer.

    The steps tell whether they came to their end, `revision` how far one has come. After a watch
    that failed all is listed anew.
    """
    pause, fresh = FIRST_PAUSE, False
    while True:
        if not fresh:
            fresh = await listed()
        seen, began = revision(), clock.monotonic()
        fresh = fresh and await watched()
        if revision() != seen or clock.monotonic() - began >= SHORT_WATCH:
            pause = FIRST_PAUSE
            if fresh:
                continue
        await clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
