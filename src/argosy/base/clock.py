"""Time as a dependency: whoever needs it is handed a `Clock`.

Tests hand over a fake one (`argosy.testing.clock`), so nothing here or above calls `time` itself.
"""

import asyncio
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """What the rest of the house may know of time."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def wait(event: asyncio.Event, clock: Clock, seconds: float | None) -> None:
    """Wait for `event`, but no longer than `seconds` of the clock's time (None: however long)."""
    if seconds is None:
        await event.wait()
        return
    sleep = asyncio.ensure_future(clock.sleep(seconds))
    happened = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((sleep, happened), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleep.cancel()
        happened.cancel()


def timestamp(moment: datetime) -> str:
    """`moment` as Kubernetes' `Time`: RFC 3339, UTC, whole seconds."""
    return _second(int(moment.timestamp()))


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    """Formatting takes longer than all else in a stamp, and stamps come many to a second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(moment: datetime) -> str:
    """`moment` as Kubernetes' `MicroTime`: RFC 3339, UTC, six decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """Read a `Time` or `MicroTime`. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"timestamp {text!r} has no time zone")
    return moment.astimezone(UTC)
