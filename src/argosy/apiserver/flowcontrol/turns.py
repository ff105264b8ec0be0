"""Whose turn it is on the event loop, which has one processor for all.

Seats bound how many requests are in progress, most of which wait for a disk or a node. What they
compete for is the processor: a request that may begin does so at its turn, and there is a turn in
every other round of the loop, or, where flows meet, in every seventh. So between two requests of a
flood somebody else's, who came meanwhile, is seen and is next, and a write that has begun gets on.
Who comes while one flow has turn after turn need not wait for the seventh round. Levels have turns
in proportion to their seats; within a level its queues say who is next.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from argosy.apiserver.flowcontrol.levels import Level

MEETING: Final = 6
"""Rounds between two turns where flows meet: a write takes some, from its turn to its answer."""
Soon = Callable[[Callable[[], object]], object]


class Turns:
    """`soon` calls a function in the next round of the loop; `writers` bounds those of a flow."""

    def __init__(self, soon: Soon, writers: Callable[[], float]) -> None:
        self._soon = soon
        self._writers = writers
        self._waiting: dict[Level, None] = {}
        self._taken = False
        self._rest = 0
        self._latest = self._flooding = ""
        self._virtual = 0.0

    def ask(self, level: Level, flow: str = "") -> None:
        """Somebody of `flow` waits in `level`, or it has got free seats for who does."""
        if flow and self._flooding and flow != self._flooding:
            self._rest = min(self._rest, 1)
        if level not in self._waiting:
            level.virtual = max(level.virtual, self._virtual)
            self._waiting[level] = None
        if not self._taken:
            self._give()

    def _round(self) -> None:
        """The request runs in this round; who came while it ran is seen in the next ones."""
        self._rest -= 1
        self._soon(self._round if self._rest > 0 else self._next)

    def _next(self) -> None:
        self._taken = False
        self._give()

    def _give(self) -> None:
        """Let one begin, of the level that is most behind."""
        while self._waiting:
            level = min(self._waiting, key=_behind)
            writers = self._writers()
            ticket = level.queues.take(writers)
            if ticket is None or not level.queues.waiting:
                del self._waiting[level]
            if ticket is None:
                continue  # it has no seats, or writes enough: it will ask again when it has
            self._virtual = level.virtual
            level.virtual += ticket.most / max(1, level.queues.limit)
            self._taken = True
            self._flooding = ticket.flow if ticket.flow == self._latest else ""
            self._latest = ticket.flow
            if ticket.granted is not None:
                ticket.granted()
            self._rest = 1 if writers == inf else MEETING
            self._soon(self._round)
            return


def _behind(level: Level) -> float:
    return level.virtual
