"""One connection: requests are read as they come and answered one after the other.

The event loop calls `data_received`, the `reader` makes requests of it, and they wait in a queue
for the connection's one task, which calls the handler and writes through the `outbox`. One task a
connection and not one a request: it is the cheaper of the two, gives handlers a task of their own
to time out and be cancelled in, and answers pipelined requests in order by itself.

A client that goes away, or closes its sending half, cancels whatever its connection still does.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final, cast

from argosy.base.clock import Clock
from argosy.http.deadline import Deadline
from argosy.http.encode import (
    CHUNKED,
    CLOSE,
    LENGTH,
    NONE,
    Framing,
    encode_head,
    encode_switch,
    framing_of,
)
from argosy.http.limits import ErrorBody, Limits
from argosy.http.message import Handler, Request, Response, Takeover
from argosy.http.outbox import FULL, Outbox
from argosy.http.peer import Client
from argosy.http.reader import BETWEEN, BODY, HEAD, OVER, Incoming, Phase, Refusal, RequestReader
from argosy.http.upgraded import Upgraded

_log: Final = logging.getLogger(__name__)
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Shared:
    """What all connections of one server have in common."""

    def __init__(
        self, handler: Handler, *, limits: Limits, error_body: ErrorBody, clock: Clock
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.connections: set[Connection] = set()
        self.closed = False
        self._error_body = error_body
        self._clock = clock
        self._date = ""
        self._date_until = 0.0

    def error(self, status: int, text: str) -> Response:
        """An answer of the server's own."""
        body, content_type = self._error_body(status, text)
        return Response(status, {"Content-Type": content_type}, body)

    def date(self, tick: float) -> str:
        """The Date header, made anew each second of the loop's time `tick`."""
        if tick >= self._date_until:
            now: datetime = self._clock.now()
            self._date = format_datetime(now, usegmt=True)
            self._date_until = tick + 1 - now.microsecond / 1e6
        return self._date


class Connection(asyncio.Protocol):
    """One client's connection, from its first byte to `lost`."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(shared.limits)
        self._deadline = Deadline(self._loop, self._expired)
        self._timed: Phase | None = None
        self._queue: deque[Incoming | Refusal] = deque()
        self._queued_bytes = 0
        self._reading_paused = False
        # Set while the task has nothing to answer and waits for a request.
        self._idle: asyncio.Future[None] | None = None
        self._streaming = False
        self._closing = False
        self._lingering = False
        self.lost: asyncio.Future[None] = self._loop.create_future()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, since uvloop's transports are not derived from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._outbox = Outbox(self._loop, self._transport)
        self._reader.peer = Client(self._transport)
        self._shared.connections.add(self)
        self.task = self._loop.create_task(self._work())
        if self._shared.closed:  # its handshake was under way when the server closed
            self.abort()

    def data_received(self, data: bytes) -> None:
        arrived = self._reader.feed(data)
        if arrived:
            self._arrive(arrived)
        elif self._idle is not None:
            self._await_more()
        elif self._reader.held is not None and len(self._reader.held) > FULL:
            self._hold()

    def eof_received(self) -> bool:
        # Not at once: what came in the same breath as the end is answered if it can be at once.
        self._loop.call_soon(self._hang_up)
        return self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.connections.discard(self)
        self._deadline.stop()
        self._reader.stop()
        self._outbox.resume()
        self.task.cancel()
        if not self.lost.done():
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        self._outbox.pause()
        self._deadline.set(self._shared.limits.stall_seconds)

    def resume_writing(self) -> None:
        self._outbox.resume()
        if not (self._lingering or self._transport.is_closing()):
            self._deadline.clear()

    # What the server tells.

    def shut_down(self) -> bool:
        """End what may end at once; True if a request is in flight, which then is the last."""
        self._closing = True
        in_flight = not (self._streaming or self._idle is not None or self.task.done())
        if not in_flight:
            self._hang_up()
        return in_flight

    def abort(self) -> None:
        """End now."""
        self._transport.abort()

    def _hang_up(self) -> None:
        if self.task.done():
            self._close()
        else:
            self.task.cancel()

    def _close(self) -> None:
        """Close once all that was written has left, or abort if it does not leave."""
        self._outbox.flush()
        if not self.lost.done():
            self._transport.close()
            self._deadline.set(self._shared.limits.stall_seconds)

    # Reading.

    def _arrive(self, arrived: list[Incoming | Refusal]) -> None:
        for item in arrived:
            self._queue.append(item)
            if isinstance(item, Incoming):
                self._queued_bytes += len(item.request.body)
        idle, self._idle = self._idle, None
        if idle is not None and not idle.done():
            idle.set_result(None)
        limits = self._shared.limits
        full = len(self._queue) > limits.pipelined or self._queued_bytes > limits.body_bytes
        if full:
            self._hold()

    def _hold(self) -> None:
        """Listen no more until the request before is answered."""
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _listen(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    async def _next(self) -> Incoming | Refusal:
        while not self._queue:
            self._idle = idle = self._loop.create_future()
            self._await_more()
            await idle
        self._deadline.clear()
        self._timed = None
        item = self._queue.popleft()
        if isinstance(item, Incoming):
            self._queued_bytes -= len(item.request.body)
        if self._reading_paused and not self._queue:
            self._listen()
        return item

    def _await_more(self) -> None:
        """Nothing is being answered: bid the client go on, and time it."""
        if self._reader.wants_continue:
            self._reader.wants_continue = False
            self._outbox.send(_CONTINUE)
        phase, limits = self._reader.phase, self._shared.limits
        if phase is self._timed:
            return
        self._timed = phase
        if phase is HEAD:
            self._deadline.set(limits.head_seconds)
        elif phase is BODY:
            self._deadline.set(limits.body_seconds)
        elif phase is BETWEEN:
            self._deadline.set(limits.idle_seconds)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """An upgrade was asked for and did not come about: what follows is HTTP after all."""
        self._listen()
        if arrived := self._reader.go_on():
            self._arrive(arrived)
        else:
            self._await_more()

    def _expired(self) -> None:
        if self._transport.is_closing() or self._outbox.paused:
            self.abort()
        elif self._lingering or self._reader.phase in (BETWEEN, OVER):
            self._hang_up()
        else:
            self._reader.stop()
            self._arrive([Refusal(408, "the request did not arrive in time")])

    # Answering.

    async def _work(self) -> None:
        try:
            while True:
                item = await self._next()
                if isinstance(item, Refusal):
                    self._refuse(item)
                    break
                if not await self._answer(item):
                    break
        finally:
            if not self._lingering:
                self._close()

    def _refuse(self, refusal: Refusal) -> None:
        """Tell why, then hear the client out: closing on unread data would reset the connection."""
        response = self._shared.error(refusal.status, refusal.text)
        head = self._head(response, LENGTH, version="1.1", keep_alive=False)
        assert isinstance(response.body, bytes)
        self._lingering = True
        self._outbox.send(head + response.body)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._deadline.set(self._shared.limits.linger_seconds)

    async def _answer(self, incoming: Incoming) -> bool:
        """Answer one request; False if the connection ends with it."""
        request, keep_alive, version = incoming
        try:
            response = await self._shared.handler(request)
        except Exception:
            response = self._failure(request)
        except asyncio.CancelledError:
            if self.task.cancelling():
                raise
            response = self._failure(request)  # what the handler awaited was cancelled
        if response.upgrade is not None and request.upgrade:
            return await self._upgrade(request, response.headers, response.upgrade)
        framing = framing_of(response, method=request.method, version=version)
        keep_alive = keep_alive and not self._closing and framing is not CLOSE
        try:
            head = self._head(response, framing, version=version, keep_alive=keep_alive)
        except Exception:
            await _finish(response.body)
            response, framing = self._failure(request), LENGTH
            head = self._head(response, framing, version=version, keep_alive=keep_alive)
        body, bare = response.body, framing is NONE or request.method == "HEAD"
        if isinstance(body, bytes):
            self._outbox.add(head if bare else head + body)
            if self._outbox.paused:
                await self._outbox.room()
            return keep_alive
        self._outbox.add(head)
        if bare:
            await body.aclose()
            return keep_alive
        return await self._stream(body, chunked=framing is CHUNKED) and keep_alive

    async def _upgrade(
        self, request: Request, headers: Mapping[str, str], takeover: Takeover
    ) -> bool:
        """Leave the connection to `takeover`; False, because it ends with that."""
        if self._closing:
            return False
        try:
            head = encode_switch(headers)
        except ValueError:
            failure = self._failure(request)
            assert isinstance(failure.body, bytes)
            answer = self._head(failure, LENGTH, version="1.1", keep_alive=False)
            self._outbox.add(answer + failure.body)
            return False
        limits = self._shared.limits
        client = Upgraded(
            self._transport,
            self._outbox,
            held=self._reader.hand_over(),
            limits=limits,
            lost=self.connection_lost,
        )
        self._outbox.send(head)
        self._listen()
        self._transport.set_protocol(client)
        self._streaming = True
        try:
            await takeover(client)
            await client.bid_farewell(limits.linger_seconds)
        except Exception:
            _log.exception("upgraded connection failed", extra=_about(request))
        finally:
            self._streaming = False
            client.stop()
        return False

    def _failure(self, request: Request) -> Response:
        """Tell the log of the exception at hand, and the client of nothing."""
        _log.exception("request handler failed", extra=_about(request))
        return self._shared.error(500, "internal error")

    def _head(
        self, response: Response, framing: Framing, *, version: str, keep_alive: bool
    ) -> bytes:
        date = self._shared.date(self._loop.time())
        return encode_head(response, framing, version=version, keep_alive=keep_alive, date=date)

    async def _stream(self, body: AsyncGenerator[bytes, None], *, chunked: bool) -> bool:
        """Send the pieces as they come; True if the body went out whole."""
        frame: Callable[[bytes], bytes] = _chunk if chunked else bytes
        self._streaming = True
        try:
            if self._closing:
                return False
            async for piece in body:
                # An iterator may swallow the cancellation that a lost connection sends it.
                if self.lost.done():
                    return False
                if piece and self._outbox.add(frame(piece)) or self._outbox.paused:
                    await self._outbox.room()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and self.task.cancelling():
                raise
            # The client must not take the part for the whole.
            _log.exception("response stream failed")
            self.abort()
            return False
        finally:
            self._streaming = False
            await _finish(body)
        if chunked:
            self._outbox.add(b"0\r\n\r\n")
        return True


def _about(request: Request) -> dict[str, str]:
    return {"method": request.method, "path": request.path}


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


async def _finish(body: bytes | AsyncGenerator[bytes, None]) -> None:
    """Let a stream that is not read further clean up."""
    if not isinstance(body, bytes):
        await body.aclose()
