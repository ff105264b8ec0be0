"""Protobuf bodies from and to the JSON inside; loaded when the first comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cache, lru_cache
from typing import Any

import msgspec

from argosy.api.protobuf.codec import Codec, load
from argosy.api.protobuf.wire import ProtobufError

SHARED = 16 * 1024
"""Bytes of an event whose frame is kept for the next watch that sees it."""


@cache
def _codec() -> Codec:
    return load()


def read(body: bytes, default: tuple[str, str], unknown: list[str]) -> bytes:
    """The body in JSON; `unknown` is given the names of dropped fields. Raises ValueError.

    `default` is the apiVersion and kind of a body that tells none.
    """
    try:
        return msgspec.json.encode(_codec().decode_object(body, default=default, unknown=unknown))
    except ProtobufError as error:
        raise ValueError(f"the body of the request is not protobuf: {error}") from None


def write(obj: Any) -> bytes | None:
    """The object's protobuf form; None where it has none."""
    try:
        return _codec().encode_object(obj)
    except ProtobufError:
        return None


async def frames(pieces: AsyncGenerator[bytes, None], large: int) -> AsyncGenerator[bytes, None]:
    """The events of a watch, which come as JSON lines, as frames.

    Pieces of more than `large` bytes are turned in a thread.
    """
    async with aclosing(pieces):
        async for piece in pieces:
            if len(piece) > large:
                yield await asyncio.to_thread(_framed, piece)
            else:
                yield _framed(piece)


def _framed(piece: bytes) -> bytes:
    lines = piece.splitlines()
    return b"".join([(_shared if len(line) <= SHARED else _frame)(line) for line in lines])


def _frame(line: bytes) -> bytes:
    event = msgspec.json.decode(line)
    return _codec().encode_watch_frame(event["type"], event["object"])


_shared = lru_cache(maxsize=64)(_frame)
