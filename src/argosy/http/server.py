"""An HTTP/1.1 server in the event loop of its caller, TLS included.

It is an asyncio protocol of our own over httptools (`protocol`, `reader`): of the five servers that
were measured the fastest, above all on uvloop. It knows a `Handler` and nothing above it.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Final

from argosy.base.clock import Clock, SystemClock
from argosy.http.limits import ErrorBody, Limits, plain_error
from argosy.http.message import Handler
from argosy.http.protocol import Connection, Shared

_BACKLOG: Final = 1024
# For handlers that are cancelled at the end of the grace: time to clean up in.
_LAST_SECONDS: Final = 1.0


class Server:
    """A server that listens. `addresses` are the ports that it is bound to, in order."""

    def __init__(self, listeners: Sequence[asyncio.Server], shared: Shared) -> None:
        self._listeners = listeners
        self._shared = shared
        self.addresses = tuple(_addresses(listeners))

    async def close(self, grace: float = 0.0) -> None:
        """Stop listening and end all connections.

        Idle connections and streams end at once, requests in flight get `grace` seconds.
        """
        self._shared.closed = True
        for listener in self._listeners:
            listener.close()
        connections = list(self._shared.connections)
        in_flight = [connection for connection in connections if connection.shut_down()]
        if in_flight and grace > 0:
            await asyncio.wait([connection.lost for connection in in_flight], timeout=grace)
        # One turn: cancelled streams write their last and idle ones say goodbye.
        await asyncio.sleep(0)
        for connection in list(self._shared.connections):
            connection.abort()
        if connections:
            tasks = [connection.task for connection in connections]
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)
            await asyncio.wait([connection.lost for connection in connections])
        for listener in self._listeners:
            await listener.wait_closed()


def _addresses(listeners: Iterable[asyncio.Server]) -> Iterable[tuple[str, int]]:
    for listener in listeners:
        for sock in listener.sockets:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                host, port, *_ = sock.getsockname()
                yield host, port


async def serve(
    handler: Handler,
    *,
    addresses: Sequence[tuple[str, int]],
    tls: ssl.SSLContext | None,
    limits: Limits | None = None,
    error_body: ErrorBody = plain_error,
    clock: Clock | None = None,
) -> Server:
    """Serve `handler` on `addresses` (port 0: any free one), or none of them and an OSError."""
    limits = limits or Limits()
    shared = Shared(handler, limits=limits, error_body=error_body, clock=clock or SystemClock())
    loop = asyncio.get_running_loop()
    listeners: list[asyncio.Server] = []
    try:
        for host, port in addresses:
            listener = await loop.create_server(
                lambda: Connection(shared),
                host,
                port,
                ssl=tls,
                backlog=_BACKLOG,
                ssl_handshake_timeout=limits.head_seconds if tls else None,
                start_serving=False,
            )
            listeners.append(listener)
        for listener in listeners:
            await listener.start_serving()
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return Server(listeners, shared)
