"""Requests over HTTPS, by aiohttp: the transport to any API server that is another process."""

import ssl
import tempfile
from collections.abc import AsyncGenerator

import aiohttp
from yarl import URL

from argosy.client.kubeconfig import Access
from argosy.http.message import Request, Response

CONNECT_SECONDS = 10.0


def transport(access: Access) -> "Https":
    """A transport with what a kubeconfig says."""
    tls = ssl.create_default_context(cadata=access.ca or None)
    if access.certificate:
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(access.certificate + b"\n" + access.key)
            pair.flush()
            tls.load_cert_chain(pair.name)
    return Https(access.server, tls, access.token)


class Https:
    """One server at `url`, one user by `token` (or by the client certificate in `tls`)."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """The server's answer; its body is a stream. Raises ConnectionError."""
        session = self._connected()
        # The query is quoted already, and must not be quoted again.
        url = f"{self._url}{request.path}" + f"?{request.query}" * bool(request.query)
        headers = {**request.headers, **self._headers}
        try:
            answer = await session.request(
                request.method, URL(url, encoded=True), headers=headers, data=request.body or None
            )
            return Response(answer.status, _headers(answer), _pieces(answer))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(f"{request.method} {self._url}: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        """The session, made in the loop that uses it."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls or True)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, auto_decompress=True
            )
        return self._session


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except aiohttp.ClientError as error:
        raise ConnectionError(f"the answer broke off: {error}") from error
    finally:
        answer.release()
