"""The writing side of a connection: small pieces leave together, a slow reader holds us up.

Writing many small pieces one by one costs a system call and, worse, a TLS record each. Pieces that
are made without waiting in between are collected and written when the loop comes round again.
"""

import asyncio
from typing import Final

# Bytes that are collected before they are written in any case; also the transport's high-water
# mark, so one slow client holds about twice that in memory.
FULL: Final = 64 * 1024


class Outbox:
    """Collects and writes. `pause` and `resume` are what the transport tells of its buffer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._pieces: list[bytes] = []
        self._size = 0
        self._flushing: asyncio.Handle | None = None
        self._resumed: asyncio.Future[None] | None = None
        # True while the client reads more slowly than we write.
        self.paused = False
        transport.set_write_buffer_limits(high=FULL)

    def add(self, piece: bytes) -> bool:
        """Write `piece` soon, after those before it; True if so much is held that it left now."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= FULL:
            self.flush()
            return True
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self.flush)
        return False

    def send(self, piece: bytes) -> None:
        """Write `piece` now, after those that wait."""
        if self._pieces:
            self._pieces.append(piece)
            self.flush()
        elif not self._transport.is_closing():
            self._transport.write(piece)

    def flush(self) -> None:
        """Write what is held."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        pieces, self._pieces, self._size = self._pieces, [], 0
        if pieces and not self._transport.is_closing():
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    async def room(self) -> None:
        """Wait until the client has read enough; in any case let others have a turn."""
        if self._resumed is None:
            await asyncio.sleep(0)
        else:
            await self._resumed

    def pause(self) -> None:
        """The transport's buffer is full."""
        self.paused = True
        if self._resumed is None:
            self._resumed = self._loop.create_future()

    def resume(self) -> None:
        """The transport's buffer has emptied, or the connection is gone."""
        self.paused = False
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not resumed.done():
            resumed.set_result(None)
