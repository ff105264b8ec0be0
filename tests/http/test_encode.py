from collections.abc import AsyncGenerator

import pytest

from argosy.http.encode import Framing, encode_head, framing_of
from argosy.http.message import Response

DATE = "Sat, 21 Nov 2026 08:00:00 GMT"


async def pieces() -> AsyncGenerator[bytes, None]:
    yield b""


def encoded(response: Response, framing: Framing, **changes: object) -> bytes:
    given = {"version": "1.1", "keep_alive": True, "date": DATE, **changes}
    return encode_head(response, framing, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "method", "version", "streamed", "expected"),
    [
        (200, "GET", "1.1", False, Framing.LENGTH),
        (200, "HEAD", "1.1", False, Framing.LENGTH),
        (200, "GET", "1.1", True, Framing.CHUNKED),
        (200, "HEAD", "1.1", True, Framing.CHUNKED),
        (200, "GET", "1.0", True, Framing.CLOSE),
        (200, "HEAD", "1.0", True, Framing.NONE),
        (204, "GET", "1.1", False, Framing.NONE),
        (304, "GET", "1.1", True, Framing.NONE),
    ],
)
def test_framing(status: int, method: str, version: str, streamed: bool, expected: Framing) -> None:
    response = Response(status, {}, pieces() if streamed else b"body")
    assert framing_of(response, method=method, version=version) is expected


def test_a_head() -> None:
    response = Response(201, {"Content-Type": "text/plain", "X-A": "\xe9"}, b"body")
    assert encoded(response, Framing.LENGTH) == (
        b"HTTP/1.1 201 Created\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
        b"Content-Type: text/plain\r\nX-A: \xe9\r\nContent-Length: 4\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("framing", "version", "keep_alive", "line"),
    [
        (Framing.CHUNKED, "1.1", True, b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (Framing.LENGTH, "1.1", False, b"\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"),
        (Framing.LENGTH, "1.0", True, b"\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n"),
        (Framing.NONE, "1.1", True, b" GMT\r\n\r\n"),
    ],
)
def test_framing_headers(framing: Framing, version: str, keep_alive: bool, line: bytes) -> None:
    head = encoded(Response(200, {}, b"body"), framing, version=version, keep_alive=keep_alive)
    assert head.endswith(line)


def test_a_handler_does_not_frame() -> None:
    headers = {"content-length": "99", "Transfer-Encoding": "gzip", "CONNECTION": "x"}
    head = encoded(Response(200, headers, b"body"), Framing.LENGTH)
    assert head.lower().count(b"content-length") == 1
    assert b"gzip" not in head and b": x" not in head


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {"X": "a\r\nSet-Cookie: b"}),
        Response(200, {"X": "a\n"}),
        Response(200, {"X\r": "a"}),
        Response(200, {"X": "\u20ac"}),
        Response(101),
        Response(1000),
    ],
)
def test_what_would_break_the_connection_is_not_encoded(response: Response) -> None:
    with pytest.raises(ValueError):
        encoded(response, Framing.LENGTH)


def test_unknown_statuses_have_no_phrase() -> None:
    assert encoded(Response(299), Framing.LENGTH).startswith(b"HTTP/1.1 299 \r\n")
