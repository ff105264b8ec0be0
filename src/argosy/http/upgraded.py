"""A connection that is no longer HTTP: raw bytes both ways, for whoever took it over.

From the answer 101 on the event loop speaks to this protocol in place of `protocol.Connection`,
which so has nothing to ask for on its way; the connection's task runs the one who took over. What
is not read is held up to a bound, and then the client is no longer listened to; what the client
does not read holds the writer up. Silence in both directions ends it in the end.

A client that has closed its half may still read, or may have gone: TCP does not say. Whoever reads
learns of it and decides; who has nothing to write then for a while is taken for talking to nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from argosy.http.deadline import Deadline
from argosy.http.limits import Limits
from argosy.http.outbox import Outbox

# Bytes that may wait unread before the client is no longer listened to.
FULL: Final = 64 * 1024


class Upgraded(asyncio.Protocol):
    """A `Duplex`. `lost` is called when the connection is gone."""

    def __init__(
        self,
        transport: asyncio.Transport,
        outbox: Outbox,
        *,
        held: bytes,
        limits: Limits,
        lost: Callable[[Exception | None], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._outbox = outbox
        self._silence = limits.upgraded_seconds
        self._alone = limits.stall_seconds
        self._lost = lost
        self._deadline = Deadline(self._loop, transport.abort)
        self._pieces: deque[bytes] = deque([held] if held else ())
        self._size = len(held)
        self._paused = False
        self._ended = False
        self._waiting: asyncio.Future[None] | None = None
        self._deadline.set(self._silence)
        self._check()

    # What the one who took over asks for.

    async def read(self) -> bytes:
        """What has come; b"" at the client's end."""
        while not self._pieces and not self._ended:
            self._waiting = self._loop.create_future()
            await self._waiting
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._paused and self._size < FULL and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def write(self, data: bytes) -> None:
        """Send; waits while the client does not read."""
        self._deadline.set(self._silence)
        if data and self._outbox.add(data) or self._outbox.paused:
            await self._outbox.room()

    def finish(self) -> None:
        """Nothing more will be written."""
        self._outbox.flush()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    async def bid_farewell(self, seconds: float) -> None:
        """Close in order: a close on unread data resets the connection, the last words included.

        TLS sees to that itself.
        """
        self.finish()
        if not self._transport.can_write_eof():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self.read():
                    pass

    def stop(self) -> None:
        """Listen no more: whoever took over is through."""
        self._deadline.stop()
        self._ended = True
        self._pieces.clear()

    # What the event loop tells.

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        self._deadline.set(self._silence)
        self._pieces.append(data)
        self._size += len(data)
        self._check()
        self._wake()

    def eof_received(self) -> bool:
        self._deadline.set(self._alone)
        self._end()
        return self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.stop()
        self._end()
        self._lost(exc)

    def pause_writing(self) -> None:
        self._outbox.pause()

    def resume_writing(self) -> None:
        self._deadline.set(self._silence)
        self._outbox.resume()

    def _check(self) -> None:
        if self._size >= FULL and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
