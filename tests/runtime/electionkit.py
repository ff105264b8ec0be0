"""Machines with clocks of their own, and a server that keeps one lease and notes who writes.

A machine can stand still (its clocks go on: SIGSTOP), sleep (only its wall clock goes on), be cut
off, and have its wall clock set. What it sends arrives a while later, whether it still waits for
the answer or not.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from argosy.client.client import Client
from argosy.client.fence import Fenced
from argosy.http.message import Request, Response
from argosy.runtime.election import Election
from argosy.testing.clock import EPOCH

Json = dict[str, Any]
TURNS = 25


class Time:
    """The true time, which moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + max(0.0, seconds), self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.now + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                await _settle()
        self.now = until


async def _settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Server:
    """One lease, and a log of the other writes: who wrote, and who held the lease then."""

    def __init__(self) -> None:
        self.lease: Json | None = None
        self.revision = 0
        self.writes: list[tuple[str, str]] = []
        self.events: list[str] = []

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""

    def answer(self, request: Request, identity: str) -> Response:
        """What the request does, all at once."""
        if request.path.endswith("/work"):
            self.writes.append((identity, self.holder))
            return _plain(200, {})
        if "/events" in request.path:
            self.events.append(msgspec.json.decode(request.body)["message"])
            return _plain(201, {})
        if request.method == "GET":
            return _plain(200, self.lease) if self.lease else _plain(404, {"code": 404})
        return self._put(request)

    def _put(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body)
        given = body["metadata"].get("resourceVersion")
        known = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if given != known:
            return _plain(409, {"code": 409, "reason": "Conflict"})
        self.revision += 1
        body["metadata"]["resourceVersion"] = str(self.revision)
        self.lease = body
        return _plain(200, body)


def _plain(status: int, body: Json) -> Response:
    return Response(status, {}, msgspec.json.encode(body))


@dataclass
class Machine:
    """One candidate's machine: a clock and a wire."""

    name: str
    time: Time
    server: Server
    chance: Random
    rate: float = 1.0
    slowest: float = 0.0
    jump: float = 0.0
    cut: bool = False
    still: bool = False
    napped: bool = False
    set_back: bool = False
    _stood: float = 0.0  # for how long the monotonic clock stood still
    _slept_from: float | None = None
    _going: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def monotonic(self) -> float:
        stood = self._stood
        if self._slept_from is not None:
            stood += self.time.now - self._slept_from
        return 1000 + (self.time.now - stood) * self.rate

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time.now + self.jump)

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 1e-9:
            await self.time.sleep(left / self.rate)
            await self._awake()
        await self._awake()

    def stop(self) -> None:
        """SIGSTOP: nothing runs; the clocks do."""
        self.still = True

    def nap(self) -> None:
        """The machine sleeps."""
        self.still, self.napped, self._slept_from = True, True, self.time.now

    def wake(self) -> None:
        """Either ends."""
        if self._slept_from is not None:
            self._stood += self.time.now - self._slept_from
            self._slept_from = None
        self.still = False
        self._going.set()
        self._going = asyncio.Event()

    async def _awake(self) -> None:
        while self.still:
            await self._going.wait()

    async def send(self, request: Request) -> Response:
        """Over the wire and back."""
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._begin(self._delivered(request, answered))
        response = await answered
        await self._awake()
        return response

    async def close(self) -> None:
        """Nothing to close."""

    async def _delivered(self, request: Request, answered: asyncio.Future[Response]) -> None:
        if self.cut:
            await self.time.sleep(4)
            return _fail(answered)
        await self.time.sleep(self.chance.uniform(0, self.slowest))
        response = self.server.answer(request, self.name)
        await self.time.sleep(self.chance.uniform(0, self.slowest))
        if self.cut:
            return _fail(answered)
        if not answered.done():
            answered.set_result(response)

    def _begin(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Nothing of it runs any more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _fail(answered: asyncio.Future[Response]) -> None:
    if not answered.done():
        answered.set_exception(ConnectionError("cut off"))


@dataclass
class Candidate:
    """A process on a machine that writes while it leads, and stands again when it lost."""

    machine: Machine
    election: Election
    task: asyncio.Task[None] | None = None
    terms: int = 0

    def start(self) -> None:
        self.task = asyncio.create_task(self._standing())

    async def stop(self) -> None:
        """As SIGTERM does."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.sleep(0)

    async def _standing(self) -> None:
        while True:
            await self.election.lead(self._work)

    async def _work(self) -> None:
        self.terms += 1
        fenced = Fenced(self.machine, self.election.fence)
        while True:
            try:
                await fenced.send(Request("PATCH", "/work", "", {}, b"{}"))
            except ConnectionError:
                pass
            await self.machine.sleep(1.0)


def candidate(
    name: str, time: Time, server: Server, *, chance: Callable[[], float] | None = None, **of: Any
) -> Candidate:
    """A candidate on a machine of its own, with client-go's terms."""
    seeded = Random(name)
    machine = Machine(name, time, server, seeded, **of)
    election = Election(
        Client(machine, "test"),
        machine,
        name="lock",
        namespace="default",
        identity=name,
        chance=chance or seeded.random,
    )
    return Candidate(machine, election)
