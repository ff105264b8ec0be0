"""Passing a request on to another HTTP server, and its answer back, without reading either.

One connection a request. Headers that belong to a single connection (RFC 9110, 7.6.1) stay behind,
all others go through as they are; bodies stream, and an upgrade that the other server grants is
passed on as bytes in both directions.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from typing import Final

import httptools

from argosy.http.message import Duplex, Request, Response, Takeover

_OF_ONE_CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HEAD_BYTES: Final = 64 * 1024
_PIECE: Final = 64 * 1024
_DIAL_SECONDS: Final = 30.0
_WITHOUT_BODY: Final = frozenset({204, 304})


async def forward(
    request: Request,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    named: str | None = None,
    also: Sequence[tuple[str, str]] = (),
) -> Response:
    """The answer of the server at `host` and `port` to `request`.

    With TLS it must be `named` so, if not like `host`. `also` are further headers, which no header
    of the request can take away.

    Raises OSError where no connection or no whole head of an answer comes about, ValueError for a
    request that can't be written down.
    """
    head = _head(request, also)
    async with asyncio.timeout(_DIAL_SECONDS):
        reader, writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=named if tls else None
        )
    try:
        writer.write(head + request.body)
        backend = _Backend(reader, writer)
        await backend.begin()
        return await _passed_on(request, backend)
    except BaseException:
        writer.close()
        raise


def _head(request: Request, also: Sequence[tuple[str, str]]) -> bytes:
    target = f"{request.path}?{request.query}" if request.query else request.path
    if not target.startswith("/") or any(not "!" <= char <= "~" for char in target):
        raise ValueError("the path has characters that no path may have")
    fields = {"host": "localhost", **_kept(request.headers)}
    if request.peer is not None and request.peer.address is not None:
        before = fields.get("x-forwarded-for")
        address = request.peer.address[0]
        fields["x-forwarded-for"] = f"{before}, {address}" if before else address
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        fields["content-length"] = str(len(request.body))
    if request.upgrade:
        fields.update(connection="Upgrade", upgrade=request.upgrade)
    else:
        fields["connection"] = "close"
    lines = [f"{request.method} {target} HTTP/1.1", *_lines([*fields.items(), *also])]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _lines(fields: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in fields)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    left = _OF_ONE_CONNECTION | named
    return {name: value for name, value in headers.items() if name.lower() not in left}


async def _passed_on(request: Request, backend: "_Backend") -> Response:
    status, headers = backend.status, _kept(backend.headers)
    if status == 101:
        if not request.upgrade:
            raise ConnectionError("the server upgrades a request that did not ask for it")
        headers["upgrade"] = backend.headers.get("upgrade", request.upgrade)
        return Response(101, headers, upgrade=_spliced(backend))
    if request.method == "HEAD" or status in _WITHOUT_BODY:
        backend.writer.close()
        return Response(status, headers)
    pieces = backend.pieces()
    await anext(pieces)  # begun, so that closing it closes the connection in any case
    return Response(status, headers, pieces)


class _Backend:
    """The other server's connection. Its `on_…` methods are called by httptools."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.rest = b""  # behind the head of a granted upgrade
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._whole = False

    async def begin(self) -> None:
        """Read until the head of the final answer is there."""
        size = 0
        while not self.status:
            data = await self._reader.read(_PIECE)
            size += len(data)
            if not data or size > _HEAD_BYTES:
                raise ConnectionError("the server sends no answer")
            self._feed(data)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body, after a first empty piece."""
        try:
            yield b""
            while True:
                while self._pieces:
                    yield self._pieces.popleft()
                if self._whole:
                    return
                data = await self._reader.read(_PIECE)
                if not data and self._until_end():
                    return
                if not data:
                    raise ConnectionError("the server's answer was cut short")
                self._feed(data)
        finally:
            self.writer.close()

    async def read(self) -> bytes:
        """Bytes of an upgraded connection."""
        rest, self.rest = self.rest, b""
        return rest or await self._reader.read(_PIECE)

    def _until_end(self) -> bool:
        return not {"content-length", "transfer-encoding"} & self.headers.keys()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            self.rest = data[stopped.args[0] :]
        except httptools.HttpParserError as error:
            raise ConnectionError(f"the server's answer is malformed: {error}") from None

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        before = self.headers.get(key)
        self.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 101 or status >= 200:
            self.status = status
        else:  # an interim answer
            self.headers = {}

    def on_body(self, part: bytes) -> None:
        self._pieces.append(part)

    def on_message_complete(self) -> None:
        self._whole = self.status != 0


def _spliced(backend: _Backend) -> Takeover:
    """Takes the client's connection over and joins it to the other server's."""

    async def takeover(client: Duplex) -> None:
        sending = asyncio.create_task(_send(client, backend.writer))
        try:
            while piece := await backend.read():
                await client.write(piece)
        except ConnectionError:
            pass  # the other server has gone, and with it the client's connection ends
        finally:
            sending.cancel()
            backend.writer.close()

    return takeover


async def _send(client: Duplex, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await client.read():
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()
    except ConnectionError:
        return  # the other direction tells
