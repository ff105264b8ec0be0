"""Answers that many autoscalers need, asked for once.

Autoscalers that look at the same moment ask for the same lists. Who comes while a question is on
its way waits for it, and for a few seconds everybody gets the same answer, be it an error. What is
older is forgotten, so that nothing grows with what was ever asked.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client

T = TypeVar("T")
FRESH = 5.0
"""Seconds for which an answer is good: a third of the time between two looks."""
_GENERIC: Mapping[int, str] = {
    404: "the server could not find the requested resource",
    503: "the server is currently unable to handle the request",
}
_UNTOLD = frozenset(
    {*_GENERIC.values(), "404 page not found", "service unavailable", "the server answered 404"}
)


class AnswerError(Exception):
    """There is no answer, or none that makes sense; the text says why."""


@dataclass(slots=True)
class _Answer(Generic[T]):
    """What was answered, or raised; nothing before it was asked for."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = -1.0
    value: T | None = None
    error: AnswerError | None = None


class Answers:
    """Asks the API server."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[tuple[str, ...], _Answer[Any]] = {}
        self._swept = 0.0

    async def get(
        self,
        path: str,
        read: Callable[[bytes], T],
        query: Mapping[str, str] | None = None,
        *,
        called: str = "",
        seconds: float = FRESH,
    ) -> T:
        """What `read` makes of the answer; `called` is the resource in error messages.

        Raises AnswerError.
        """
        key = (path, *(part for pair in sorted((query or {}).items()) for part in pair))
        known = self._known.setdefault(key, _Answer())
        async with known.lock:
            if known.until <= self._clock.monotonic():
                known.value, known.error = await self._asked(path, read, query, called)
                known.until = self._clock.monotonic() + seconds
        self._sweep()
        if known.error is not None:
            raise known.error
        return cast(T, known.value)

    async def _asked(
        self, path: str, read: Callable[[bytes], T], query: Mapping[str, str] | None, called: str
    ) -> tuple[T | None, AnswerError | None]:
        try:
            return read(await self._client.call("GET", path, query)), None
        except StatusError as error:
            return None, AnswerError(told(error, called))
        except ConnectionError as error:
            return None, AnswerError(str(error))
        except (msgspec.DecodeError, ValueError) as error:
            return None, AnswerError(f"decoding the answer of {path}: {error}")

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        if now < self._swept + FRESH:
            return
        self._swept = now
        old = [key for key, one in self._known.items() if one.until <= now]
        for key in old:
            if not self._known[key].lock.locked():
                del self._known[key]


def told(error: StatusError, called: str) -> str:
    """An error as client libraries tell it: with what was asked for, where its text says nothing
    but its code.
    """
    generic = _GENERIC.get(error.code)
    if generic is None or error.message.strip() not in _UNTOLD:
        return error.message
    return f"{generic} (get {called})" if called else generic
