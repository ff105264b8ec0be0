"""How a request reaches an API server: over a socket (`https`) or, in one process, by a call."""

from dataclasses import dataclass
from typing import Protocol

from argosy.http.message import Handler, Request, Response


class Transport(Protocol):
    """Carries one request and brings its response."""

    async def send(self, request: Request) -> Response:
        """The server's answer. Raises ConnectionError where there is none."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """Calls the server's handler in this process: the same request, no socket."""

    handler: Handler
    token: str

    async def send(self, request: Request) -> Response:
        headers = {**request.headers, "authorization": f"Bearer {self.token}"}
        # Each request passes here, and `replace` takes ten times as long.
        asked = Request(request.method, request.path, request.query, headers, request.body)
        return await self.handler(asked)

    async def close(self) -> None:
        """There is nothing to let go of."""
