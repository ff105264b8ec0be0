"""Plays a scenario under a seed: the course, its faults, and whether all comes to rest as it must.

with faults:  the script, the nodes, the controllers; managers are killed, the server dies
then calm:    until nothing was written for a simulated minute and the state is the expected
"""

import asyncio
import logging
import random
import secrets
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest import mock

from argosy.api.core import Node
from argosy.api.resource import Resource
from argosy.client.client import Client
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import ControlPlane, control_plane, without
from argosy.controllers.ownership import Node as GraphNode
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.cluster import UNDONE
from argosy.testing.faults import CALM, Faults, Faulty
from argosy.testing.simulation import LoopClock, SimulatedLoop, StandstillError
from tests.simulation.actors import Fate, Nodes, User, runs, steady
from tests.simulation.world import Invariant, Json, ObservedStore, World, changed, plain

QUIET = 60.0
"""Seconds without a write that end a run, where the state is as expected."""
STUCK = 900.0
"""Seconds without a write after which nothing will come any more: backoff ends far below."""
PATIENCE = 3600.0
LATEST = 25
"""So many commits are told of a run that failed; all of one that is traced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is done, by whom it is to be noticed, and how it must end.

    `final` is the state without names that the server made, uids, revisions and times.
    """

    name: str
    controllers: Callable[[Manager, Sequence[Resource]], None]
    script: Callable[[User], Awaitable[None]]
    final: Callable[[World], Json]
    expected: Json
    invariants: tuple[Callable[[], Invariant], ...] = ()
    fate: Fate = runs
    report: str = ""  # the message with which containers end
    others: tuple[Callable[[User], Awaitable[None]], ...] = ()  # who acts until the end
    answer: Callable[[World, Request], Response | None] | None = None  # of another server, in front
    nodes: tuple[str, ...] = ("a", "b")
    protected: bool = False
    twice: bool = False  # as if somebody started the controllers twice, until all calms down
    writes: int = 1000  # at most


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `problem` is empty where all was well. `history` are its last commits."""

    scenario: str
    seed: int
    problem: str
    writes: int
    seconds: float  # simulated
    history: tuple[str, ...]


class _FailureError(Exception):
    """A run has failed; the text says how."""


def run(scenario: Scenario, seed: int, *, trace: bool = False) -> Outcome:
    """One run, in a loop of its own."""
    loop = SimulatedLoop(seed)
    play = Play(scenario, seed, LoopClock(loop))
    problem = ""
    if trace:
        play.world.detail = changed
    with _determined(seed), _faults_told(play.faults_told):
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(play.whole())
        except (_FailureError, StandstillError) as error:
            problem = str(error)
        except Exception:
            problem = traceback.format_exc()
    if not problem and loop.failures:
        problem = f"not caught: {loop.failures[0]}"
    writes = play.world.writes
    history = tuple(writes if trace else writes[-LATEST:])
    return Outcome(scenario.name, seed, problem, len(writes), loop.time(), history)


@contextmanager
def _determined(seed: int) -> Iterator[None]:
    """Names and uids come from the seed, and so does the order of sets of the graph's nodes."""
    source = Random(seed)
    random.seed(seed)

    def uid() -> uuid.UUID:
        return uuid.UUID(int=source.getrandbits(128), version=4)

    with (
        mock.patch.object(uuid, "uuid4", uid),
        mock.patch.object(secrets, "randbelow", source.randrange),
        mock.patch.object(GraphNode, "__hash__", lambda node: hash(node.uid)),
        mock.patch.object(secrets, "token_urlsafe", lambda size: source.randbytes(size).hex()),
    ):
        yield


@contextmanager
def _faults_told(told: list[str]) -> Iterator[None]:
    """What is logged with a traceback is a fault of the one who logs it."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                told.append(logging.Formatter().format(record))

    handler, logger = Handler(), logging.getLogger("argosy")
    level, spread = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = spread


@dataclass
class Play:
    """One run."""

    scenario: Scenario
    seed: int
    clock: LoopClock
    faults_told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.world = World(self.clock)
        self.store = ObservedStore()
        self.plane: ControlPlane | None = None
        self.way = Faulty(_Door(self), Random(self.seed + 1))
        self.served: Sequence[Resource] = ()
        self.control: asyncio.Task[None] | None = None

    async def whole(self) -> None:
        """Raises _FailureError."""
        await self._begin()
        side = Faulty(_Door(self), Random(self.seed + 2), Faults(delay=0.05))
        client = Client(side, "kubectl")
        user = User(client, self.clock, Random(self.seed + 3), self.world)
        tasks = [asyncio.ensure_future(self._nodes(client).run())]
        for number, act in enumerate(self.scenario.others):
            one = replace(user, random=Random(self.seed + 5 + number))
            tasks.append(asyncio.ensure_future(act(one)))
        try:
            await self._bad_times(user)
            await self._good_times(tasks)
        finally:
            for task in tasks:
                await steady(task)
            await self._kill()

    def _nodes(self, client: Client) -> Nodes:
        random, scenario = Random(self.seed + 4), self.scenario
        return Nodes(client, self.clock, random, self.world, scenario.fate, scenario.report)

    async def _begin(self) -> None:
        await self._serve()
        assert self.plane is not None
        self.served = self.plane.resources
        await bootstrap(self.plane.client("bootstrap"))
        self.store.world = self.world
        for record in self.store.list(""):
            self.world.objects[record.key] = plain(record) or {}
        client = self.plane.client("nodes")
        for name in self.scenario.nodes:
            ready = {"type": "Ready", "status": "True"}
            body = {"metadata": {"name": name}, "status": {"conditions": [ready]}}
            await client.create(Node.resource, {"apiVersion": "v1", "kind": "Node", **body})
        self.world.invariants += [make() for make in self.scenario.invariants]
        self.world.writes.clear()

    async def _serve(self) -> None:
        guards = without(frozenset() if self.scenario.protected else UNDONE)
        self.plane = control_plane(self.store, self.clock, guards=guards)
        self.plane.server.state.bootstrapped = self.plane.server.state.ready = True

    def _start(self) -> None:
        self.control = self._managing()

    def _managing(self) -> asyncio.Task[None]:
        manager = Manager(Client(self.way, "argosy"), self.clock)
        self.scenario.controllers(manager, self.served)
        self.world.began = self.clock.monotonic()
        return asyncio.ensure_future(manager.run())

    async def _kill(self) -> None:
        if self.control is not None:
            task, self.control = self.control, None
            await _ended(task)

    async def _bad_times(self, user: User) -> None:
        """The script and the faults, until both have ended."""
        script = asyncio.ensure_future(self.scenario.script(user))
        other = self._managing() if self.scenario.twice else None
        if not self.seed or self.random.random() < 0.8:
            self._start()
        trouble = self.random.choice((1, 3, 6)) if self.seed else 0
        self.way.faults = self._faults() if self.seed else CALM
        for _ in range(trouble):
            await self.clock.sleep(25 * self.random.random() ** 2)
            act = self.random.choice((self._restart, self._crash, self._cut, self._turn))
            self._note(f"{act.__doc__}")
            await act()
            self._note(f"… and on, with {self.way.faults}")
        if self.control is None:
            self._start()
        while not script.done():
            await self.clock.sleep(1)
            if self.clock.monotonic() > PATIENCE:
                script.cancel()
                raise _FailureError("the script does not end")
        await script
        if other is not None:
            await _ended(other)
        self.way.faults = CALM

    def _note(self, text: str) -> None:
        self.world.writes.append(f"{self.clock.monotonic():9.3f} -- {text}")

    def _faults(self) -> Faults:
        """A kind of trouble that none knows in advance: much of little, or a bit of everything."""
        worst = Faults(
            delay=2.0,
            lost_request=0.1,
            lost_answer=0.2,
            repeated=0.3,
            refused=0.15,
            conflict=0.3,
            lag=10.0,
            cut=0.1,
            expired=0.05,
        )
        names = [name for name in Faults.__slots__ if self.random.random() < 0.5]
        return replace(
            CALM, **{name: getattr(worst, name) * self.random.random() for name in names}
        )

    async def _turn(self) -> None:
        """The way is bad in another manner."""
        self.way.faults = self._faults()

    async def _restart(self) -> None:
        """All controllers begin anew, with nothing in their caches."""
        await self._kill()
        await self.clock.sleep(10 * self.random.random() ** 2)
        self._start()

    async def _crash(self) -> None:
        """The server dies, and another one comes up over the same store."""
        dead, self.plane = self.plane, None
        self.way.crash()
        assert dead is not None
        await dead.server.close()
        await self.clock.sleep(10 * self.random.random() ** 2)
        await self._serve()

    async def _cut(self) -> None:
        """Every watch breaks."""
        self.way.sever()

    async def _good_times(self, others: Sequence[asyncio.Task[Any]]) -> None:
        """Wait for the end. Raises _FailureError where it doesn't come, or isn't the right one."""
        began = self.clock.monotonic()
        until = began + PATIENCE
        while True:
            await self.clock.sleep(5)
            self._check(others)
            state = self.scenario.final(self.world)
            # A bad way may have let nothing through for long before.
            quiet = self.clock.monotonic() - max(self.world.last, began)
            if quiet >= QUIET and state == self.scenario.expected:
                return
            if quiet >= STUCK:
                raise _FailureError(f"came to rest as {state}, not {self.scenario.expected}")
            if self.clock.monotonic() >= until:
                raise _FailureError(f"never comes to rest; it is {state}")

    def _check(self, others: Sequence[asyncio.Task[Any]]) -> None:
        for other in others:
            if other.done():
                raise _FailureError(f"who acts beside them broke: {other.exception()!r}")
        if self.control is not None and self.control.done():
            raise _FailureError(f"the manager broke: {self.control.exception()!r}")
        if self.world.broken:
            raise _FailureError("broken: " + "\n".join(self.world.broken[:5]))
        if self.faults_told:
            raise _FailureError(self.faults_told[0])
        if len(self.world.writes) > self.scenario.writes:
            raise _FailureError(f"{len(self.world.writes)} writes, {self.scenario.writes} allowed")


async def _ended(manager: asyncio.Task[None]) -> None:
    """End a manager, which must not have ended by itself. Raises _FailureError."""
    broken = manager.done()
    await steady(manager)
    if broken:
        raise _FailureError(f"the manager broke: {manager.exception()!r}")


@dataclass(frozen=True)
class _Door:
    """The way to the server that is up now."""

    play: Play

    async def send(self, request: Request) -> Response:
        plane = self.play.plane
        if plane is None:
            raise ConnectionError("nobody listens")
        answer = self.play.scenario.answer
        if answer is not None and (told := answer(self.play.world, request)) is not None:
            return told
        headers = {**request.headers, "authorization": f"Bearer {plane.token}"}
        return await plane.server.handle(replace(request, headers=headers))

    async def close(self) -> None:
        """There is nothing to let go of."""
