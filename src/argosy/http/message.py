"""A request and a response: what crosses between the two towers, with or without a socket.

A response may also take the connection over: status 101 with an `upgrade`, which is then handed the
connection as a `Duplex` of raw bytes.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import parse_qs

_SHORT: Final = 256
"""Characters of a query up to which it is remembered: most requests say what others said."""

# Nobody changes either; they are not frozen because that would double the time to make them.


class Peer(Protocol):
    """The other end of a connection."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Its IP address and port; None where it has none (a Unix socket)."""
        ...

    @property
    def certificate(self) -> bytes | None:
        """The certificate that it showed and that was verified, as DER; None without one."""
        ...


class Duplex(Protocol):
    """A connection that was taken over: bytes in, bytes out, no frames.

    Nothing here raises for a client that has gone: reading ends, writing is in vain, and the one
    who took over is cancelled. One may read and another write at the same time, not two the same.
    """

    async def read(self) -> bytes:
        """What has come, the bytes behind the request's head first; b"" at the client's end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; waits while the client reads more slowly than is written."""
        ...

    def finish(self) -> None:
        """Say that nothing more will be written, where the connection can say so: not over TLS."""
        ...


Takeover = Callable[[Duplex], Awaitable[None]]
"""Runs on a connection that was upgraded, until it returns: then the connection is closed. It is
cancelled when the client goes and when the server closes."""


@dataclass(slots=True)
class Request:
    """One whole request. Header names are lower-case; `path` is as sent, before any decoding.

    `upgrade` is the protocol that the client asks to go over to, if it asks; `peer` is the client,
    where the request came over a connection. A header that is there several times is one value,
    joined by `, `; `repeated` has these apart.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    upgrade: str = ""
    peer: Peer | None = None
    repeated: Mapping[str, Sequence[str]] | None = None

    def values(self, name: str) -> Sequence[str]:
        """All values of a header, as they were sent."""
        if self.repeated is not None and name in self.repeated:
            return self.repeated[name]
        return (self.headers[name],) if name in self.headers else ()

    def parameters(self) -> dict[str, str]:
        """The query's parameters; of one that is there several times, the first.

        So do servers written in Go: whoever is asked about a request here, and whoever answers it
        behind this server, must read the same.
        """
        if not self.query:
            return {}
        return dict((_known if len(self.query) <= _SHORT else _parsed)(self.query))


def _parsed(query: str) -> dict[str, str]:
    found = parse_qs(query, keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


_known: Final = lru_cache(maxsize=256)(_parsed)
"""What it gives is nobody's to change."""


@dataclass(slots=True)
class Response:
    """One answer: a whole body, or pieces that are sent as they come (and closed when done).

    With status 101, and to a request that asks for it only: no body but an `upgrade`.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncGenerator[bytes, None] = b""
    upgrade: Takeover | None = None


Handler = Callable[[Request], Awaitable[Response]]
