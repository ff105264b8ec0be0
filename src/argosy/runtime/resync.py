"""Telling of all objects again from time to time, a few at a time.

For who acts on what no watch tells of (a service elsewhere that may have drifted). Each object has
its moment within the period by the hash of its key, so that they don't come all at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from zlib import crc32

from argosy.api.meta import Key
from argosy.base.clock import Clock

MOMENTS = 64
"""So often in a period some are told of."""


async def resync(
    clock: Clock, period: float, keys: Callable[[], Iterable[Key]], tell: Callable[[Key], None]
) -> None:
    """Tell of every key once in each `period` of seconds, until cancelled."""
    while True:
        due: defaultdict[int, list[Key]] = defaultdict(list)
        for key in keys():
            due[crc32("/".join(key).encode()) % MOMENTS].append(key)
        for moment in range(MOMENTS):
            await clock.sleep(period / MOMENTS)
            for key in due.pop(moment, ()):
                tell(key)
