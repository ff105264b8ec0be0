"""Requests over HTTPS, by aiohttp: the transport to any API server that is another process.

Connections are kept and used again; those that a peer silently left are found out by the kernel
within a minute. What is no watch has a time limit as a whole. A server that no longer takes the
credentials (401) is asked once more, with new ones, where new ones can be had.
"""

import socket
import ssl
import tempfile
import urllib.request
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import aiohttp
from aiohttp.connector import AddrInfoType
from yarl import URL

from argosy.base.clock import Clock, SystemClock
from argosy.client.credentials import (
    Asked,
    Credentials,
    CredentialsError,
    Fixed,
    Source,
    TokenFile,
)
from argosy.client.fence import RECHECK
from argosy.client.kubeconfig import Access, KubeconfigError
from argosy.http.message import Request, Response

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 70.0
"""For a whole answer; API servers give up after 60."""
STREAMS = ("watch=true", "watch=1", "follow=true", "follow=1")
KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


def transport(access: Access, clock: Clock | None = None) -> "Https":
    """A transport with what a kubeconfig says. Raises KubeconfigError where that is no PEM."""
    try:
        tls = ssl.create_default_context(cadata=access.ca or None)
    except (ssl.SSLError, TypeError) as error:
        raise KubeconfigError(f"certificate-authority: {_told(error)}") from None
    if access.insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    if access.certificate:
        try:
            _show(tls, access.certificate + b"\n" + access.key)
        except ssl.SSLError as error:
            raise KubeconfigError(f"client-certificate and client-key: {_told(error)}") from None
    return Https(
        access.server,
        tls,
        source=_source(access, clock or SystemClock()),
        server_name=access.server_name,
        proxy=access.proxy or environment_proxy(access.server),
    )


def _source(access: Access, clock: Clock) -> Source:
    if access.token_file is not None:
        return TokenFile(access.token_file, clock)
    if access.plugin is not None and not access.token:
        return Asked(access.plugin, clock)
    return Fixed(Credentials(access.token))


def environment_proxy(url: str) -> str:
    """The proxy that HTTPS_PROXY and its like name for a server; never for this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return ""
    if urllib.request.proxy_bypass(host):
        return ""
    return urllib.request.getproxies().get(parts.scheme, "")


def _told(error: Exception) -> str:
    """What OpenSSL says, less where in its source that is."""
    return f"not as PEM has them: {str(error).partition(' (_ssl.c')[0]}"


def _show(tls: ssl.SSLContext, pair: bytes) -> None:
    """Show this certificate, whose key is behind it, to servers."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair)
        file.flush()
        tls.load_cert_chain(file.name)


class Https:
    """One server at `url`, one user by `token` or `source` (or by the certificate in `tls`)."""

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext | None,
        token: str = "",
        *,
        source: Source | None = None,
        server_name: str = "",
        proxy: str = "",
    ) -> None:
        self._url = url.rstrip("/")
        self._source: Source = source or Fixed(Credentials(token))
        self._tls = tls
        self._server_name = server_name or None
        self._proxy = proxy or None
        self._shown = b""
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """The server's answer; its body is a stream. Raises ConnectionError."""
        given = await self._source.get()
        answer = await self._asked(request, given)
        if answer.status == 401 and self._source.refuse(given):
            answer.release()
            answer = await self._asked(request, await self._source.get())
        return Response(answer.status, _headers(answer), _pieces(answer))

    async def _asked(self, request: Request, given: Credentials) -> aiohttp.ClientResponse:
        session = await self._connected(given)
        # The query is quoted already, and must not be quoted again.
        url = f"{self._url}{request.path}" + f"?{request.query}" * bool(request.query)
        headers = dict(request.headers)
        if given.token:
            headers["authorization"] = f"Bearer {given.token}"
        try:
            return await session.request(
                request.method,
                URL(url, encoded=True),
                headers=headers,
                data=request.body or None,
                timeout=_limit(request),
                proxy=self._proxy,
                server_hostname=self._server_name,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # A ValueError is what no header may have: a token with an end of line within, say.
            told = str(error) or "no answer in time"
            raise ConnectionError(f"{request.method} {self._url}: {told}") from error

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None  # nobody is to take it meanwhile
        if session is not None:
            await session.close()

    async def _connected(self, given: Credentials) -> aiohttp.ClientSession:
        """The session, made in the loop that uses it; a new certificate needs a new one."""
        if given.pair != self._shown and self._tls is not None:
            try:
                _show(self._tls, given.pair)
            except ssl.SSLError as error:
                raise CredentialsError(f"exec: the certificate: {_told(error)}") from None
            self._shown = given.pair
            await self.close()
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls or True, socket_factory=_socket)
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=True, trace_configs=[_tracing()]
            )
        return self._session


def _tracing() -> aiohttp.TraceConfig:
    """Asks once more whether a request may go out, when its connection has been made."""

    async def connected(*_: object) -> None:
        if (check := RECHECK.get()) is not None:
            check()

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(connected)
    return tracing


def _limit(request: Request) -> aiohttp.ClientTimeout:
    streams = any(item in STREAMS for item in request.query.split("&"))
    total = None if streams else ANSWER_SECONDS
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)


def _socket(address: AddrInfoType) -> socket.socket:
    """A socket that finds out when its peer is gone without a word."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):  # not everywhere is Linux
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConnectionError(f"the answer broke off: {error}") from error
    finally:
        answer.release()
