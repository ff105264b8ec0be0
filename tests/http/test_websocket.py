"""WebSockets: with a real client library, and with clients that break the rules."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from argosy.http.message import Request, Response
from argosy.http.tls import Certificates
from argosy.http.websocket import LONGEST_MESSAGE, WebSocket, accept, wanted
from tests.http.kit import GET, PATIENCE, Peer, Running, serving

PROTOCOLS = ("v2.parrot", "v1.parrot")
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
ASK = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v1.parrot\r\n"
)


class Parrot:
    """Says everything twice; ends at the word of `bye`."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        try:
            return accept(request, PROTOCOLS, self.work)
        except ValueError as error:
            return Response(400, {}, str(error).encode())

    async def work(self, socket: WebSocket, protocol: str) -> None:
        try:
            await socket.send(protocol.encode())
            while (message := await socket.receive()) is not None:
                if message == b"bye":
                    await socket.close(reason="as you wish")
                    return
                await asyncio.gather(socket.send(message), socket.send(message))
        finally:
            self.over.set()


@asynccontextmanager
async def parrot(tls: Certificates | None = None) -> AsyncIterator[tuple[Parrot, Running]]:
    bird = Parrot()
    async with serving(bird.handle, tls=tls) as running:
        yield bird, running


@asynccontextmanager
async def opened(
    running: Running, *protocols: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    host, port = running.server.addresses[0]
    scheme = "https" if running.trust else "http"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{scheme}://{host}:{port}/",
            protocols=protocols,
            ssl=running.trust or True,
            max_msg_size=0,
        ) as socket,
    ):
        yield socket


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client_library_is_understood(secure: bool, certificates: Certificates) -> None:
    async with parrot(certificates if secure else None) as (bird, running):
        async with opened(running, "nonsense", "v1.parrot", "v2.parrot") as socket:
            assert socket.protocol == "v1.parrot"
            async with asyncio.timeout(PATIENCE):
                assert await socket.receive_bytes() == b"v1.parrot"
                for message in (b"", b"a", os.urandom(200), os.urandom(LONGEST_MESSAGE)):
                    await socket.send_bytes(message)
                    assert await socket.receive_bytes() == message
                    assert await socket.receive_bytes() == message
                await socket.send_str("hällo")
                assert await socket.receive_bytes() == "hällo".encode()
                await socket.receive_bytes()
                await socket.ping(b"are you there?")
                await socket.send_bytes(b"bye")
                end = await socket.receive()
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1000, "as you wish")
        await asyncio.wait_for(bird.over.wait(), PATIENCE)


async def test_the_client_may_close() -> None:
    async with parrot() as (bird, running):
        async with opened(running, "v2.parrot") as socket:
            await socket.receive_bytes()
            assert await socket.close()
            assert socket.close_code == 1000
        await asyncio.wait_for(bird.over.wait(), PATIENCE)


async def test_a_message_may_be_too_long() -> None:
    async with parrot() as (bird, running), opened(running, "v2.parrot") as socket:
        await socket.receive_bytes()
        await socket.send_bytes(b"x" * (LONGEST_MESSAGE + 1))
        async with asyncio.timeout(PATIENCE):
            end = await socket.receive()
        assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 1009)
        await asyncio.wait_for(bird.over.wait(), PATIENCE)


async def begun(peer: Peer) -> None:
    peer.send(ASK + KEY + b"\r\n")
    status, headers = await peer.head()
    assert status == 101
    # From RFC 6455, 1.3.
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".lower()
    assert headers["sec-websocket-protocol"] == "v1.parrot"
    async with asyncio.timeout(PATIENCE):
        assert await peer.reader.readexactly(11) == b"\x82\x09v1.parrot"


async def test_pieces_are_joined_and_pings_between_them_answered() -> None:
    async with parrot() as (_, running), running.peer() as peer:
        await begun(peer)
        mask = b"\0\0\0\0"
        peer.send(b"\x02\x82" + mask + b"ab" + b"\x89\x81" + mask + b"p")
        async with asyncio.timeout(PATIENCE):
            assert await peer.reader.readexactly(3) == b"\x8a\x01p"
            peer.send(b"\x80\x81" + mask + b"c")
            assert await peer.reader.readexactly(10) == b"\x82\x03abc" * 2


@pytest.mark.parametrize(
    "frames",
    [
        b"\x82\x02ab",
        b"\xf2\x80\0\0\0\0",
        b"\x83\x80\0\0\0\0",
        b"\x80\x80\0\0\0\0",
        b"\x81\x81\0\0\0\0\xff",
        b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
        b"\x89\xfe\x00\x7e\0\0\0\0",
    ],
    ids=["unmasked", "reserved bits", "unknown", "a rest", "no UTF-8", "endless", "a long ping"],
)
async def test_who_breaks_the_rules_is_told_and_cut_off(frames: bytes) -> None:
    async with parrot() as (bird, running), running.peer() as peer:
        await begun(peer)
        peer.send(frames + b"more" * 1000)
        assert (await peer.rest())[:1] in (b"\x88", b"")
        await asyncio.wait_for(bird.over.wait(), PATIENCE)


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (ASK, b"Key"),
        (ASK + b"Sec-WebSocket-Key: YQ==\r\n", b"Key"),
        (ASK + b"Sec-WebSocket-Key: \xe4\r\n", b"Key"),
        (ASK.replace(b"13", b"8") + KEY, b"13"),
        (ASK.replace(b"GET", b"POST") + KEY, b"GET"),
        (ASK.replace(b"v1.", b"v0.") + KEY, b"[v0.parrot]; supports [v2.parrot v1.parrot]"),
    ],
)
async def test_a_wrong_handshake_is_refused(head: bytes, word: bytes) -> None:
    async with parrot() as (_, running), running.peer() as peer:
        answer = await peer.ask(head + b"\r\n")
        assert answer.status == 400
        assert word in answer.body
        assert (await peer.ask(GET)).status == 400


@pytest.mark.parametrize(("upgrade", "expected"), [("WebSocket", True), ("SPDY/3.1", False)])
def test_a_wish_is_recognised(upgrade: str, expected: bool) -> None:
    assert wanted(Request("GET", "/", upgrade=upgrade)) is expected
