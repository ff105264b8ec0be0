"""What can be seen only from the loop's side of a connection: when it reads and how it writes."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from argosy.http.limits import Limits, plain_error
from argosy.http.message import Request, Response
from argosy.http.protocol import Connection, Shared
from tests.http.kit import GET


class Wire:
    """A transport that only notes what it is told."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.reading = True
        self.closed = False
        self.aborted = False

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


class NewYear:
    def now(self) -> datetime:
        return datetime(2027, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def connect(handler: Any, limits: Limits | None = None) -> tuple[Connection, Wire]:
    shared = Shared(handler, limits=limits or Limits(), error_body=plain_error, clock=NewYear())
    connection, wire = Connection(shared), Wire()
    connection.connection_made(wire)  # type: ignore[arg-type]
    return connection, wire


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def hello(request: Request) -> Response:
    return Response(200, {}, request.path.encode())


def numbered(count: int) -> bytes:
    return b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % at for at in range(count))


async def test_pipelined_answers_leave_together_and_in_order() -> None:
    connection, wire = connect(hello)
    await settle()
    connection.data_received(numbered(5))
    await settle()
    assert len(wire.writes) == 1
    bodies = [
        answer.split(b"\r\n\r\n")[1][:2] for answer in wire.writes[0].split(b"HTTP/1.1 200")[1:]
    ]
    assert bodies == [b"/0", b"/1", b"/2", b"/3", b"/4"]
    connection.connection_lost(None)


async def test_the_clock_given_tells_the_date() -> None:
    connection, wire = connect(hello)
    connection.data_received(GET)
    await settle()
    assert b"\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\n" in wire.writes[0]
    connection.connection_lost(None)


async def test_reading_stops_while_too_many_requests_wait() -> None:
    go_on = asyncio.Event()

    async def slow(request: Request) -> Response:
        await go_on.wait()
        return Response(200)

    connection, wire = connect(slow, Limits(pipelined=3))
    await settle()
    connection.data_received(numbered(1))
    await settle()
    connection.data_received(numbered(3))
    assert wire.reading
    connection.data_received(numbered(1))
    assert not wire.reading
    go_on.set()
    await settle()
    assert wire.reading
    assert b"".join(wire.writes).count(b"HTTP/1.1 200") == 5
    connection.connection_lost(None)


async def test_reading_stops_while_too_large_requests_wait() -> None:
    go_on = asyncio.Event()

    async def slow(request: Request) -> Response:
        await go_on.wait()
        return Response(200)

    connection, wire = connect(slow, Limits(body_bytes=10))
    await settle()
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n123456"
    connection.data_received(post)
    await settle()
    connection.data_received(post)
    assert wire.reading
    connection.data_received(post)
    assert not wire.reading
    go_on.set()
    await settle()
    assert wire.reading
    connection.connection_lost(None)


async def test_pieces_that_are_there_at_once_leave_together() -> None:
    async def stream() -> AsyncGenerator[bytes, None]:
        for _ in range(100):
            yield b"piece"

    async def handler(request: Request) -> Response:
        return Response(200, {}, stream())

    connection, wire = connect(handler)
    connection.data_received(GET)
    await settle()
    assert len(wire.writes) == 1
    assert wire.writes[0].count(b"5\r\npiece\r\n") == 100
    assert wire.writes[0].endswith(b"0\r\n\r\n")
    connection.connection_lost(None)


async def test_a_stream_that_never_waits_lets_others_run() -> None:
    async def stream() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"x" * 1000

    async def handler(request: Request) -> Response:
        return Response(200, {}, stream())

    connection, wire = connect(handler)
    connection.data_received(GET)
    await settle()
    assert max(len(data) for data in wire.writes) < 70_000
    connection.connection_lost(None)
    await settle()
    assert connection.task.done()


async def test_a_stream_that_swallows_its_cancellation_is_ended_all_the_same() -> None:
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    yield b"I am still here"
        finally:
            closed.set()

    async def handler(request: Request) -> Response:
        return Response(200, {}, stream())

    connection, _ = connect(handler)
    connection.data_received(GET)
    await settle()
    connection.connection_lost(None)
    await settle()
    assert closed.is_set()
    assert connection.task.done()


async def test_a_continue_waits_for_the_answers_before_it() -> None:
    go_on = asyncio.Event()

    async def slow(request: Request) -> Response:
        if request.path == "/0":
            await go_on.wait()
        return Response(200)

    connection, wire = connect(slow)
    await settle()
    connection.data_received(
        numbered(1)
        + b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    )
    await settle()
    assert wire.writes == []
    go_on.set()
    await settle()
    assert wire.writes[0].startswith(b"HTTP/1.1 200")
    assert wire.writes[0].endswith(b"\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    connection.data_received(b"x")
    await settle()
    assert wire.writes[1].startswith(b"HTTP/1.1 200")
    assert len(wire.writes) == 2
    connection.connection_lost(None)


async def test_a_handshake_that_outlives_the_server_is_in_vain() -> None:
    shared = Shared(hello, limits=Limits(), error_body=plain_error, clock=NewYear())
    shared.closed = True
    connection, wire = Connection(shared), Wire()
    connection.connection_made(wire)  # type: ignore[arg-type]
    assert wire.aborted
    connection.connection_lost(None)


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    connection, wire = connect(hello, Limits(stall_seconds=0.02))
    connection.data_received(GET)
    await settle()
    connection.pause_writing()
    async with asyncio.timeout(1):
        while not wire.aborted:
            await asyncio.sleep(0.005)
    connection.connection_lost(None)


async def test_a_client_that_reads_slowly_is_not_cut_off() -> None:
    connection, wire = connect(hello, Limits(stall_seconds=0.02))
    connection.pause_writing()
    connection.data_received(GET)
    await settle()
    connection.resume_writing()
    await asyncio.sleep(0.05)
    assert not wire.closed
    connection.connection_lost(None)
