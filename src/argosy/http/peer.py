"""Who is at the other end of a connection: asked of the transport when somebody wants to know."""

import asyncio
import ssl


class Client:
    """A `Peer`: one for each connection, whatever number of requests comes over it."""

    __slots__ = ("_asked", "_certificate", "_transport")

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._asked = False
        self._certificate: bytes | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """IP address and port."""
        found = self._transport.get_extra_info("peername")
        return (found[0], found[1]) if isinstance(found, tuple) else None

    @property
    def certificate(self) -> bytes | None:
        """The verified certificate, DER; shown at the handshake or never."""
        if not self._asked:
            self._asked = True
            tls: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
            if tls is not None:
                self._certificate = tls.getpeercert(binary_form=True)
        return self._certificate
