"""How far a cache has come, and who waits for it to come farther."""

import asyncio
import heapq
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class _Waiter:
    revision: int
    turn: int
    done: asyncio.Future[None] = field(compare=False)


class Progress:
    """The newest revision that was seen. It grows, unless the server is set back.

    A server that is restored from a backup, or another one at the same address, may count from
    less. What was written in the history that is lost will never be seen: it counts as reached.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._lost = 0
        self._ended = False
        self._waiters: list[_Waiter] = []
        self._turn = 0

    def has_reached(self, revision: int) -> bool:
        """Whether `revision` was seen, or never will be."""
        return self._ended or revision <= max(self.revision, self._lost)

    async def reached(self, revision: int) -> None:
        """Wait until `has_reached`, however long."""
        if not self.has_reached(revision):
            self._turn += 1
            done = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiters, _Waiter(revision, self._turn, done))
            await done

    def advance(self, revision: int) -> None:
        """An event, or a bookmark, told of this revision."""
        self.revision = max(self.revision, revision)
        self._wake(self.revision)

    def mark(self) -> int:
        """The moment before a list is asked for, for `restart`."""
        return self._turn

    def restart(self, revision: int, asked: int) -> None:
        """A list was made at this revision, and asked for at this mark.

        It shows all that was written before. What was awaited by then and is newer than the list
        was written in a history that is no more. What came to be awaited meanwhile is most likely
        newer than the list; if it was lost too, it is reached when the new history comes as far.
        """
        lost = [it.revision for it in self._waiters if it.turn <= asked and it.revision > revision]
        if revision < self.revision:
            lost.append(self.revision)
        self._lost = max(lost, default=self._lost)
        self._ended = False
        self.revision = revision
        self._wake(max(revision, self._lost))

    def end(self) -> None:
        """The kind is gone: until a list there is nothing to wait for."""
        self._ended = True
        self._wake(sys.maxsize)

    def _wake(self, revision: int) -> None:
        while self._waiters and self._waiters[0].revision <= revision:
            done = heapq.heappop(self._waiters).done
            if not done.done():  # it may have been cancelled
                done.set_result(None)
