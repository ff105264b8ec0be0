"""What the controllers' tests share."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.client.client import Client
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster

Json = dict[str, Any]


@dataclass
class Scene:
    """A cluster with the controllers under test."""

    client: Client
    clock: FakeClock
    manager: Manager

    async def make_pod(self, name: str, *claims: Json, **meta: Any) -> Pod:
        """A pod with entries of `resourceClaims`."""
        spec = {
            "containers": [{"name": "c", "image": "i"}],
            "resourceClaims": list(claims),
        }
        body = {"metadata": {"name": name, "namespace": "default", **meta}, "spec": spec}
        await self.client.create(Pod.resource, body)
        await settle()
        return await self.client.get(Pod, name, "default")

    async def end(self, name: str, phase: str = "Succeeded") -> None:
        """The pod has run to its end."""
        patch = {"status": {"phase": phase}}
        await self.client.merge(Pod.resource, name, "default", patch, subresource="status")
        await settle()


@asynccontextmanager
async def controlled(
    add: Callable[[Manager], None], *, protected: bool = False
) -> AsyncGenerator[Scene, None]:
    """A cluster with what `add` adds to its manager."""
    clock = FakeClock()
    async with cluster(clock=clock, protected=protected) as running:
        add(running.manager)
        running.start()
        await settle()
        yield Scene(running.client, clock, running.manager)
