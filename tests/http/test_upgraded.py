"""Connections that are taken over: as a client sees it, and in the worst of hands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.http.limits import Limits
from argosy.http.message import Duplex, Handler, Request, Response, Takeover
from argosy.http.tls import Certificates
from tests.http.kit import GET, PATIENCE, Peer, echo, serving

ASK = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: parrot\r\n\r\n"


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest, certificates: Certificates) -> Certificates | None:
    return certificates if request.param else None


def taken_over(by: Takeover) -> Handler:
    """A handler that upgrades whoever asks for it, and tells others what it understood."""

    async def handler(request: Request) -> Response:
        if not request.upgrade:
            return await echo(request)
        return Response(101, {"Upgrade": request.upgrade}, upgrade=by)

    return handler


async def parrot(client: Duplex) -> None:
    while piece := await client.read():
        await client.write(piece)


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), PATIENCE)


async def exactly(peer: Peer, size: int) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await peer.reader.readexactly(size)


class Held:
    """Takes over, notes what becomes of it, and does what it is told while it waits."""

    def __init__(self, work: Callable[[Duplex], Awaitable[None]] | None = None) -> None:
        self.work = work
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.cancelled = False

    async def __call__(self, client: Duplex) -> None:
        self.begun.set()
        try:
            await (self.work(client) if self.work else asyncio.Event().wait())
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.ended.set()


async def test_a_connection_is_taken_over(tls: Certificates | None) -> None:
    async with serving(taken_over(parrot), tls=tls) as running, running.peer() as peer:
        peer.send(ASK)
        assert await peer.head() == (101, {"connection": "upgrade", "upgrade": "parrot"})
        for piece in (b"hello", b"\x00" * 1000, GET):
            peer.send(piece)
            assert await exactly(peer, len(piece)) == piece


async def test_bytes_behind_the_request_are_not_lost(tls: Certificates | None) -> None:
    async with serving(taken_over(parrot), tls=tls) as running, running.peer() as peer:
        peer.send(GET + ASK + b"at once")
        assert (await peer.answer()).status == 200
        assert (await peer.head())[0] == 101
        peer.send(b", and later")
        assert await exactly(peer, 18) == b"at once, and later"


async def test_bytes_that_come_before_the_answer_are_held() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        asked.set()
        await go_on.wait()
        return await taken_over(parrot)(request)

    sent = b"x" * 30_000_000
    async with serving(handler) as running, running.peer() as peer:
        peer.send(ASK)
        await soon(asked)
        peer.send(sent)
        await asyncio.sleep(0.05)
        assert peer.writer.transport.get_write_buffer_size() > 15_000_000
        go_on.set()
        assert (await peer.head())[0] == 101
        assert await exactly(peer, len(sent)) == sent


@pytest.mark.parametrize("size", [1, 10_000_000])
async def test_what_is_taken_over_carries_much(size: int, tls: Certificates | None) -> None:
    sent = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with serving(taken_over(parrot), tls=tls) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        peer.send(sent)
        assert await exactly(peer, size) == sent


async def test_returning_closes_the_connection(tls: Certificates | None) -> None:
    async def farewell(client: Duplex) -> None:
        await client.write(b"bye")

    async with serving(taken_over(farewell), tls=tls) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        assert await peer.rest() == b"bye"


async def test_last_words_arrive_though_the_client_goes_on_sending() -> None:
    async def deaf(client: Duplex) -> None:
        await client.read()
        await client.write(b"enough")

    async with serving(taken_over(deaf)) as running, running.peer() as peer:
        peer.send(ASK + b"x" * 2_000_000)
        await peer.head()
        assert await peer.rest() == b"enough"


async def test_each_side_may_end_its_own_half() -> None:
    async def count(client: Duplex) -> None:
        size = 0
        while piece := await client.read():
            size += len(piece)
        await client.write(b"%d" % size)
        client.finish()
        assert await client.read() == b""

    async with serving(taken_over(count)) as running, running.peer() as peer:
        peer.send(ASK + b"12345")
        peer.writer.write_eof()
        await peer.head()
        assert await peer.rest() == b"5"


# Refused.


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: h2c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: Upgrade\r\n"
        b"Upgrade: h2c\r\n\r\n",
    ],
)
async def test_who_is_not_upgraded_is_answered_and_may_go_on(
    head: bytes, tls: Certificates | None
) -> None:
    async with serving(echo, tls=tls) as running, running.peer() as peer:
        assert (await peer.ask(head)).status == 200
        assert (await peer.ask(GET)).status == 200
        peer.send(head + head + GET[:9])
        assert (await peer.answer()).status == 200
        assert (await peer.answer()).status == 200
        assert (await peer.ask(GET[9:])).status == 200


async def test_very_many_refused_upgrades_in_one_breath() -> None:
    async with serving(echo) as running, running.peer() as peer:
        peer.send(ASK * 2000)
        for _ in range(2000):
            assert (await peer.answer()).status == 200


async def test_no_upgrade_is_understood_in_http_1_0() -> None:
    head = b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: parrot\r\n\r\n"
    async with serving(taken_over(parrot)) as running, running.peer() as peer:
        answer = await peer.ask(head)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: parrot\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_half_a_wish_is_none(head: bytes) -> None:
    async with serving(taken_over(parrot)) as running, running.peer() as peer:
        assert (await peer.ask(head)).status == 200
        assert (await peer.ask(GET)).status == 200


async def test_nothing_is_read_behind_a_connect() -> None:
    async with serving(echo) as running, running.peer() as peer:
        answer = await peer.ask(b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        assert (answer.json()["method"], answer.headers["connection"]) == ("CONNECT", "close")
        assert await peer.rest() == b""


async def test_a_connection_that_shall_close_closes_after_a_refusal() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: a\r\n\r\n"
    async with serving(echo) as running, running.peer() as peer:
        answer = await peer.ask(head + GET)
        assert answer.headers["connection"] == "close"
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    ("ask", "headers"),
    [(GET, {"Upgrade": "a"}), (ASK, {}), (ASK, {"Upgrade": "a\r\nX: y"}), (ASK, {"Upgrade": "☃"})],
    ids=["nobody asked", "unnamed", "line break", "beyond latin-1"],
)
async def test_an_upgrade_that_cannot_be_is_a_fault_of_ours(
    ask: bytes, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request) -> Response:
        return Response(101, headers, upgrade=parrot)

    async with serving(handler) as running, running.peer() as peer:
        with caplog.at_level(logging.ERROR):
            assert (await peer.ask(ask)).status == 500
    assert "request handler failed" in caplog.text


# Ends.


@pytest.mark.parametrize("reads", [True, False])
async def test_a_client_that_goes_ends_it(reads: bool, tls: Certificates | None) -> None:
    async def work(client: Duplex) -> None:
        while reads and await client.read():
            pass
        await asyncio.Event().wait()

    held, limits = Held(work), Limits(stall_seconds=0.1)
    async with serving(taken_over(held), tls=tls, limits=limits) as running:
        async with running.peer() as peer:
            peer.send(ASK)
            await peer.head()
            peer.writer.transport.abort()
            await soon(held.ended)
    assert held.cancelled


async def test_a_writer_that_waits_is_let_go_with_its_client(tls: Certificates | None) -> None:
    async def flood(client: Duplex) -> None:
        while True:
            await client.write(b"x" * 100_000)

    held = Held(flood)
    async with serving(taken_over(held), tls=tls) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        await asyncio.sleep(0.05)
        peer.writer.transport.abort()
        await soon(held.ended)


async def test_a_slow_reader_holds_the_writer_up(tls: Certificates | None) -> None:
    written = 0

    async def flood(client: Duplex) -> None:
        nonlocal written
        while True:
            await client.write(b"x" * 100_000)
            written += 100_000

    held = Held(flood)
    async with serving(taken_over(held), tls=tls) as running, running.peer(limit=1000) as peer:
        peer.send(ASK)
        await peer.head()
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.05)
        assert written < 20_000_000
        await exactly(peer, before + 1_000_000)
        assert written > before


async def test_who_does_not_read_is_not_listened_to() -> None:
    held = Held()
    async with serving(taken_over(held)) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        peer.send(b"x" * 50_000_000)
        await asyncio.sleep(0.1)
        assert peer.writer.transport.get_write_buffer_size() > 30_000_000
        peer.writer.transport.abort()


async def test_who_writes_to_a_client_that_only_reads_may_go_on() -> None:
    async def tick(client: Duplex) -> None:
        assert await client.read() == b""
        for _ in range(5):
            await asyncio.sleep(0.05)
            await client.write(b"tick")

    limits = Limits(stall_seconds=0.15)
    async with serving(taken_over(tick), limits=limits) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        peer.writer.write_eof()
        assert await peer.rest() == b"tick" * 5


async def test_silence_ends_it(tls: Certificates | None) -> None:
    limits = Limits(upgraded_seconds=0.1)
    held = Held()
    async with serving(taken_over(held), tls=tls, limits=limits) as running:
        async with running.peer() as peer:
            peer.send(ASK)
            await peer.head()
            await soon(held.ended)
    assert held.cancelled


async def test_the_limits_of_requests_are_not_its_own() -> None:
    limits = Limits(head_seconds=0.05, body_seconds=0.05, idle_seconds=0.05, stall_seconds=0.05)
    async with serving(taken_over(parrot), limits=limits) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        await asyncio.sleep(0.2)
        peer.send(b"still here")
        assert await exactly(peer, 10) == b"still here"


async def test_the_server_ends_it_when_it_closes(tls: Certificates | None) -> None:
    async def work(client: Duplex) -> None:
        try:
            await client.read()
        finally:
            await client.write(b"closing")

    held = Held(work)
    async with serving(taken_over(held), tls=tls) as running, running.peer() as peer:
        peer.send(ASK)
        await peer.head()
        await asyncio.wait_for(running.server.close(grace=30), PATIENCE)
        assert held.cancelled
        assert await peer.rest() == b"closing"


async def test_a_server_that_closes_upgrades_nobody() -> None:
    asked, held = asyncio.Event(), Held()

    async def handler(request: Request) -> Response:
        asked.set()
        await asyncio.sleep(0.05)
        return await taken_over(held)(request)

    async with serving(handler) as running, running.peer() as peer:
        peer.send(ASK)
        await soon(asked)
        await asyncio.wait_for(running.server.close(grace=1), PATIENCE)
        assert await peer.rest() == b""
    assert not held.begun.is_set()


async def test_a_fault_of_who_took_over_is_logged_and_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(client: Duplex) -> None:
        raise RuntimeError("broken")

    async with serving(taken_over(broken)) as running, running.peer() as peer:
        peer.send(ASK)
        with caplog.at_level(logging.ERROR):
            await peer.head()
            assert await peer.rest() == b""
    assert "upgraded connection failed" in caplog.text


# Any bytes.


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=1000), cuts=st.sets(st.integers(1, 1000), max_size=5))
async def test_every_byte_goes_through_in_order(data: bytes, cuts: set[int]) -> None:
    whole = ASK + data
    async with serving(taken_over(parrot)) as running, running.peer() as peer:
        for start, end in pairwise([0, *sorted(cuts), len(ASK) + 1000]):
            peer.send(whole[start:end])
            await asyncio.sleep(0)
        await peer.head()
        assert await exactly(peer, len(data)) == data
