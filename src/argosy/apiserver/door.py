"""The door: inside everything is JSON, outside are YAML, protobuf and gzip.

A protobuf body is turned into JSON before anybody sees it, so that every verb takes it. Answers are
JSON wherever the client takes that for the same kind, because stored bytes go out as they are; only
for who accepts nothing else, or YAML first, they are turned when they leave, watches frame by
frame. Custom kinds have no protobuf form: their bodies answer 415, and a client that takes nothing
else gets 406; their metadata alone has one.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from argosy.apiserver.accept import (
    EVERY,
    JSON,
    PROTOBUF,
    REMEMBERED,
    STREAMS,
    YAML,
    Choice,
    choices,
    chosen,
)
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.form import connects
from argosy.apiserver.negotiate import answer_error, media_type
from argosy.apiserver.request import Target, parse_target
from argosy.base.errors import (
    StatusError,
    bad_request,
    not_acceptable,
    unsupported_media_type,
)
from argosy.http.message import Handler, Request, Response

LARGE = 64 * 1024
"""Bytes from which a body is turned in a thread: in pure Python it takes long."""
PLAIN = (JSON, YAML)
"""What custom kinds can be had in."""


@dataclass
class Door:
    """Turns what comes and goes; `catalog` tells which paths lead to custom kinds.

    `dropped` counts the fields of protobuf bodies that had unknown numbers, since the start.
    """

    catalog: Catalog
    dropped: int = 0

    @staticmethod
    def concerns(request: Request) -> bool:
        """Whether the client may get anything but JSON; asked of every request."""
        accept = request.headers.get("accept", "")
        if PROTOBUF not in accept and YAML not in accept:
            return False
        return (_remembered if len(accept) <= REMEMBERED else _leaves_json)(accept)

    async def handled(self, request: Request, handler: Handler) -> Response:
        """`handler`'s answer to a request whose answer may not be JSON."""
        accept = request.headers.get("accept", "")
        target = self._target(request.path)
        if target is not None and connects(target.subresource):
            return await handler(request)
        choice = _choice(accept, target)
        inside = accept if choice is None else _asked_inside(accept, choice, target)
        response = await handler(replace(request, headers={**request.headers, "accept": inside}))
        if response.status >= 400:  # a Status is never turned into another kind
            choice = _same_in_json(chosen(accept, EVERY, False), accept, EVERY, False)
        return response if choice is None else await _as(choice.media, response)

    def _target(self, path: str) -> Target | None:
        with suppress(StatusError):
            return parse_target(self.catalog, path)
        return None

    async def opened(self, request: Request, target: Target, warnings: list[str]) -> Request:
        """`request` with its body in JSON. Raises StatusError 400, 415.

        For those who are known and may: a large body takes up to a second to read.
        """
        if media_type(request) != PROTOBUF or request.method == "PATCH":
            return request  # no patch is protobuf
        if connects(target.subresource):
            return request
        body = b""
        if request.body:
            if target.served.own and request.method != "DELETE":
                raise unsupported_media_type(PLAIN)
            body = await self._body_in_json(request, target, warnings)
        return replace(request, headers={**request.headers, "content-type": JSON}, body=body)

    async def _body_in_json(self, request: Request, target: Target, warnings: list[str]) -> bytes:
        from argosy.apiserver import protobuf

        default = _default(request, target)
        unknown: list[str] = []
        try:
            if len(request.body) > LARGE:
                body = await asyncio.to_thread(protobuf.read, request.body, default, unknown)
            else:
                body = protobuf.read(request.body, default, unknown)
        except ValueError as error:
            raise bad_request(str(error)) from None
        self.dropped += len(unknown)
        warnings += [f'unknown field "{name}"' for name in unknown]
        return body


def _default(request: Request, target: Target) -> tuple[str, str]:
    """apiVersion and kind of a body that tells none."""
    if request.method == "DELETE":
        return "meta.k8s.io/v1", "DeleteOptions"
    if target.subresource not in ("", "status"):
        return "", ""
    return target.served.resource.api_version, target.served.resource.kind


def _leaves_json(accept: str) -> bool:
    """Whether there is a path whose answer is not the JSON that is asked for inside by `accept`."""
    inside = chosen(accept, (JSON,))
    return any(
        _same_in_json(chosen(accept, plain, turned), accept, plain, turned) != inside
        for plain in (PLAIN, EVERY)
        for turned in (True, False)
    )


_remembered = lru_cache(maxsize=256)(_leaves_json)


def _choice(accept: str, target: Target | None) -> Choice | None:
    """What the client gets; None where it takes nothing that there is."""
    plain = PLAIN if target is not None and target.served.own else EVERY
    turned = target is not None
    return _same_in_json(chosen(accept, plain, turned), accept, plain, turned)


def _same_in_json(
    choice: Choice | None, accept: str, plain: tuple[str, ...], turned: bool
) -> Choice | None:
    """`choice`; in JSON rather than protobuf where the client takes that too: it costs us less."""
    if choice is None or choice.media != PROTOBUF:
        return choice
    same = replace(choice, media=JSON)
    return same if same in choices(accept, plain, turned) else choice


def _asked_inside(accept: str, choice: Choice, target: Target | None) -> str:
    """The `Accept` header by which the JSON inside is asked for."""
    if target is None:  # discovery has kinds of its own
        return accept if choice.media == JSON else JSON
    if not choice.kind:
        return JSON
    return f"{JSON};as={choice.kind};g=meta.k8s.io;v={choice.version}"


async def _as(media: str, response: Response) -> Response:
    """The answer in the media type; what is not JSON (a log, a health check) stays as it is."""
    body = response.body
    if media == JSON or not response.headers.get("content-type", "").startswith(JSON):
        return response
    if not isinstance(body, bytes):
        return await _stream_as(media, response)
    if len(body) > LARGE:
        return await asyncio.to_thread(_whole_as, media, response, body)
    return _whole_as(media, response, body)


def _whole_as(media: str, response: Response, body: bytes) -> Response:
    headers = {**response.headers, "content-type": media}
    decoded = msgspec.json.decode(body)
    if "kind" not in decoded:  # no object of the API: the version, OpenAPI's documents
        return response
    if media == YAML:
        from argosy.apiserver import yamlform

        return replace(response, headers=headers, body=yamlform.write(decoded))
    from argosy.apiserver import protobuf

    written = protobuf.write(decoded)
    if written is None:
        return _whole_as(media, *_refusal(EVERY))
    return replace(response, headers=headers, body=written)


def _refusal(supported: tuple[str, ...]) -> tuple[Response, bytes]:
    refused = answer_error(not_acceptable(supported))
    assert isinstance(refused.body, bytes)
    return refused, refused.body


async def _stream_as(media: str, response: Response) -> Response:
    assert not isinstance(response.body, bytes)
    if media == YAML:
        await response.body.aclose()
        return _whole_as(media, *_refusal(STREAMS))
    from argosy.apiserver import protobuf

    headers = {**response.headers, "content-type": STREAMS[1]}
    return replace(response, headers=headers, body=protobuf.frames(response.body, LARGE))
