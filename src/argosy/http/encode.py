"""A response's head as bytes. How its body is framed is decided here and by nobody else."""

from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Final

from argosy.http.message import Response

_PHRASES: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus}
# Hop-by-hop and framing headers are the server's; a handler's own would contradict them.
_OURS: Final = frozenset(
    {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}
)
_BODILESS: Final = frozenset({204, 304})


class Framing(Enum):
    """How the client learns where the body ends."""

    NONE = "there is no body"
    LENGTH = "by its length"
    CHUNKED = "by the last chunk"
    CLOSE = "by the connection's end"


# Python 3.11 looks an enumeration's members up slowly, and these are looked at for every request.
NONE: Final = Framing.NONE
LENGTH: Final = Framing.LENGTH
CHUNKED: Final = Framing.CHUNKED
CLOSE: Final = Framing.CLOSE


def framing_of(response: Response, *, method: str, version: str) -> Framing:
    """How `response` to a request of this method and HTTP version is framed (RFC 9112, 6.3)."""
    if response.status in _BODILESS:
        return NONE
    if isinstance(response.body, bytes):
        return LENGTH
    if version == "1.0":
        # A HEAD tells of no length, and of no close that it does not need.
        return NONE if method == "HEAD" else CLOSE
    return CHUNKED


def encode_switch(headers: Mapping[str, str]) -> bytes:
    """The head of an answer that ends HTTP on the connection. Raises ValueError.

    `headers` must have `Upgrade`, the protocol that is gone over to.
    """
    kept = {name: value for name, value in headers.items() if name.lower() not in _OURS}
    fields = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
    if fields.count("\r") != len(kept) or fields.count("\n") != len(kept):
        raise ValueError("a response header holds a line break")
    if not any(name.lower() == "upgrade" for name in kept):
        raise ValueError("a switch of protocols names none")
    head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
    return f"{head}{fields}\r\n".encode("latin-1")


def encode_head(
    response: Response, framing: Framing, *, version: str, keep_alive: bool, date: str
) -> bytes:
    """Status line and headers with the empty line. Raises ValueError for what can't be sent."""
    status = response.status
    if not 200 <= status <= 999:
        raise ValueError(f"{status} is not the status of a final response")
    fields = ""
    count = 0
    for name, value in response.headers.items():
        if name.lower() not in _OURS:
            fields += f"{name}: {value}\r\n"
            count += 1
    if fields.count("\r") != count or fields.count("\n") != count:
        raise ValueError("a response header holds a line break")
    if framing is LENGTH:
        fields += f"Content-Length: {len(response.body)}\r\n"  # type: ignore[arg-type]
    elif framing is CHUNKED:
        fields += "Transfer-Encoding: chunked\r\n"
    if not keep_alive:
        fields += "Connection: close\r\n"
    elif version == "1.0":
        fields += "Connection: keep-alive\r\n"
    phrase = _PHRASES.get(status, "")
    return f"HTTP/1.1 {status} {phrase}\r\nDate: {date}\r\n{fields}\r\n".encode("latin-1")
