"""Streams into pods, as far as this node has them; the rest is refused by name.

The kubelet's paths: `/exec/{namespace}/{pod}/{container}` over WebSocket (see `channels`);
`/attach/…` and `/portForward/{namespace}/{pod}` are refused, and so is SPDY.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, unquote

from argosy.base.errors import StatusError, bad_request, not_found, unknown_path
from argosy.http.message import Request, Response
from argosy.node.runtimes.interface import Command, Execution
from argosy.node.worker import PodWorker

Find = Callable[[str, str], PodWorker | None]

STREAMS: Final[Mapping[str, int]] = {"attach": 4, "exec": 4, "portForward": 3}
"""How many parts the path of each has."""


def stream(verb: str, request: Request, find: Find) -> Response:
    """The answer to a request for a stream. Raises StatusError."""
    parts = [unquote(part) for part in request.path.strip("/").split("/")]
    if len(parts) != STREAMS[verb]:
        raise unknown_path()
    worker = find(parts[1], parts[2])
    if worker is None:
        raise not_found("pods", parts[2])
    if not request.upgrade:
        raise bad_request("Upgrade request required")
    if verb != "exec":
        raise _not_yet(f"{verb} is not supported by this node yet")
    return _exec(request, worker, parts[3])


def _exec(request: Request, worker: PodWorker, container: str) -> Response:
    # Imported here, because few clusters of one machine ever need it.
    from argosy.http.websocket import WebSocket, accept, wanted
    from argosy.node import channels

    if not wanted(request):
        hint = "use a client that speaks WebSocket, such as kubectl 1.31 and later"
        raise _not_yet(f"exec over {request.upgrade} is not supported by this node; hint: {hint}")
    process = worker.process_of(container)
    if process is None:
        raise StatusError(404, "NotFound", f'container not found ("{container}")')
    query = parse_qs(request.query, keep_blank_values=True)
    wants = {name for name in ("input", "output", "error", "tty") if query.get(name) == ["1"]}
    if not wants & {"input", "output", "error"}:
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    command = Command(
        argv=tuple(query.get("command", ())), stdin="input" in wants, tty="tty" in wants
    )

    async def begin() -> Execution:
        return await process.execute(command)

    async def work(socket: WebSocket, protocol: str) -> None:
        told = {"output": "output" in wants, "error": "error" in wants and not command.tty}
        await channels.serve(socket, protocol, begin, **told)

    try:
        return accept(request, channels.PROTOCOLS, work)
    except ValueError as error:
        raise bad_request(str(error)) from None


def _not_yet(message: str) -> StatusError:
    return StatusError(501, "NotImplemented", message)
