"""Answers that stay the same for long: a client that has one is told so, and gets no body."""

import hashlib
from collections.abc import Mapping

from argosy.apiserver.accept import JSON
from argosy.http.message import Request, Response


def tag_of(content: bytes) -> str:
    """The content's fingerprint, without the quotes that it has in a header."""
    return hashlib.sha256(content).hexdigest().upper()


def answer_tagged(
    request: Request, body: bytes, tag: str, headers: Mapping[str, str] | None = None
) -> Response:
    """`body` under its tag; 304 where the client has it already (RFC 9110, 13.1.2)."""
    named = {"content-type": JSON, "vary": "Accept", "cache-control": "public"}
    named |= {**(headers or {}), "etag": f'"{tag}"'}
    if has(request, tag):
        del named["content-type"]
        return Response(304, named)
    return Response(200, named, body)


def has(request: Request, tag: str) -> bool:
    """Whether the client says that it has what `tag` stands for."""
    known = request.headers.get("if-none-match", "").split(",")
    return any(item.strip().removeprefix("W/") in (f'"{tag}"', "*") for item in known)
