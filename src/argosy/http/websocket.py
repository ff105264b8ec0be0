"""WebSocket (RFC 6455) on a connection that was taken over: whole messages both ways.

The frames are wsproto's business, the opening handshake and the connection are ours. Extensions are
not offered.
"""

import asyncio
import base64
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    TextMessage,
)

from argosy.http.message import Duplex, Request, Response

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES: Final = 16
LONGEST_MESSAGE: Final = 1024 * 1024
TOO_BIG: Final = 1009
NORMAL: Final = 1000
_GOODBYE_SECONDS: Final = 2.0

Work = Callable[["WebSocket", str], Awaitable[None]]


def wanted(request: Request) -> bool:
    """Whether the client asks to go over to WebSocket."""
    return request.upgrade.lower() == "websocket"


def accept(request: Request, supported: Sequence[str], work: Work) -> Response:
    """Grant the upgrade and let `work` have the socket, with the protocol that was agreed on.

    That is the first the client offers of those `supported`. Raises ValueError where there is none
    and where the handshake is wrong.
    """
    headers = request.headers
    if request.method != "GET" or headers.get("sec-websocket-version") != "13":
        raise ValueError("a WebSocket is opened by GET, and in version 13")
    key = headers.get("sec-websocket-key", "")
    try:
        decoded = base64.b64decode(key, validate=True)
    except ValueError:
        decoded = b""
    if len(decoded) != _KEY_BYTES:
        raise ValueError("Sec-WebSocket-Key is not 16 bytes in base64")
    offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
    protocol = next((name for name in offered if name in supported), None)
    if protocol is None:
        known, asked = " ".join(supported), " ".join(offered)
        raise ValueError(f"requested protocol(s) are not supported: [{asked}]; supports [{known}]")

    async def takeover(client: Duplex) -> None:
        await work(WebSocket(client), protocol)

    granted = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest()).decode()
    answer = {
        "Upgrade": "websocket",
        "Sec-WebSocket-Accept": granted,
        "Sec-WebSocket-Protocol": protocol,
    }
    return Response(101, answer, upgrade=takeover)


class WebSocket:
    """The server's side. Several may send at the same time, one may receive."""

    def __init__(self, client: Duplex) -> None:
        self._client = client
        self._frames = Connection(ConnectionType.SERVER)
        self._sending = asyncio.Lock()
        self._whole: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._size = 0
        self._over = False

    async def receive(self) -> bytes | None:
        """The next message, text as UTF-8; None when there is none to come."""
        while not (self._whole or self._over):
            if not (data := await self._client.read()):
                self._over = True
                break
            self._frames.receive_data(data)
            for event in self._frames.events():
                await self._take(event)
        return self._whole.popleft() if self._whole else None

    async def send(self, message: bytes) -> None:
        """A binary message; in vain once the socket is closed."""
        await self._send(BytesMessage(data=message))

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say goodbye, and wait a moment for the client to say it too."""
        await self._send(CloseConnection(code=code, reason=reason))
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                while await self.receive() is not None:
                    pass

    async def _take(self, event: Event) -> None:
        if isinstance(event, Ping):
            await self._send(event.response())
        elif isinstance(event, CloseConnection):  # the client's, or ours about its mistakes
            self._over = True
            await self._send(event.response())
        elif isinstance(event, BytesMessage | TextMessage):
            data = event.data
            part = data.encode() if isinstance(data, str) else bytes(data)
            self._size += len(part)
            if self._size > LONGEST_MESSAGE:
                await self._take(CloseConnection(code=TOO_BIG, reason="message too big"))
                self._parts = []
                return
            self._parts.append(part)
            if event.message_finished:
                self._whole.append(b"".join(self._parts))
                self._parts, self._size = [], 0

    async def _send(self, event: Event) -> None:
        async with self._sending:
            state = self._frames.state
            ending = isinstance(event, CloseConnection) and state is ConnectionState.REMOTE_CLOSING
            if state is ConnectionState.OPEN or ending:
                await self._client.write(self._frames.send(event))
