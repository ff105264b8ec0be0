"""A server on a free port and a client that shows the bytes. The client knows no httptools."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.http.limits import ErrorBody, Limits, plain_error
from argosy.http.message import Handler, Request, Response
from argosy.http.server import Server, serve
from argosy.http.tls import Certificates, server_context

PATIENCE = 1.5
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """One connection's client side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(PATIENCE):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        return int(status), dict(line.lower().split(": ", 1) for line in lines)

    async def chunk(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def answer(self, *, bare: bool = False) -> Answer:
        """The next answer; `bare` says that its body is not sent."""
        status, headers = await self.head()
        body = b""
        if not bare and headers.get("transfer-encoding") == "chunked":
            while piece := await self.chunk():
                body += piece
        elif not bare:
            async with asyncio.timeout(PATIENCE):
                body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    async def ask(self, data: bytes, *, bare: bool = False) -> Answer:
        self.send(data)
        return await self.answer(bare=bare)

    async def rest(self) -> bytes:
        """Everything until the server ends the connection, in whichever way."""
        received = b""
        async with asyncio.timeout(PATIENCE):
            try:
                while data := await self.reader.read(65536):
                    received += data
            except ConnectionError:
                pass
        return received

    async def leave(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass


@dataclass(frozen=True, slots=True)
class Running:
    server: Server
    trust: ssl.SSLContext | None

    @asynccontextmanager
    async def peer(self, *, limit: int = 65536) -> AsyncIterator[Peer]:
        host, port = self.server.addresses[0]
        streams = await asyncio.open_connection(host, port, ssl=self.trust, limit=limit)
        peer = Peer(*streams)
        try:
            yield peer
        finally:
            await peer.leave()


@asynccontextmanager
async def serving(
    handler: Handler,
    *,
    limits: Limits | None = None,
    tls: Certificates | None = None,
    error_body: ErrorBody = plain_error,
) -> AsyncIterator[Running]:
    """Runs a server. Whatever the event loop had to complain of fails the test."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    server = await serve(
        handler,
        addresses=[("127.0.0.1", 0)],
        tls=server_context(tls.cert_file, tls.key_file) if tls else None,
        limits=limits,
        error_body=error_body,
    )
    trust = ssl.create_default_context(cadata=tls.ca_pem.decode()) if tls else None
    try:
        yield Running(server, trust)
    finally:
        await server.close()
        loop.set_exception_handler(None)
    assert complaints == []


async def echo(request: Request) -> Response:
    """Answers with what was understood."""
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": request.body.decode("latin-1"),
    }
    return Response(200, {"Content-Type": "application/json"}, json.dumps(told).encode())
