"""A bad way to an API server, as bad as one likes.

By a seed it delays requests, loses them or their answers, repeats what a proxy may repeat, refuses,
storms with conflicts, and lets watches lag, come in bursts and break. Times are those of the
running loop: virtual on `argosy.testing.simulation.SimulatedLoop`.

    way = Faulty(client.transport, Random(seed), Faults(delay=0.1, lost_answer=0.01))
    manager = Manager(replace(client, transport=way), clock)
    way.faults = CALM
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import msgspec

from argosy.base.errors import conflict, expired
from argosy.client.transport import Transport
from argosy.http.message import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How bad a way is: chances are from 0 to 1 for each request (or piece of a watch), times are
    seconds at most.
    """

    delay: float = 0.0  # a request, and an answer
    lost_request: float = 0.0  # before it is carried out
    lost_answer: float = 0.0  # after it was; some of them as 504
    repeated: float = 0.0  # carried out twice: only what HTTP calls idempotent
    refused: float = 0.0  # 429, 500, 503 or 504
    conflict: float = 0.0  # 409 to a PUT or PATCH that was not carried out
    lag: float = 0.0  # of what a watch tells
    cut: float = 0.0  # a watch ends, and what was on its way is lost
    expired: float = 0.0  # a watch ends with 410


CALM: Final = Faults()
IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})
_REFUSALS: Final = (
    (429, "TooManyRequests"),
    (500, "InternalError"),
    (503, "ServiceUnavailable"),
    (504, "Timeout"),
)


@dataclass
class Faulty:
    """A way to an API server with `faults`, which may be others at any time.

    What was sent is carried out even where the sender is gone by then, as by a server.
    """

    inner: Transport
    random: Random
    faults: Faults = CALM
    _carried: dict[asyncio.Task[Response], None] = field(default_factory=dict)
    _streams: dict["_Stream", None] = field(default_factory=dict)

    async def send(self, request: Request) -> Response:
        """The answer. Raises ConnectionError."""
        faults = self.faults
        await self._pause(faults.delay)
        if self._chance(faults.lost_request):
            raise ConnectionError("the request was lost")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        answer = await self._carry(request)
        if not isinstance(answer.body, bytes):
            return replace(answer, body=self._late(answer.body))
        if request.method in IDEMPOTENT and self._chance(faults.repeated):
            answer = await self._carry(request)
        await self._pause(faults.delay)
        if not self._chance(faults.lost_answer):
            return answer
        if self.random.random() < 0.3:
            return _told(504, "Timeout")
        raise ConnectionError("the answer was lost")

    async def close(self) -> None:
        await self.inner.close()

    def sever(self) -> None:
        """Break every watch at once."""
        for stream in self._streams:
            stream.broken = True
            stream.news.set()

    def crash(self) -> None:
        """The server died: what it was doing is left half-done, and every connection breaks."""
        for task in list(self._carried):
            task.cancel()
        self.sever()

    def _chance(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance

    async def _pause(self, longest: float) -> None:
        if longest:
            # Mostly short, now and then nearly the longest.
            await asyncio.sleep(longest * self.random.random() ** 3)

    def _refusal(self, request: Request) -> Response | None:
        if request.method in ("PUT", "PATCH") and self._chance(self.faults.conflict):
            error = conflict("things", "it", "the object has been modified")
            return Response(409, {}, msgspec.json.encode(error.status()))
        if not self._chance(self.faults.refused):
            return None
        return _told(*self.random.choice(_REFUSALS))

    async def _carry(self, request: Request) -> Response:
        task = asyncio.ensure_future(self.inner.send(request))
        self._carried[task] = None
        task.add_done_callback(self._carried_out)
        await asyncio.wait((task,))
        if task.cancelled():
            raise ConnectionError("the server died")
        return task.result()

    def _carried_out(self, task: asyncio.Task[Response]) -> None:
        self._carried.pop(task, None)
        if not task.cancelled():
            task.exception()  # it may be that nobody waits for it any more

    async def _late(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """What a watch tells: later, in bursts, and not for ever."""
        stream = _Stream()
        self._streams[stream] = None
        filling = asyncio.ensure_future(stream.fill(pieces))
        try:
            while True:
                await stream.news.wait()
                stream.news.clear()
                await self._pause(self.faults.lag)
                if stream.broken or self._chance(self.faults.cut):
                    raise ConnectionError("the watch was cut")
                if self._chance(self.faults.expired):
                    yield _expired()
                    return
                for piece in stream.taken(self.random):
                    yield piece
                if stream.ended:
                    return
        finally:
            del self._streams[stream]
            filling.cancel()
            await asyncio.wait((filling,))
            await pieces.aclose()


def _told(code: int, reason: str) -> Response:
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason}
    return Response(code, {"retry-after": "1"}, msgspec.json.encode(status))


def _expired() -> bytes:
    status = expired("too old resource version").status()
    return msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"


class _Stream:
    """What is on its way on a watch."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.ended = self.broken = False
        self._pieces: list[bytes] = []

    async def fill(self, pieces: AsyncGenerator[bytes, None]) -> None:
        async for piece in pieces:
            self._pieces.append(piece)
            self.news.set()
        self.ended = True
        self.news.set()

    def taken(self, random: Random) -> list[bytes]:
        """All that has come, cut in two anywhere: a connection knows no lines."""
        burst = b"".join(self._pieces)
        self._pieces.clear()
        at = random.randrange(len(burst) + 1)
        return [piece for piece in (burst[:at], burst[at:]) if piece]
