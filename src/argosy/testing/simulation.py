"""Deterministic simulation: one seed, one course of events, however odd.

`SimulatedLoop` is an event loop whose seed decides which of the tasks that can run does so next.
Its time is virtual: where nothing can run it jumps to the next timer, so hours pass in a moment.
What would go to a thread is done in the loop. `LoopClock` is the loop's time as a `Clock`.

The way to an API server may be bad as well, by a seed: `argosy.testing.faults`. Between two runs
with one seed (and one PYTHONHASHSEED) nothing differs.

    loop = SimulatedLoop(seed)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scenario(LoopClock(loop), Random(seed)))
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from argosy.testing.clock import EPOCH

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STANDSTILL: Final = 500_000
"""So many steps without time passing are a loop that never ends."""
THREAD_SECONDS: Final = 0.001
"""What is done by a thread takes so long."""
_WORD: Final = 2**64 - 1


class StandstillError(Exception):
    """Tasks went on and on, and no time passed."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one task's steps in their order, and those of several in an order made of the seed.

    A step waits behind at most `spread` others (more for some tasks: they are slow). A callback
    that isn't a task's runs as soon as it can. `failures` has what no one caught.
    """

    def __init__(self, seed: int, *, spread: int | None = None) -> None:
        super().__init__()
        self._seed = _mixed(seed)
        self._spread = spread or 1 << self._seed % 8
        self._now = 0.0
        self._steps = self._still = self._counter = self._tasks = 0
        self._due: list[tuple[int, int, int, asyncio.Handle]] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._turns: WeakKeyDictionary[Any, list[int]] = WeakKeyDictionary()
        self.failures: list[dict[str, Any]] = []

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue(handle, getattr(callback, "__self__", None))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._counter += 1
        heapq.heappush(self._timers, (when, self._counter, handle))
        return handle

    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run it now; whoever waits hears of it a little later."""
        future: asyncio.Future[T] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:
            self.call_later(THREAD_SECONDS, _tell, future, future.set_exception, error)
        else:
            self.call_later(THREAD_SECONDS, _tell, future, future.set_result, result)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.failures.append(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def _enqueue(self, handle: asyncio.Handle, owner: object) -> None:
        self._counter += 1
        due, rank = self._steps, 0
        if isinstance(owner, asyncio.Task):
            due, rank = self._turn(owner)
        heapq.heappush(self._due, (due, rank, self._counter, handle))

    def _turn(self, task: asyncio.Task[Any]) -> tuple[int, int]:
        """When the task's next step is due: made of nothing but the seed, the task's number and
        the step's, so that it does not matter in which order tasks were woken.
        """
        turns = self._turns.get(task)
        if turns is None:
            self._tasks += 1
            turns = self._turns[task] = [self._tasks, 0]
        turns[1] += 1
        number, step = turns
        rank = _mixed(self._seed ^ number * 0x9E3779B1 ^ step * 0x85EBCA77C2B2AE63)
        slow = _mixed(self._seed + number) & 3
        return self._steps + rank % (self._spread << slow), rank

    def _run_once(self) -> None:
        """One step of one task; the loop's base class asks for it for as long as it runs."""
        if not self._due:
            self._pass_time()
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self._enqueue(timer, None)
        if not self._due:
            return
        self._steps += 1
        self._still += 1
        if self._still > STANDSTILL:
            raise StandstillError(f"{STANDSTILL} steps at {self._now} s")
        handle = heapq.heappop(self._due)[3]
        if not handle.cancelled():
            handle._run()

    def _pass_time(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise StandstillError("every task waits for another")
        if self._timers[0][0] > self._now:
            self._now = self._timers[0][0]
            self._still = 0


def _tell(future: asyncio.Future[Any], tell: Callable[[Any], None], value: object) -> None:
    if not future.done():
        tell(value)


def _mixed(number: int) -> int:
    """64 bits that look random (splitmix64's finisher)."""
    number = (number + 0x9E3779B97F4A7C15) & _WORD
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _WORD
    return number ^ number >> 31


@dataclass(frozen=True)
class LoopClock:
    """The loop's virtual time, as a `Clock`."""

    loop: asyncio.AbstractEventLoop
    start: datetime = EPOCH

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.loop.time())

    def monotonic(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
