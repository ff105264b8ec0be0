"""Ways to an API server that are not what they should be: they lag, or they break off writes."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import conflict
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene

LAG = 5.0


class Counting:
    """A good way, on which requests are counted."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._counts: Counter[tuple[str, str]] = Counter()

    def posts(self, plural: str) -> int:
        """How many objects were to be made."""
        return self._counts["POST", plural]

    def gets(self, name: str) -> int:
        """How often an object of that name was asked for."""
        return self._counts["GET", name]

    async def send(self, request: Request) -> Response:
        self._counts[request.method, request.path.rsplit("/", 1)[-1]] += 1
        return await self._inner.send(request)

    async def close(self) -> None:
        await self._inner.close()


class Lagging(Counting):
    """What watches of pods and ReplicaSets (or others) tell comes late."""

    late: tuple[str, ...] = ("/pods", "/replicasets")

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        watched = "watch=true" in request.query and request.path.endswith(self.late)
        if not watched or isinstance(response.body, bytes):
            return response
        return replace(response, body=self._late(response.body))

    async def _late(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def fill() -> None:
            async for piece in pieces:
                queue.put_nowait((self._clock.monotonic() + LAG, piece))

        filling = asyncio.create_task(fill())
        try:
            while True:
                due, piece = await queue.get()
                await self._clock.sleep(due - self._clock.monotonic())
                yield piece
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
            await pieces.aclose()


class Breaking(Lagging):
    """The answers to the first three new pods get lost, and watches lag."""

    lost = 0

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.method == "POST" and request.path.endswith("/pods") and self.lost < 3:
            self.lost += 1
            raise ConnectionError("the connection broke")
        return response


class Stormy(Counting):
    """The first twenty patches find that somebody else was faster."""

    thrown = 0

    async def send(self, request: Request) -> Response:
        if request.method == "PATCH" and self.thrown < 20:
            self.thrown += 1
            status = conflict("things", "it", "the object has been modified").status()
            return Response(409, {}, msgspec.json.encode(status))
        return await super().send(request)


F = TypeVar("F", bound=Counting)


@asynccontextmanager
async def with_faults(
    faults: Callable[[Transport, Clock], F],
    *controllers: Callable[[Manager], Controller[Any] | None],
) -> AsyncGenerator[tuple[Scene, F], None]:
    """A cluster whose controllers go such a way, and the way."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client = running.plane.client("argosy")
        way = faults(client.transport, clock)
        manager = Manager(replace(client, transport=way), clock)
        for make in controllers:
            if (controller := make(manager)) is not None:
                manager.add(controller)
        running.tasks.append(asyncio.create_task(manager.run()))
        await settle()
        yield Scene(running.client, clock, manager), way
