"""The manager holds the shared informers and runs them and the controllers together.

Where it stands for election, informers run all the time and controllers only while it leads. Who
cancels `run` with a `grace` lets reconciles end that were begun, while the caches go on; without
one, it is as if the process had been killed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.runtime.controller import Controller, ControllerLoop, Tracer
from argosy.runtime.following import Reach
from argosy.runtime.informer import Informer, Trim, untrimmed
from argosy.runtime.metrics import Metrics

T = TypeVar("T", bound=Object)
Runner = Callable[[], Awaitable[None]]


GRACE = 30.0
"""Seconds that a manager of a process of its own should give: controller-runtime's."""


class Election(Protocol):
    """Sees to it that of several managers one works at a time."""

    async def lead(self, work: Runner) -> None:
        """Wait to lead, then run `work`; cancel it when leadership is lost, and return."""
        ...


class Manager:
    """One client, one clock, one cache for each kind.

    `metrics` may be shared with other managers; `host` is the API server's name in it. `tracer`
    makes a span of each reconcile (OpenTelemetry's can be handed over as it is).
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        election: Election | None = None,
        grace: float = 0.0,
        metrics: Metrics | None = None,
        host: str = "",
        tracer: Tracer | None = None,
    ) -> None:
        self.clock = clock
        self.metrics = metrics or Metrics()
        self.client = replace(client, transport=self.metrics.transport(client.transport, host))
        self._election = election
        self._grace = grace
        self._tracer = tracer
        self._reach = Reach()
        self._informers: dict[Hashable, Informer[Any]] = {}
        self._loops: list[ControllerLoop[Any]] = []
        self._runners: list[Runner] = []
        self._always: list[Runner] = []

    @property
    def unsynced(self) -> list[str]:
        """The resources of which not all objects were read yet."""
        waiting = {
            informer.resource.qualified
            for informer in self._informers.values()
            if not informer.synced.is_set()
        }
        return sorted(waiting)

    def client_as(self, name: str) -> Client:
        """The client under a field manager of its own: what it applies is `name`'s."""
        return replace(self.client, manager=name)

    def informer(
        self,
        kind: type[T],
        resource: Resource | None = None,
        *,
        fields: str = "",
        trim: Trim[T] = untrimmed,
    ) -> Informer[T]:
        """The shared informer of `kind`, made at the first call; another one for each `trim`."""
        key = (kind, resource or kind.resource, fields, trim)
        if key not in self._informers:
            self._informers[key] = Informer(
                self.client,
                kind,
                self.clock,
                resource=resource,
                fields=fields,
                trim=trim,
                reach=self._reach,
            )
        return self._informers[key]

    def add(self, controller: Controller[Any]) -> None:
        """Run `controller` with this manager."""
        counts = self.metrics.controller(controller.name, controller.workers)
        loop = ControllerLoop(controller, self.clock, counts, self._tracer)
        self._loops.append(loop)
        self._runners.append(loop.run)

    def add_runner(self, run: Runner, *, always: bool = False) -> None:
        """Run something else that stands on the informers (a scheduler, a node agent).

        With `always` it runs while another manager leads, too (a door for metrics).
        """
        (self._always if always else self._runners).append(run)

    async def run(self) -> None:
        """Run everything until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run())
            for run in self._always:
                group.create_task(_forever(run))
            working = group.create_task(self._lead())
            try:
                await asyncio.wait((working,))
            except asyncio.CancelledError:
                await self._drain()
                raise

    async def _lead(self) -> None:
        if self._election is None:
            await self._work()
            return
        while True:
            await self._election.lead(self._work)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for run in self._runners:
                group.create_task(_forever(run))

    async def _drain(self) -> None:
        """Let the reconciles end that were begun, for as long as they are given.

        What they wait for goes on meanwhile: caches, and the leadership.
        """
        if not self._grace:
            return
        drained = asyncio.gather(*(loop.drain() for loop in self._loops))
        patience = asyncio.ensure_future(self.clock.sleep(self._grace))
        try:
            await asyncio.wait((drained, patience), return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
            drained.cancel()
            await asyncio.gather(drained, patience, return_exceptions=True)


async def _forever(run: Runner) -> None:
    await run()
