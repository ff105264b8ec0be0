"""Protobuf at the door: inside, everything is JSON.

A protobuf body is turned into JSON before anybody sees it, so that every verb takes it. Answers are
JSON wherever the client takes that, because stored bytes go out as they are; only for a client that
accepts nothing but protobuf they are turned, watches frame by frame. Custom kinds have no protobuf
form: their bodies answer 415, and a client that takes nothing else gets 406.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import cache

import msgspec

from argosy.api.protobuf.codec import MEDIA_TYPE, Codec, load
from argosy.api.protobuf.wire import ProtobufError, UnknownKindError
from argosy.apiserver.negotiate import JSON, answer_error, warning
from argosy.base.errors import bad_request, not_acceptable, unsupported_media_type
from argosy.http.message import Handler, Request, Response

LARGE = 64 * 1024
WATCH_TYPE = f"{MEDIA_TYPE};stream=watch"


@cache
def _codec() -> Codec:
    """Made when the first protobuf comes: most clusters of one machine never see any."""
    return load()


def concerns(request: Request) -> bool:
    """Whether the request has to do with protobuf at all."""
    headers = request.headers
    return MEDIA_TYPE in headers.get("accept", "") or MEDIA_TYPE in headers.get("content-type", "")


async def handled(request: Request, handler: Handler) -> Response:
    """`handler`'s answer to a request whose body, or whose answer, is protobuf."""
    headers = dict(request.headers)
    only = _only_protobuf(headers.get("accept", ""))
    if only:
        headers["accept"] = JSON
    response = await _in_json(replace(request, headers=headers), handler)
    return _as_protobuf(response) if only else response


async def _in_json(request: Request, handler: Handler) -> Response:
    """The answer to the request, its body turned into JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        return await handler(request)
    headers = {**request.headers, "content-type": JSON}
    warnings: list[str] = []
    body = request.body
    try:
        if len(body) > LARGE:  # in pure Python a hostile one takes a second: not in the loop
            body = await asyncio.to_thread(_as_json, body, warnings)
        elif body:
            body = _as_json(body, warnings)
    except UnknownKindError:
        return answer_error(unsupported_media_type([JSON]))
    except ProtobufError as error:
        return answer_error(bad_request(f"the body of the request is not protobuf: {error}"))
    response = await handler(replace(request, headers=headers, body=body))
    if not warnings:
        return response
    return replace(response, headers=_warned(response.headers, warnings))


def _as_json(body: bytes, warnings: list[str]) -> bytes:
    unknown: list[str] = []
    decoded = _codec().decode_object(body, unknown=unknown)
    warnings += [f'unknown field "{name}"' for name in dict.fromkeys(unknown)]
    return msgspec.json.encode(decoded)


def _warned(headers: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    texts = [headers["warning"]] if "warning" in headers else []
    return {**headers, "warning": ", ".join([*texts, *map(warning, warnings)])}


def _only_protobuf(accept: str) -> bool:
    """Whether protobuf is all that the client takes."""
    kinds = {choice.partition(";")[0].strip() for choice in accept.split(",")}
    return MEDIA_TYPE in kinds and not kinds & {JSON, "application/*", "*/*"}


def _as_protobuf(response: Response) -> Response:
    if not response.headers.get("content-type", "").startswith(JSON):
        return response  # a log, a health check
    if not isinstance(response.body, bytes):
        headers = {**response.headers, "content-type": WATCH_TYPE}
        return replace(response, headers=headers, body=_frames(response.body))
    try:
        body = _codec().encode_object(msgspec.json.decode(response.body))
    except UnknownKindError:
        return _as_protobuf(answer_error(not_acceptable([JSON])))
    return replace(response, headers={**response.headers, "content-type": MEDIA_TYPE}, body=body)


async def _frames(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The events of a watch, which come as JSON lines, as frames."""
    codec = _codec()
    async with aclosing(pieces):
        async for piece in pieces:
            events = [msgspec.json.decode(line) for line in piece.splitlines()]
            yield b"".join(
                [codec.encode_watch_frame(event["type"], event["object"]) for event in events]
            )
