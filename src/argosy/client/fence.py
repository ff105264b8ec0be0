"""A fence: the writes of whoever holds a lease go out while it is held, and not a moment longer.

`runtime/election` moves the fence on with each renewal. It counts by two clocks, and the one that
has gone further decides: the monotonic one, which nobody sets, stands still while a machine sleeps;
the wall clock goes on then. So a process that was stopped, or whose machine slept, finds its fence
closed when it wakes, before it has heard of anything. Only a wall clock that is set back by as much
as the machine slept deceives both.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from argosy.base.clock import Clock
from argosy.client.transport import Transport
from argosy.http.message import Request, Response

READS = frozenset({"GET", "HEAD", "OPTIONS"})
RECHECK: ContextVar[Callable[[], None] | None] = ContextVar("RECHECK", default=None)
"""What a transport is to call when a connection for the request is there: that may take a while."""


class FencedError(ConnectionError):
    """The lease is not held (any more): nothing was sent."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, by both clocks."""

    monotonic: float
    wall: datetime


class Fence:
    """Open for so many seconds from a moment on; closed at first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: Moment | None = None
        self._seconds = 0.0
        self._unknown: float | None = None

    def moment(self) -> Moment:
        """Now."""
        return Moment(self._clock.monotonic(), self._clock.now())

    def extend(self, since: Moment, seconds: float) -> None:
        """Be open until `seconds` after `since`."""
        self._since, self._seconds = since, seconds

    def close(self) -> None:
        """Let nothing out until it is extended again."""
        self._since = None

    def unanswered(self) -> None:
        """Note that nobody knows what became of a write."""
        self._unknown = self._clock.monotonic()

    def quiet(self, seconds: float) -> bool:
        """Whether each write that ended within the last so many seconds was answered."""
        return self._unknown is None or self._clock.monotonic() - self._unknown >= seconds

    @property
    def left(self) -> float:
        """For how many seconds it is open yet; 0 where it is closed."""
        if self._since is None:
            return 0.0
        now = self.moment()
        passed = now.monotonic - self._since.monotonic
        by_wall = (now.wall - self._since.wall) / timedelta(seconds=1)
        return max(0.0, self._seconds - max(passed, by_wall))


@dataclass(frozen=True, slots=True)
class Fenced:
    """A transport that refuses to write while its fence is closed; reads always pass."""

    inner: Transport
    fence: Fence

    async def send(self, request: Request) -> Response:
        """The server's answer. Raises FencedError where a write may not go out."""
        if request.method in READS:
            return await self.inner.send(request)
        self._check()
        outer = RECHECK.set(self._check)
        try:
            return await self.inner.send(request)
        except (ConnectionError, asyncio.CancelledError):
            self.fence.unanswered()
            raise
        finally:
            RECHECK.reset(outer)

    def _check(self) -> None:
        if not self.fence.left:
            raise FencedError("the lease is not held any more: nothing may be written")

    async def close(self) -> None:
        await self.inner.close()
