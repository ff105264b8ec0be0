"""Lets no plugin hold up the scheduler: what it calls has a second, and is stopped then.

Everything is decided in one thread, and a plugin is called there. A timer's signal ends what takes
too long, wherever it is in Python, or in a call that waits: loops, sleeps, locks, sockets. What
computes in native code is stopped when it comes back to Python, and what catches every exception
there is can't be stopped at all. A plugin that hung is left out for a while, so that a thousand
pods do not wait a second each.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from argosy.base.clock import Clock
from argosy.scheduler.faults import HungError, PluginError, shown
from argosy.scheduler.framework import UnschedulableError

T = TypeVar("T")

BUDGET = 1.0
"""Seconds for one call."""
AGAIN = 0.1
"""Seconds until it is tried again to stop what caught the first try."""
REST = 5.0
"""Seconds for which nobody asks a plugin that hung."""


class _Overdue(BaseException):
    """The time is up. No `except Exception` is to stop it."""


class Watch:
    """Calls third parties' functions, one at a time."""

    def __init__(self, clock: Clock, *, budget: float = BUDGET) -> None:
        self._clock = clock
        self._budget = budget
        self._running = False
        self._resting: dict[str, float] = {}
        self._before: Any = signal.SIG_DFL

    def call(self, plugin: str, what: str, function: Callable[..., T], *args: object) -> T:
        """What the function answers. Raises PluginError, and UnschedulableError as it does."""
        if self._resting.get(plugin, 0.0) > self._clock.monotonic():
            raise PluginError(plugin, f"hung lately: it is not asked for {REST:g} s")
        try:
            return self._timed(function, args)
        except _Overdue:
            self._running = False
            self._disarm()
            self._resting[plugin] = self._clock.monotonic() + REST
            text = f"hung: its {what} took longer than {self._budget:g} s"
            raise HungError(plugin, text) from None
        except UnschedulableError:
            raise
        except (Exception, SystemExit, GeneratorExit) as error:
            raise PluginError(plugin, f"failed: {shown(error)}") from error

    def _timed(self, function: Callable[..., T], args: tuple[object, ...]) -> T:
        if threading.current_thread() is not threading.main_thread():
            return function(*args)  # signals come to the main thread alone
        self._before = signal.signal(signal.SIGALRM, self._expired)
        try:
            self._running = True
            signal.setitimer(signal.ITIMER_REAL, self._budget, AGAIN)
            return function(*args)
        finally:
            self._running = False
            self._disarm()

    def _disarm(self) -> None:
        """No timer is left. A signal that came just before all was over is no more than ignored."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _expired(self, signum: int, frame: FrameType | None) -> None:
        if self._running:
            raise _Overdue
