"""A clock that moves only when told to."""

import asyncio
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Virtual time; sleepers wake when `advance` has passed their moment."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking sleepers in order.

        What can run does so first, and after each sleeper: nobody misses their moment.
        """
        await settle()
        until = self._elapsed + seconds
        while True:
            self._sleepers = [item for item in self._sleepers if not item[1].done()]
            due = min((item for item in self._sleepers), key=lambda item: item[0], default=None)
            if due is None or due[0] > until:
                break
            self._elapsed = max(self._elapsed, due[0])
            self._sleepers.remove(due)
            due[1].set_result(None)
            await settle()
        self._elapsed = until
        await settle()


async def settle(turns: int = 50) -> None:
    """Let every task that can run do so, for a number of turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
