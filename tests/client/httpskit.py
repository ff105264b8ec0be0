"""Servers for the tests of the transport: what they answer, and how they are reached."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import yaml

from argosy.client.https import Https
from argosy.http.message import Handler, Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates, server_context


@asynccontextmanager
async def served(handler: Handler, certificates: Certificates) -> AsyncGenerator[str, None]:
    """The URL of a server with that handler."""
    tls = server_context(certificates.cert_file, certificates.key_file)
    server = await serve(handler, addresses=[("127.0.0.1", 0)], tls=tls)
    try:
        yield f"https://127.0.0.1:{server.addresses[0][1]}"
    finally:
        await server.close()


@asynccontextmanager
async def connected(
    url: str, certificates: Certificates, token: str = ""
) -> AsyncGenerator[Https, None]:
    transport = Https(url, ssl.create_default_context(cadata=certificates.ca_pem.decode()), token)
    try:
        yield transport
    finally:
        await transport.close()


async def told(request: Request) -> Response:
    """Answers with what it was asked."""
    shown = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "authorization": request.headers.get("authorization", ""),
        "accept": request.headers.get("accept", ""),
        "body": request.body.decode(),
    }
    return Response(200, {"content-type": "text/yaml", "x-it": "1"}, yaml.safe_dump(shown).encode())


async def whole(response: Response) -> bytes:
    assert not isinstance(response.body, bytes)
    return b"".join([piece async for piece in response.body])
