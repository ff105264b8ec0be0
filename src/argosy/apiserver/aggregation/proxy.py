"""A client's request to an extension server, and its answer.

Who asks and whether they may was decided here before; the other server is told who asks, and may
refuse on its own. Paths go through as they came, but for those that might lead elsewhere: they are
refused. The words of refusals are kube-apiserver's, as plain text: kubectl has its own for them.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from argosy.api.registration import APIService
from argosy.apiserver.aggregation.extension import Extensions, UnreachableError
from argosy.apiserver.aggregation.identity import passed_on
from argosy.apiserver.outbound import OutboundError
from argosy.apiserver.request import User
from argosy.base.errors import StatusError, bad_request
from argosy.http.message import Request, Response

SECONDS: Final = 60.0
"""How long an answer may take, but for those that are meant to last."""
LARGEST: Final = 64 << 20
"""Bytes of an answer to a client in this process, which holds all of it at once."""
OWN: Final = 7
"""Parts of a path that say what is asked for: none of them may be empty, but at the end. Those
that begin with an old `watch` or `proxy` say it in another way, which is not read here."""
WRONG_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
LASTING: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
"""Subresources whose answers last."""
UNAVAILABLE: Final = "service unavailable"
REDIRECTED: Final = "the backend attempted to redirect this request, which is not permitted"
LONG: Final = f"the answer has more than {LARGEST} bytes"
LATE: Final = "Timeout: request did not complete within the allotted timeout"


async def proxied(
    extensions: Extensions,
    api: APIService,
    request: Request,
    user: User,
    *,
    seconds: float = SECONDS,
) -> Response:
    """The answer of the server behind `api`. Raises StatusError 400, 504."""
    _demand_plain(request.path)
    _demand_readable(request.query)
    if not api.available:
        return plain(503, UNAVAILABLE)
    until = None if lasts(request) else asyncio.get_running_loop().time() + seconds
    sent = replace(request, headers=passed_on(request.headers))
    try:
        async with asyncio.timeout_at(until):
            answer = await extensions.sent(api, sent, user)
    except UnreachableError:
        return plain(503, UNAVAILABLE)
    except OutboundError as error:
        return plain(500, str(error))
    except (OSError, ValueError) as error:
        if until is not None and asyncio.get_running_loop().time() >= until:
            raise StatusError(504, "Timeout", LATE) from None
        return plain(503, f"error trying to reach service: {error or type(error).__name__}")
    return await _handed_over(answer, until, LARGEST if request.peer is None else None)


async def _handed_over(answer: Response, until: float | None, most: int | None) -> Response:
    body = answer.body
    if isinstance(body, bytes):
        return answer if not _redirects(answer) else plain(502, REDIRECTED)
    if _redirects(answer):
        await body.aclose()
        return plain(502, REDIRECTED)
    if until is None:
        return answer
    pieces = _bounded(body, until, most)
    await anext(pieces)  # begun, so that closing it closes the connection in any case
    return replace(answer, body=pieces)


def _redirects(answer: Response) -> bool:
    return 300 <= answer.status < 400 and bool(answer.headers.get("location"))


async def _bounded(
    body: AsyncGenerator[bytes, None], until: float, most: int | None
) -> AsyncGenerator[bytes, None]:
    """`body` after a first empty piece; an answer that lasts too long, or is so, is cut off."""
    size = 0
    try:
        yield b""
        while True:
            try:
                async with asyncio.timeout_at(until):
                    piece = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ConnectionError(LATE) from None
            size += len(piece)
            if most is not None and size > most:
                raise ConnectionError(LONG)
            yield piece
    finally:
        await body.aclose()


def lasts(request: Request) -> bool:
    """Whether the answer is meant to last."""
    if request.upgrade:
        return True
    if request.parameters().get("watch", "false").lower() not in ("false", "0"):
        return True
    parts = request.path.strip("/").split("/")[3:]
    at = 4 if parts[:1] == ["namespaces"] else 2
    return bool(LASTING.intersection(parts[at : at + 1]))


def _demand_plain(path: str) -> None:
    """Raises StatusError 400 for a path that might mean another than it says."""
    parts = [unquote(part) for part in path.split("/")[1:]]
    if any(part in (".", "..") or set(part) & set("/\\\0\r\n") for part in parts):
        raise bad_request("the path has an invalid segment")
    if "" in parts[: min(OWN, len(parts) - 1)] or parts[3:4] in (["watch"], ["proxy"]):
        raise bad_request("the path has an invalid segment")


def _demand_readable(query: str) -> None:
    """Raises StatusError 400 for a query of which servers written in Go leave out a part.

    Authorization has read that part: a name that a field selector names, say.
    """
    if ";" in query:
        raise bad_request("invalid semicolon separator in query")
    if WRONG_ESCAPE.search(query):
        raise bad_request("invalid URL escape in query")


def plain(status: int, text: str) -> Response:
    """A refusal."""
    kind = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(status, kind, f"{text}\n".encode())
