"""Bytes in, whole requests out, without any I/O: httptools parses, this file judges.

Whatever could be read in two ways is refused (RFC 9112: two lengths, a length beside a transfer
encoding, folded lines); most of that httptools does by itself. Used by `protocol`.
"""

from enum import Enum
from typing import Final, NamedTuple, NoReturn

import httptools

from argosy.http.limits import Limits
from argosy.http.message import Peer, Request


class Incoming(NamedTuple):
    """A request that has arrived whole, and what its connection must know of it."""

    request: Request
    keep_alive: bool
    version: str


class Refusal(NamedTuple):
    """A request that is not served; nothing that comes after it is read."""

    status: int
    text: str


class Phase(Enum):
    """How far the request that is now arriving has come."""

    BETWEEN = "between requests"
    HEAD = "in the head"
    BODY = "in the body"
    OVER = "after the last request"


# Python 3.11 looks an enumeration's members up slowly, and these are looked at for every request.
BETWEEN: Final = Phase.BETWEEN
HEAD: Final = Phase.HEAD
BODY: Final = Phase.BODY
OVER: Final = Phase.OVER


class _RefusedError(Exception):
    """Stops httptools in the middle; the refusal is beside it, in the reader."""


class RequestReader:
    """Reads one connection's requests. Its `on_…` methods are called by httptools."""

    def __init__(self, limits: Limits) -> None:
        self.phase: Phase = BETWEEN
        self.wants_continue = False
        self.peer: Peer | None = None  # whose requests they are
        # While an upgrade is asked for and not answered: what came behind the request. The parser
        # stops there, because it may be of another protocol.
        self.held: bytearray | None = None
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._arrived: list[Incoming | Refusal] = []
        self._refusal: Refusal | None = None
        # Bytes since httptools last told of anything: it keeps half a header to itself.
        self._untold = 0
        self.on_message_begin()
        self.phase = BETWEEN

    def feed(self, data: bytes) -> list[Incoming | Refusal]:
        """Take what the socket gave; returns what is complete now, at most one refusal, last."""
        if self.phase is OVER:
            if self.held is not None:
                self.held += data
            return []
        arrived: list[Incoming | Refusal] = []
        self._arrived = arrived
        self._untold += len(data)
        try:
            self._parser.feed_data(data)
            if self._untold > self._limits.header_bytes:
                self._refusal = Refusal(431, "request header fields are too large")
        except httptools.HttpParserUpgrade as stopped:
            if self.held is not None:
                self.held += data[stopped.args[0] :]
        except httptools.HttpParserError as error:
            # After the last request it is data that nobody asked for.
            if self._refusal is None and self._reading():
                self._refusal = Refusal(400, f"malformed request: {error}")
        if self._refusal is not None:
            arrived.append(self._refusal)
            self.stop()
        return arrived

    def go_on(self) -> list[Incoming | Refusal]:
        """The upgrade that was asked for did not come about: what was held is HTTP after all."""
        rest = self.hand_over()
        self.phase = BETWEEN
        self._untold = 0
        self._parser = httptools.HttpRequestParser(self)
        return self.feed(rest) if rest else []

    def hand_over(self) -> bytes:
        """What was held, for whoever goes on with the connection."""
        rest, self.held = self.held, None
        return bytes(rest or b"")

    def _reading(self) -> bool:
        return self.phase is not OVER

    def stop(self) -> None:
        """Ignore whatever still comes."""
        self.phase = OVER
        self.wants_continue = False

    def _refuse(self, status: int, text: str) -> NoReturn:
        self._refusal = Refusal(status, text)
        raise _RefusedError(text)

    def on_message_begin(self) -> None:
        self.phase = HEAD
        self._untold = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        self._head_bytes = 0
        self._head_lines = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, part: bytes) -> None:
        self._untold = 0
        self._url += part
        if len(self._url) > self._limits.url_bytes:
            self._refuse(414, "request URL is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._untold = 0
        self._head_bytes += len(name) + len(value) + 4
        self._head_lines += 1
        limits = self._limits
        if self._head_bytes > limits.header_bytes or self._head_lines > limits.headers:
            self._refuse(431, "request header fields are too large")
        if self.phase is BODY:
            return  # a trailer: counted, never merged into the headers (RFC 9110, 6.5.1)
        key = name.decode("ascii").lower()
        text = value.decode("latin-1").rstrip(" \t")
        before = self._headers.get(key)
        if before is None:
            self._headers[key] = text
            return
        self._headers[key] = f"{before}, {text}"
        self._repeated.setdefault(key, [before]).append(text)

    def on_headers_complete(self) -> None:
        self._untold = 0
        self._version = version = self._parser.get_http_version()
        if version == "1.1":
            host = self._headers.get("host")
            if host is None or "," in host:
                self._refuse(400, "exactly one Host header is required")
        elif version != "1.0":
            self._refuse(505, "HTTP version is not supported")
        self._check_body()
        if "expect" in self._headers:
            self._check_expectation()
        self.phase = BODY

    def _check_body(self) -> None:
        headers = self._headers
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length", "0")
        if coding is not None:
            if self._version == "1.0":
                self._refuse(400, "Transfer-Encoding is not part of HTTP/1.0")
            if coding.lower() != "chunked":
                self._refuse(501, "the only transfer encoding that is understood is chunked")
        elif int(length) > self._limits.body_bytes:
            self._refuse_body()
        # httptools hands over the rest of the connection, body included, as the new protocol.
        if self._parser.should_upgrade() and (coding is not None or int(length) > 0):
            self._refuse(400, "an upgrade may not have a body")

    def _check_expectation(self) -> None:
        if self._headers["expect"].lower() != "100-continue":
            self._refuse(417, "the only expectation that is understood is 100-continue")
        self.wants_continue = self._version == "1.1"

    def _refuse_body(self) -> NoReturn:
        self._refuse(413, f"request body is larger than {self._limits.body_bytes} bytes")

    def on_chunk_header(self) -> None:
        self._untold = 0

    def on_body(self, part: bytes) -> None:
        self._untold = 0
        self._body.append(part)
        self._body_bytes += len(part)
        if self._body_bytes > self._limits.body_bytes:
            self._refuse_body()

    def on_message_complete(self) -> None:
        self._untold = 0
        parser = self._parser
        path, _, query = self._target().partition("?")
        method = parser.get_method().decode("ascii")
        body = b"".join(self._body)
        repeated = self._repeated or None
        request = Request(method, path, query, self._headers, body, "", self.peer, repeated)
        keep_alive = parser.should_keep_alive()
        self.phase = BETWEEN if keep_alive else OVER
        if parser.should_upgrade():
            keep_alive = self._ask_upgrade(request) and keep_alive
        self.wants_continue = False
        self._arrived.append(Incoming(request, keep_alive, self._version))

    def _ask_upgrade(self, request: Request) -> bool:
        """The parser goes no further; whether the connection is kept if nothing comes of it."""
        self.phase = OVER
        if request.method == "CONNECT":  # what follows is no HTTP, whatever the answer is
            return False
        self.held = bytearray()
        if self._version == "1.1":  # of HTTP/1.0 it is ignored (RFC 9110, 7.8)
            request.upgrade = self._headers.get("upgrade", "")
        return True

    def _target(self) -> str:
        """Path and query that are asked for; of a URL (RFC 9112, 3.2.2) its host is dropped."""
        target = self._url.decode("ascii")
        if target.startswith("/") or target == "*":
            return target
        _, mark, rest = target.partition("://")
        if not mark:
            self._refuse(400, "malformed request: the target is neither a path nor a URL")
        host_end = min((rest.find(end) for end in "/?" if end in rest), default=len(rest))
        target = rest[host_end:]
        return target if target.startswith("/") else f"/{target}"
