"""What the informer's tests share: a server, a way to it that fails, and what the informer told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from argosy.api.core import ConfigMap
from argosy.client.client import Client
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import control_plane, memory_store
from argosy.http.message import Request
from argosy.runtime.informer import Informer
from argosy.store.interface import Store
from argosy.testing.clock import FakeClock
from tests.runtime.kit import Faulty

Change = tuple[str | None, str | None]


@dataclass
class Scene:
    """A server, a client beside the informer, and the informer with what it told."""

    client: Client
    transport: Faulty
    store: Store
    clock: FakeClock
    informer: Informer[ConfigMap]
    changes: list[Change] = field(default_factory=list)

    def note(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        self.changes.append((value_of(old), value_of(new)))

    def names(self) -> list[str]:
        return sorted(item.metadata.name for item in self.informer.items())

    async def set(self, name: str, value: str) -> None:
        patch = {"data": {"v": value}}
        await self.client.merge(ConfigMap.resource, name, "default", patch)

    async def delete(self, name: str) -> None:
        await self.client.delete(ConfigMap.resource, name, "default")


def value_of(obj: ConfigMap | None) -> str | None:
    return None if obj is None else obj.data.get("v", "")


@asynccontextmanager
async def scene(*, run: bool = True, namespace: str = "") -> AsyncGenerator[Scene, None]:
    clock, store = FakeClock(), memory_store()
    plane = control_plane(store, clock)
    client = plane.client("test")
    await bootstrap(client)
    transport = Faulty(client.transport)
    informer = Informer(Client(transport), ConfigMap, clock, namespace=namespace)
    found = Scene(client, transport, store, clock, informer)
    task = asyncio.create_task(informer.run()) if run else None
    if run:
        await informer.synced.wait()
    try:
        yield found
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.close()


def begins(request: Request) -> bool:
    """Whether the request is a watch that begins with all objects."""
    return "sendInitialEvents=true" in request.query
