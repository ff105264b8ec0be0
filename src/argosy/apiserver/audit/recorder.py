"""Watches the requests of one server for the audit log.

It never makes a request wait or fail: lines go to sinks that take them at once, or drop them and
count that.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from argosy.apiserver.audit.notes import CURRENT
from argosy.apiserver.audit.policy import Policy
from argosy.apiserver.audit.trail import Trail
from argosy.base.clock import Clock
from argosy.http.message import Handler, Request, Response


class Sink(Protocol):
    """Takes events, each a line of JSON with its newline. Never blocks, never raises."""

    @property
    def lost(self) -> int:
        """Events that it could not keep."""
        ...

    def put(self, line: bytes) -> None: ...

    def close(self) -> None:
        """Bring to its place what is waiting, and end. Blocks, but not for long."""
        ...


class Recorder:
    """Tells `sinks` what `policy` wants to be told."""

    def __init__(self, policy: Policy, sinks: Sequence[Sink], clock: Clock) -> None:
        self._policy = policy
        self._sinks = sinks
        self._clock = clock
        self.events = 0

    @property
    def lost(self) -> int:
        """Events that a sink could not keep."""
        return sum(sink.lost for sink in self._sinks)

    async def recorded(self, request: Request, handler: Handler) -> Response:
        """`handler`'s answer, with the id of its events."""
        trail = Trail(request, self._policy, self._clock.now, self._put)
        token = CURRENT.set(trail)
        try:
            answer = await handler(request)
        except asyncio.CancelledError:
            trail.give_up()
            raise
        finally:
            CURRENT.reset(token)
        return trail.finish(answer)

    def close(self) -> None:
        """End the sinks. Blocks."""
        for sink in self._sinks:
            sink.close()

    def _put(self, line: bytes) -> None:
        self.events += 1
        for sink in self._sinks:
            sink.put(line)
