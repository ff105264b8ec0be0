"""The door of a manager in a process of its own: `/healthz`, `/readyz` and `/metrics`.

It asks nobody who they are: it is to listen where only those come who may know (a pod's own
network). Ready is who has read all that the controllers read, whether it leads or stands by.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from argosy.base.exposition import OPEN, TEXT, render
from argosy.http.checks import Check, listed, single
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.runtime.manager import Manager

PLAIN = {"content-type": "text/plain; charset=utf-8"}
CLOSING_SECONDS = 1.0


def address(text: str) -> tuple[str, int]:
    """`HOST:PORT`, or `:PORT` for all addresses. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address of the form HOST:PORT")
    return host.strip("[]"), int(port)  # no host: all addresses, of both families


@dataclass(frozen=True)
class Door:
    """Answers for `manager`. `healthy` are checks of `/healthz` beside the plain one."""

    manager: Manager
    healthy: tuple[Check, ...] = ()

    def at(self, host: str, port: int) -> Callable[[], Awaitable[None]]:
        """Serves there until cancelled; to be added as a runner, `always`. Raises OSError."""

        async def run() -> None:
            clock = self.manager.clock
            server = await serve(self.handle, addresses=[(host, port)], tls=None, clock=clock)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await server.close(CLOSING_SECONDS)

        return run

    async def handle(self, request: Request) -> Response:
        """The answer to one request."""
        if request.method not in ("GET", "HEAD"):
            return Response(405, {**PLAIN, "allow": "GET, HEAD"}, b"405 method not allowed\n")
        if request.path == "/metrics":
            return self._metrics(request)
        for root, checks in self._checks().items():
            if request.path == root:
                return listed(checks, root[1:], request.query)
            for check in checks:
                if request.path == f"{root}/{check.name}":
                    return single(check)
        return Response(404, PLAIN, b"404 page not found\n")

    def _checks(self) -> dict[str, tuple[Check, ...]]:
        ping = Check("ping", lambda: "")
        return {
            "/healthz": (ping, *self.healthy),
            "/readyz": (ping, Check("informer-sync", self._unsynced)),
        }

    def _unsynced(self) -> str:
        waiting = self.manager.unsynced
        return f"not read yet: {', '.join(waiting)}" if waiting else ""

    def _metrics(self, request: Request) -> Response:
        kind, _, _ = OPEN.partition(";")
        open_metrics = kind in request.headers.get("accept", "")
        body = render(self.manager.metrics.families(), open_metrics=open_metrics)
        return Response(200, {"content-type": OPEN if open_metrics else TEXT}, body)
