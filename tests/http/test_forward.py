"""Requests that are passed on to another server: over real sockets, with servers good and bad."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from argosy.http.forward import forward
from argosy.http.message import Duplex, Request, Response
from argosy.http.tls import Certificates
from tests.http.kit import GET, PATIENCE, echo, serving


@asynccontextmanager
async def saying(*pieces: bytes) -> AsyncIterator[tuple[int, asyncio.Future[bytes]]]:
    """A server that reads a head, says these things and hangs up: its port, and what it read."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        writer.close()
        heard.set_result(data)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def whole(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])


async def test_a_request_goes_through_and_its_answer_comes_back(
    certificates: Certificates,
) -> None:
    trust = ssl.create_default_context(cadata=certificates.ca_pem.decode())
    for tls, context in ((None, None), (certificates, trust)):
        async with serving(echo, tls=tls) as behind:
            port = behind.server.addresses[0][1]

            async def front(
                request: Request, port: int = port, context: ssl.SSLContext | None = context
            ) -> Response:
                return await forward(request, "127.0.0.1", port, tls=context)

            async with serving(front) as running, running.peer() as peer:
                answer = await peer.ask(
                    b"PUT /a%20b//c?d=e HTTP/1.1\r\nHost: h\r\nX-Y: 1\r\nKeep-Alive: 5\r\n"
                    b"Connection: x-mine\r\nX-Mine: 2\r\nContent-Length: 4\r\n\r\nbody"
                )
                assert answer.json() == {
                    "method": "PUT",
                    "path": "/a%20b//c",
                    "query": "d=e",
                    "headers": {
                        "host": "h",
                        "x-y": "1",
                        "x-forwarded-for": "127.0.0.1",
                        "content-length": "4",
                        "connection": "close",
                    },
                    "body": "body",
                }
                assert answer.headers["content-type"] == "application/json"
                assert (await peer.ask(GET)).status == 200


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"a", b"b"], 200, b"ab"),
        ([b"HTTP/1.0 200 OK\r\n\r\nab", b"c"], 200, b"abc"),
        (
            [b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n"],
            404,
            b"x",
        ),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], 200, b""),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
        ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"], 304, b""),
    ],
)
async def test_answers_of_all_forms_are_understood(
    pieces: list[bytes], status: int, body: bytes
) -> None:
    async with saying(*pieces) as (port, _):
        response = await forward(Request("GET", "/"), "127.0.0.1", port)
        assert (response.status, await whole(response)) == (status, body)


async def test_a_head_has_no_body() -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as (port, heard):
        response = await forward(Request("HEAD", "/"), "127.0.0.1", port)
        assert (response.status, response.body) == (200, b"")
        assert (await heard).startswith(b"HEAD / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 200 OK\r\n"],
        [b"SSH-2.0-OpenSSH\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000],
        [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n"],
    ],
    ids=["silence", "half a head", "no HTTP", "a flood", "an upgrade unasked"],
)
async def test_what_is_no_answer_is_an_error(pieces: list[bytes]) -> None:
    async with saying(*pieces) as (port, _):
        with pytest.raises(OSError, match="server"):
            await forward(Request("GET", "/"), "127.0.0.1", port)


@pytest.mark.parametrize(
    "piece",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_an_answer_that_is_cut_short_is_not_taken_for_whole(piece: bytes) -> None:
    async with saying(piece[:40], piece[40:]) as (port, _):
        with pytest.raises(ConnectionError):
            await whole(await forward(Request("GET", "/"), "127.0.0.1", port))


async def test_nobody_listens() -> None:
    async with saying() as (port, _):
        pass
    with pytest.raises(OSError, match="refused|failed"):
        await forward(Request("GET", "/"), "127.0.0.1", port)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/a b"),
        Request("GET", "/\r\nX: y"),
        Request("GET", "http://other/"),
        Request("GET", "/", "\x7f"),
        Request("GET", "/", "", {"x": "a\r\nb: c"}),
    ],
)
async def test_a_request_that_says_two_things_is_not_sent(request_: Request) -> None:
    with pytest.raises(ValueError, match=r"line break|path"):
        await forward(request_, "127.0.0.1", 1)


async def test_a_client_that_leaves_hangs_up_on_the_other() -> None:
    gone = asyncio.Event()

    async def endless(request: Request) -> Response:
        async def pieces() -> AsyncGenerator[bytes, None]:
            try:
                while True:
                    yield b"x" * 1000
                    await asyncio.sleep(0)
            finally:
                gone.set()

        return Response(200, {}, pieces())

    async with serving(endless) as behind:
        port = behind.server.addresses[0][1]

        async def front(request: Request) -> Response:
            return await forward(request, "127.0.0.1", port)

        async with serving(front) as running:
            async with running.peer() as peer:
                peer.send(GET)
                await peer.head()
                assert await peer.chunk()
            await asyncio.wait_for(gone.wait(), PATIENCE)


async def test_an_answer_that_nobody_wants_lets_go() -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as (port, _):
        response = await forward(Request("GET", "/"), "127.0.0.1", port)
        assert not isinstance(response.body, bytes)
        await response.body.aclose()


@pytest.mark.parametrize("granted", [True, False])
async def test_an_upgrade_is_passed_on(granted: bool) -> None:
    async def parrot(client: Duplex) -> None:
        await client.write(b"welcome ")
        while piece := await client.read():
            await client.write(piece)
        await client.write(b" bye")

    async def behind(request: Request) -> Response:
        if granted and request.upgrade == "parrot":
            return Response(101, {"Upgrade": "parrot", "X-A": "b"}, upgrade=parrot)
        return await echo(request)

    async with serving(behind) as second:
        port = second.server.addresses[0][1]

        async def front(request: Request) -> Response:
            return await forward(request, "127.0.0.1", port)

        async with serving(front) as first, first.peer() as peer:
            peer.send(
                b"GET /p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: parrot\r\n\r\n"
            )
            if not granted:
                assert (await peer.answer()).status == 200
                assert (await peer.ask(GET)).status == 200
                return
            status, headers = await peer.head()
            assert (status, headers["upgrade"], headers["x-a"]) == (101, "parrot", "b")
            peer.send(b"hello" * 100_000)
            peer.writer.write_eof()
            assert await peer.rest() == b"welcome " + b"hello" * 100_000 + b" bye"


async def test_further_headers_are_sent_as_often_as_they_are_given() -> None:
    async with saying(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, heard):
        request = Request("GET", "/", headers={"connection": "x-group", "x-group": "mine"})
        await forward(request, "127.0.0.1", port, also=[("x-group", "a"), ("x-group", "b")])
        lines = (await heard).decode().split("\r\n")
    assert [line for line in lines if line.startswith("x-group")] == ["x-group: a", "x-group: b"]


async def test_a_further_header_with_a_line_break_is_not_sent() -> None:
    with pytest.raises(ValueError, match="line break"):
        await forward(Request("GET", "/"), "127.0.0.1", 1, also=[("x-user", "a\r\nx-group: b")])


@pytest.mark.parametrize(("named", "taken"), [("localhost", True), ("other.svc", False)])
async def test_the_server_must_have_the_name_that_it_is_called(
    certificates: Certificates, named: str, taken: bool
) -> None:
    trust = ssl.create_default_context(cadata=certificates.ca_pem.decode())
    async with serving(echo, tls=certificates) as behind:
        port = behind.server.addresses[0][1]
        asked = forward(Request("GET", "/"), "127.0.0.1", port, tls=trust, named=named)
        if taken:
            response = await asked
            assert response.status == 200
            await whole(response)
        else:
            with pytest.raises(ssl.SSLError):
                await asked
