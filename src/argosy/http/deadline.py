"""One deadline that is moved often and rarely reached: a timer that is rearmed only when it fires.

A server moves a connection's deadline with every request. Cancelling and making a timer each time
costs more than a request's headers; here moving it further away is an assignment.
"""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `expired` once the time that was last `set` has passed, unless `clear` came before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def set(self, seconds: float) -> None:
        """Expire in `seconds` from now, whatever was set before."""
        self._due = due = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._arm(due)

    def clear(self) -> None:
        """Do not expire."""
        self._due = None

    def stop(self) -> None:
        """Do not expire and let go of the timer."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float) -> None:
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._fired)

    def _fired(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() < self._due:
            self._arm(self._due)
            return
        self._due = None
        self._expired()
