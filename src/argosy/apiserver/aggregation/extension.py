"""How extension servers are reached: where they are, over TLS, with this server's certificate.

The other side must be certified as `service.namespace.svc`, by whom its APIService names, unless
that says not to look. Where it names nobody, the system's authorities are trusted, as upstream.
"""

import asyncio
import base64
import binascii
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Final

from argosy.api.registration import APIService
from argosy.apiserver.aggregation.identity import ProxyCertificate, identity
from argosy.apiserver.outbound import OutboundError, backend
from argosy.apiserver.request import User
from argosy.http.forward import forward
from argosy.http.message import Request, Response
from argosy.store.interface import Store

LARGEST: Final = 4 << 20
"""Bytes of a document that this server itself asks for."""
MOST_CONTEXTS: Final = 256


class UnreachableError(OutboundError):
    """No backend is known right now."""


@dataclass(slots=True)
class Extensions:
    """All extension servers; `front` certifies who asks them."""

    store: Store
    front: ProxyCertificate | None
    _contexts: dict[tuple[str, bool], ssl.SSLContext] = field(default_factory=dict)
    _edition: int = 0

    async def sent(self, api: APIService, request: Request, user: User) -> Response:
        """The answer of the server behind `api` to `request`, on behalf of `user`.

        Raises UnreachableError where there is no server, OutboundError where the APIService is no
        good, OSError where no answer comes and ValueError for what can't be asked.
        """
        service = api.spec.service
        assert service is not None
        tls = self._context(api)
        try:
            host, port = backend(self.store, service.namespace, service.name, service.port)
        except OutboundError as error:
            raise UnreachableError(str(error)) from None
        named = f"{service.name}.{service.namespace}.svc"
        headers = {**request.headers, "host": f"{named}:{service.port}"}
        sent = replace(request, headers=headers)
        return await forward(sent, host, port, tls=tls, named=named, also=identity(user))

    async def asked(
        self, api: APIService, path: str, user: User, *, seconds: float, accept: str = ""
    ) -> tuple[int, str, bytes]:
        """Status, content type and whole body. Raises as `sent` does, TimeoutError among it."""
        headers = {"accept": accept or "application/json"}
        async with asyncio.timeout(seconds):
            answer = await self.sent(api, Request("GET", path, headers=headers), user)
            return answer.status, answer.headers.get("content-type", ""), await _whole(answer)

    def _context(self, api: APIService) -> ssl.SSLContext:
        """Raises OutboundError for a bundle that is none."""
        certificates = None if self.front is None else self.front.certificates()
        edition = 0 if self.front is None else self.front.edition
        if edition != self._edition or len(self._contexts) >= MOST_CONTEXTS:
            self._contexts.clear()
            self._edition = edition
        key = (api.spec.ca_bundle, api.spec.insecure_skip_tls_verify)
        known = self._contexts.get(key)
        if known is None:
            known = _trusting(*key)
            if certificates is not None:
                known.load_cert_chain(certificates.cert_file, certificates.key_file)
            self._contexts[key] = known
        return known


def _trusting(bundle: str, blind: bool) -> ssl.SSLContext:
    try:
        pem = base64.b64decode(bundle, validate=True).decode("ascii")
        context = ssl.create_default_context(cadata=pem or None)
    except (binascii.Error, ssl.SSLError, ValueError):
        text = "unable to load root certificates: unable to parse bytes as PEM block"
        raise OutboundError(text) from None
    if blind:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _whole(answer: Response) -> bytes:
    """The body, if it is not too long. Raises ConnectionError."""
    if isinstance(answer.body, bytes):
        return answer.body
    return await _joined(answer.body)


async def _joined(body: AsyncGenerator[bytes, None]) -> bytes:
    read = bytearray()
    try:
        async for piece in body:
            read += piece
            if len(read) > LARGEST:
                raise ConnectionError(f"the answer has more than {LARGEST} bytes")
    finally:
        await body.aclose()
    return bytes(read)
