"""A client's view: real sockets, on both event loops, with and without TLS where it may differ."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.http.limits import Limits
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates
from tests.http.kit import GET, PATIENCE, Peer, echo, serving

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest, certificates: Certificates) -> Certificates | None:
    return certificates if request.param else None


class Stream:
    """A handler whose answer is a stream that can be watched and held up."""

    def __init__(self, piece: bytes = b"x", *, held: bool = True) -> None:
        self.piece = piece
        self.yielded = 0
        self.more = asyncio.Semaphore(0)
        self.held = held
        self.closed = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        return Response(200, {}, self.pieces())

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                if self.held:
                    await self.more.acquire()
                self.yielded += 1
                yield self.piece
        finally:
            self.closed.set()


class Stuck:
    """A handler that does not come back by itself."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        self.started.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Response(200, {}, b"at last")


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), PATIENCE)


# Requests and answers.


async def test_a_request_is_understood_and_answered(tls: Certificates | None) -> None:
    async with serving(echo, tls=tls) as running, running.peer() as peer:
        answer = await peer.ask(
            b"PUT /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Y: 1\r\nX-Y: 2\r\n"
            b"Content-Length: 4\r\n\r\nbody"
        )
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "method": "PUT",
            "path": "/a%20b",
            "query": "c=d",
            "headers": {"host": "h", "x-y": "1, 2", "content-length": "4"},
            "body": "body",
        }


async def test_a_connection_is_kept(tls: Certificates | None) -> None:
    async with serving(echo, tls=tls) as running, running.peer() as peer:
        for path in (b"/1", b"/2", b"/3"):
            answer = await peer.ask(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer.json()["path"] == path.decode()
            assert "connection" not in answer.headers


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
async def test_a_connection_is_closed_when_asked_for(head: bytes, kept: bool) -> None:
    async with serving(echo) as running, running.peer() as peer:
        answer = await peer.ask(head)
        assert answer.status == 200
        assert answer.headers["connection"] == ("keep-alive" if kept else "close")
        if kept:
            assert (await peer.ask(GET)).status == 200
        else:
            assert await peer.rest() == b""


async def test_a_request_may_arrive_byte_by_byte(tls: Certificates | None) -> None:
    async with serving(echo, tls=tls) as running, running.peer() as peer:
        for byte in (
            POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n"
        ):
            peer.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await peer.answer()).json()["body"] == "abc"


async def test_pipelined_requests_are_answered_in_order() -> None:
    first = asyncio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/0":
            await first.wait()
        return Response(200, {}, request.path.encode())

    async with serving(handler) as running, running.peer() as peer:
        peer.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % at for at in range(50)))
        await asyncio.sleep(0)
        first.set()
        bodies = [(await peer.answer()).body for _ in range(50)]
        assert bodies == [b"/%d" % at for at in range(50)]


async def test_a_good_request_is_answered_before_a_bad_one() -> None:
    async with serving(echo) as running, running.peer() as peer:
        peer.send(GET + b"\x00\x00")
        assert (await peer.answer()).status == 200
        assert (await peer.answer()).status == 400
        assert await peer.rest() == b""


async def test_head_has_the_headers_and_no_body() -> None:
    stream = Stream()

    async def handler(request: Request) -> Response:
        return await stream(request) if request.path == "/stream" else Response(200, {}, b"body")

    async with serving(handler) as running, running.peer() as peer:
        answer = await peer.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", bare=True)
        assert answer.headers["content-length"] == "4"
        answer = await peer.ask(b"HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n", bare=True)
        assert answer.headers["transfer-encoding"] == "chunked"
        assert (await peer.ask(GET)).body == b"body"
        assert stream.yielded == 0


async def test_no_content_has_no_body() -> None:
    async def handler(request: Request) -> Response:
        return Response(204, {}, b"ignored")

    async with serving(handler) as running, running.peer() as peer:
        for _ in range(2):
            answer = await peer.ask(GET)
            assert answer.status == 204
            assert "content-length" not in answer.headers


async def test_a_large_body_goes_both_ways(tls: Certificates | None) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, {}, request.body)

    body = bytes(range(256)) * 4096
    async with serving(handler, tls=tls) as running, running.peer() as peer:
        answer = await peer.ask(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answer.body == body


async def test_a_client_is_told_to_go_on() -> None:
    async with serving(echo) as running, running.peer() as peer:
        peer.send(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert (await peer.head())[0] == 100
        assert (await peer.ask(b"body")).json()["body"] == "body"
        assert (await peer.ask(GET)).status == 200


# Limits.


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300 + b"\r\n\r\n", 431),
        (POST + b"Content-Length: 301\r\n\r\n" + b"a" * 301, 413),
        (POST + b"Expect: 100-continue\r\nContent-Length: 301\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n12d\r\n" + b"a" * 301 + b"\r\n0\r\n\r\n", 413),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (POST + b"Expect: a miracle\r\n\r\n", 417),
    ],
)
async def test_a_refused_request_is_answered_and_ends_the_connection(
    data: bytes, status: int
) -> None:
    limits = Limits(url_bytes=200, header_bytes=200, body_bytes=300)

    def words(code: int, text: str) -> tuple[bytes, str]:
        assert text
        return b'{"code":%d}' % code, "application/json"

    async with serving(echo, limits=limits, error_body=words) as running, running.peer() as peer:
        answer = await peer.ask(data)
        assert answer.status == status == answer.json()["code"]
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["connection"] == "close"
        assert await peer.rest() == b""


async def test_a_refused_client_that_goes_on_sending_can_read_why(tls: Certificates | None) -> None:
    limits = Limits(body_bytes=1000, linger_seconds=0.3)
    async with serving(echo, limits=limits, tls=tls) as running, running.peer() as peer:
        peer.send(POST + b"Content-Length: 3000000\r\n\r\n")
        peer.send(b"a" * 3_000_000)
        assert (await peer.answer()).status == 413
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"G", b"HTTP/1.1 408 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"HTTP/1.1 408 "),
        (POST + b"Content-Length: 2\r\n\r\na", b"HTTP/1.1 408 "),
        (GET, b"HTTP/1.1 200 "),
        (GET + b"G", b"HTTP/1.1 200 "),
    ],
)
async def test_a_client_that_takes_too_long_is_cut_off(
    data: bytes, answered: bytes, tls: Certificates | None
) -> None:
    limits = Limits(head_seconds=0.1, body_seconds=0.1, idle_seconds=0.1, linger_seconds=0.02)
    if tls:
        limits = Limits(head_seconds=0.3, body_seconds=0.1, idle_seconds=0.1, linger_seconds=0.02)
    async with serving(echo, limits=limits, tls=tls) as running, running.peer() as peer:
        peer.send(data)
        received = await peer.rest()
        assert received.startswith(answered)
        assert bool(received) == bool(answered)


async def test_a_trickle_does_not_extend_the_time() -> None:
    limits = Limits(head_seconds=0.1, linger_seconds=0.02)
    async with serving(echo, limits=limits) as running, running.peer() as peer:

        async def trickle() -> None:
            peer.send(b"GET / HTTP/1.1\r\nX: ")
            while True:
                peer.send(b"a")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        assert (await peer.answer()).status == 408
        trickling.cancel()


async def test_time_is_not_counted_while_the_handler_runs() -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return Response(200)

    limits = Limits(head_seconds=0.02, body_seconds=0.02, idle_seconds=0.02)
    async with serving(handler, limits=limits) as running, running.peer() as peer:
        assert (await peer.ask(GET)).status == 200


# Handlers that fail.


async def raises() -> None:
    raise RuntimeError("a secret")


async def awaits_the_cancelled() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize("fails", [raises, awaits_the_cancelled])
async def test_a_handler_that_fails_is_a_500_and_logged_once(
    fails: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/fail":
            await fails()
        return Response(200)

    async with serving(handler) as running, running.peer() as peer:
        answer = await peer.ask(b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert (await peer.ask(GET)).status == 200
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.path == "/fail"  # type: ignore[attr-defined]


async def test_a_header_that_can_not_be_sent_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    stream = Stream()

    async def handler(request: Request) -> Response:
        return Response(200, {"X": "a\r\nInjected: b"}, stream.pieces())

    async with serving(handler) as running, running.peer() as peer:
        answer = await peer.ask(GET)
        assert answer.status == 500
        assert "injected" not in answer.headers
    assert len(caplog.records) == 1


@pytest.mark.parametrize("fails", [raises, awaits_the_cancelled])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_stream_that_fails_does_not_look_whole(
    version: bytes,
    fails: Callable[[], Awaitable[None]],
    caplog: pytest.LogCaptureFixture,
    certificates: Certificates,
) -> None:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield b"a part"
        await asyncio.sleep(0)
        await fails()

    async def handler(request: Request) -> Response:
        return Response(200, {}, stream())

    async with serving(handler, tls=certificates) as running, running.peer() as peer:
        peer.send(b"GET / HTTP/" + version + b"\r\nHost: x\r\n\r\n")
        assert not (await peer.rest()).endswith(b"0\r\n\r\n")
    assert len(caplog.records) == 1


# Streams.


async def test_pieces_are_sent_as_they_come(tls: Certificates | None) -> None:
    stream = Stream(b"piece")
    async with serving(stream, tls=tls) as running, running.peer() as peer:
        peer.send(GET)
        assert (await peer.head())[0] == 200
        for _ in range(3):
            stream.more.release()
            assert await peer.chunk() == b"piece"


async def test_a_stream_ends_and_the_connection_goes_on() -> None:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield b"a"
        yield b""
        await asyncio.sleep(0)
        yield b"b"

    async def handler(request: Request) -> Response:
        return Response(200, {}, stream())

    async with serving(handler) as running, running.peer() as peer:
        assert (await peer.ask(GET)).body == b"ab"
        assert (await peer.ask(GET)).body == b"ab"
        peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _, headers = await peer.head()
        assert headers["connection"] == "close"
        assert await peer.rest() == b"ab"


async def test_a_slow_reader_holds_the_stream_up(tls: Certificates | None) -> None:
    stream = Stream(b"x" * 10_000, held=False)
    async with serving(stream, tls=tls) as running, running.peer(limit=1000) as peer:
        peer.send(GET)
        await peer.head()
        before = -1
        bound = 12_000_000  # what the kernel takes on loopback, and 128 KiB in the server
        while bound > stream.yielded * 10_000 and stream.yielded > before:
            before = stream.yielded
            await asyncio.sleep(0.05)
        assert stream.yielded * 10_000 < bound
        assert not stream.closed.is_set()
        for _ in range(20):
            await peer.chunk()
        peer.writer.transport.abort()
        await soon(stream.closed)


async def test_a_client_that_leaves_ends_its_stream(tls: Certificates | None) -> None:
    stream = Stream()
    async with serving(stream, tls=tls) as running, running.peer() as peer:
        peer.send(GET)
        stream.more.release()
        await peer.head()
        await peer.leave()
        await soon(stream.closed)


async def test_a_client_that_leaves_cancels_its_request(tls: Certificates | None) -> None:
    stuck = Stuck()
    async with serving(stuck, tls=tls) as running, running.peer() as peer:
        peer.send(GET)
        await soon(stuck.started)
        await peer.leave()
        await soon(stuck.cancelled)


async def test_a_handler_that_fails_when_cancelled_is_logged_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise RuntimeError from None
        return Response(200)

    async with serving(handler) as running:
        async with running.peer() as peer:
            peer.send(GET)
            await soon(started)
        await soon(ended)
    assert len(caplog.records) == 1


async def test_a_client_may_close_its_side_with_the_request() -> None:
    async with serving(echo) as running, running.peer() as peer:
        peer.send(GET)
        peer.writer.write_eof()
        assert (await peer.answer()).status == 200
        assert await peer.rest() == b""


# The server's own end and beginning.


async def test_close_ends_what_is_idle_and_lets_requests_finish(tls: Certificates | None) -> None:
    stuck = Stuck()
    async with serving(stuck, tls=tls) as running:
        async with running.peer() as idle, running.peer() as busy:
            busy.send(GET + GET)
            await soon(stuck.started)
            closing = asyncio.create_task(running.server.close(PATIENCE))
            assert await idle.rest() == b""
            with pytest.raises(OSError):
                await asyncio.open_connection(*running.server.addresses[0])
            assert not closing.done()
            stuck.go_on.set()
            answer = await busy.answer()
            assert answer.body == b"at last"
            assert answer.headers["connection"] == "close"
            assert await busy.rest() == b""
            await closing
    assert not stuck.cancelled.is_set()


async def test_close_cancels_what_does_not_finish(tls: Certificates | None) -> None:
    stuck = Stuck()
    async with serving(stuck, tls=tls) as running, running.peer() as peer:
        peer.send(GET)
        await soon(stuck.started)
        await asyncio.wait_for(running.server.close(0.02), PATIENCE)
        assert stuck.cancelled.is_set()
        assert await peer.rest() == b""


async def test_close_ends_streams_without_waiting(tls: Certificates | None) -> None:
    stream = Stream()
    async with serving(stream, tls=tls) as running, running.peer() as peer:
        peer.send(GET)
        await peer.head()
        await asyncio.wait_for(running.server.close(60), PATIENCE)
        assert stream.closed.is_set()
        assert await peer.rest() == b""


async def test_close_does_not_wait_for_a_client_that_reads_nothing(
    tls: Certificates | None,
) -> None:
    stream = Stream(b"x" * 100_000, held=False)
    async with serving(stream, tls=tls) as running, running.peer(limit=1000) as peer:
        peer.send(GET)
        await peer.head()
        await asyncio.wait_for(running.server.close(60), PATIENCE)
        assert stream.closed.is_set()
        peer.writer.transport.abort()


async def test_a_port_in_use_is_an_error_and_nothing_listens() -> None:
    async with serving(echo) as running:
        used = running.server.addresses[0]
        probe = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        free = probe.sockets[0].getsockname()
        probe.close()
        await probe.wait_closed()
        with pytest.raises(OSError):
            await serve(echo, addresses=[free, used], tls=None)
        with pytest.raises(OSError):
            await asyncio.open_connection(*free)


async def test_several_addresses_are_served() -> None:
    server = await serve(echo, addresses=[("127.0.0.1", 0), ("127.0.0.1", 0)], tls=None)
    try:
        assert len({port for _, port in server.addresses}) == 2
        for address in server.addresses:
            peer = Peer(*await asyncio.open_connection(*address))
            assert (await peer.ask(GET)).status == 200
            await peer.leave()
    finally:
        await server.close()


# Garbage.

VALID = (
    GET
    + POST
    + b"Content-Length: 4\r\n\r\nbody"
    + POST
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    start = draw(st.integers(0, len(VALID)))
    end = draw(st.integers(start, min(len(VALID), start + 30)))
    return VALID[:start] + draw(st.binary(max_size=30)) + VALID[end:]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.binary(max_size=200), damaged()))
async def test_garbage_is_refused_or_cut_off(data: bytes) -> None:
    async def quiet(request: Request) -> Response:
        return Response(200)

    limits = Limits(head_seconds=0.02, body_seconds=0.02, idle_seconds=0.02, linger_seconds=0.02)
    async with serving(quiet, limits=limits) as running, running.peer() as peer:
        peer.send(data)
        received = await peer.rest()
        heads = [part[:4] for part in received.split(b"HTTP/1.1 ")[1:]]
        assert set(heads) <= {b"200 ", b"400 ", b"408 ", b"413 ", b"417 ", b"501 ", b"505 "}
        assert all(head == b"200 " for head in heads[:-1])


async def test_a_handshake_that_does_not_come_is_given_up(certificates: Certificates) -> None:
    limits = Limits(head_seconds=0.1)
    async with serving(echo, limits=limits, tls=certificates) as running:
        peer = Peer(*await asyncio.open_connection(*running.server.addresses[0]))
        assert await peer.rest() == b""
        await peer.leave()


async def test_tls_that_breaks_off_is_no_complaint(certificates: Certificates) -> None:
    async with serving(echo, tls=certificates) as running:
        async with running.peer() as peer:
            assert (await peer.ask(GET)).status == 200
            peer.writer.transport.abort()
        assert isinstance(running.trust, ssl.SSLContext)
