"""The manager holds the shared informers and runs them and the controllers together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.runtime.controller import Controller, ControllerLoop
from argosy.runtime.informer import Informer

T = TypeVar("T", bound=Object)


class Manager:
    """One client, one clock, one cache for each kind."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client = client
        self.clock = clock
        self._informers: dict[tuple[type[Object], Resource, str], Informer[Any]] = {}
        self._runners: list[Callable[[], Awaitable[None]]] = []

    def client_as(self, name: str) -> Client:
        """The client under a field manager of its own: what it applies is `name`'s."""
        return replace(self.client, manager=name)

    def informer(
        self, kind: type[T], resource: Resource | None = None, *, fields: str = ""
    ) -> Informer[T]:
        """The shared informer of `kind`, made at the first call."""
        key = (cast(type[Object], kind), resource or kind.resource, fields)
        if key not in self._informers:
            self._informers[key] = Informer(
                self.client, kind, self.clock, resource=resource, fields=fields
            )
        return self._informers[key]

    def add(self, controller: Controller[Any]) -> None:
        """Run `controller` with this manager."""
        self._runners.append(ControllerLoop(controller, self.clock).run)

    def add_runner(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run something else that stands on the informers (a scheduler, a node agent)."""
        self._runners.append(run)

    async def run(self) -> None:
        """Run everything until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run())
            for run in self._runners:
                group.create_task(_forever(run))


async def _forever(run: Callable[[], Awaitable[None]]) -> None:
    await run()
