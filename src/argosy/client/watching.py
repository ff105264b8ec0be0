"""What a watch tells: one line of JSON for each event, decoded at once into the view."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import lru_cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec

from argosy.api.meta import Object, PartialObject
from argosy.base.errors import StatusError

T = TypeVar("T", bound=Object)

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of an event; whoever sends more without an end of the line speaks of something else."""


class WatchEvent(msgspec.Struct, Generic[T], frozen=True, gc=False, tag_field="type"):
    """One change. A BOOKMARK's object has nothing but a resource version and annotations."""

    type: ClassVar[Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]]
    object: T


class _Added(WatchEvent[T], Generic[T], frozen=True, tag="ADDED"):
    type = "ADDED"


class _Modified(WatchEvent[T], Generic[T], frozen=True, tag="MODIFIED"):
    type = "MODIFIED"


class _Deleted(WatchEvent[T], Generic[T], frozen=True, tag="DELETED"):
    type = "DELETED"


class _Bookmark(WatchEvent[PartialObject], frozen=True, tag="BOOKMARK"):
    type = "BOOKMARK"


class Status(msgspec.Struct, frozen=True):
    """What a server says of a failure."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: dict[str, Any] | None = None

    def error(self, code: int) -> StatusError:
        """As an error, with `code` where the status tells none."""
        return StatusError.from_status(msgspec.structs.asdict(self), code)


class _Failure(msgspec.Struct, frozen=True, tag_field="type", tag="ERROR"):
    object: Status


Told = WatchEvent[Any] | _Failure


@lru_cache
def decoder(kind: type[T]) -> Callable[[bytes], list[Told]]:
    """Decodes whole lines that tell of objects of a kind."""
    added: Any = _Added
    line = added[kind] | _Modified[kind] | _Deleted[kind] | _Bookmark | _Failure  # type: ignore[valid-type]
    return msgspec.json.Decoder(line).decode_lines


def event_of(told: Told) -> WatchEvent[Any]:
    """What was told, if it is an event. Raises StatusError."""
    if isinstance(told, _Failure):
        raise told.object.error(500)
    return told


def decoded(decode: Callable[[bytes], Any], data: bytes) -> Any:
    """What `decode` makes of `data`. Raises msgspec.DecodeError, and nothing else."""
    try:
        return decode(data)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None


async def whole_lines(body: bytes | AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The whole lines of each piece of a body; one that is cut off at its end is none."""
    if isinstance(body, bytes):
        yield body
        return
    rest = b""
    async with aclosing(body) as pieces:
        async for piece in pieces:
            whole, end, rest = (rest + piece).rpartition(b"\n")
            if end:
                yield whole
            elif len(rest) > LONGEST_LINE:
                raise msgspec.DecodeError(f"a line of more than {LONGEST_LINE} bytes")
