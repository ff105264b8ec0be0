"""A cluster in the test's process: a real API server over a store in memory, no sockets."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from argosy.api.core import Namespace
from argosy.api.crdgen import custom_resource_definition
from argosy.api.features import switches
from argosy.api.kinds import RESOURCES
from argosy.api.meta import Object
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.base.clock import Clock, SystemClock
from argosy.client.client import Client
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import MINOR, ControlPlane, control_plane, memory_store, without
from argosy.http.message import Handler
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle

T = TypeVar("T", bound=Object)

UNDONE = frozenset({"TaintNodesByCondition", "StorageObjectInUseProtection", "PodGroupProtection"})
"""Admission plugins whose taints and finalizers only controllers take off again."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pieces; `manager` runs from `start` on, with whatever was added to it before."""

    plane: ControlPlane
    client: Client
    manager: Manager
    tasks: list[asyncio.Task[None]]

    def start(self) -> None:
        """Run the manager's informers and controllers."""
        self.tasks.append(asyncio.create_task(self.manager.run()))

    async def define(self, *versions: type[Object]) -> None:
        """Serve a kind that is not built in, by the definition that its structs make."""
        definition = custom_resource_definition(*versions)
        await self.client.create(CUSTOM_RESOURCE_DEFINITION, definition)

    async def make(self, kind: type[T], body: Mapping[str, Any]) -> T:
        """Create an object, give it the status that `body` may have, and read it."""
        made = await self.client.create(kind.resource, body)
        name, namespace = made["metadata"]["name"], made["metadata"].get("namespace", "")
        if "status" in body:
            patch = {"status": body["status"]}
            await self.client.merge(kind.resource, name, namespace, patch, subresource="status")
        return await self.client.get(kind, name, namespace)

    async def until(
        self,
        kind: type[T],
        name: str,
        namespace: str,
        check: Callable[[T], bool],
        *,
        timeout: float = 10.0,
    ) -> T:
        """Wait until the object is there and `check` holds; the test fails after `timeout`."""
        async with asyncio.timeout(timeout):
            listed = await self.client.list(kind, namespace, fields=f"metadata.name={name}")
            for obj in listed.items:
                if check(obj):
                    return obj
            since = listed.metadata.resource_version
            watch = self.client.watch(kind, namespace, since=since, fields=f"metadata.name={name}")
            async for event in watch:
                if event.type != "DELETED" and check(event.object):
                    return event.object
        raise AssertionError(f"the watch of {name} ended")

    async def calm(self, *, turns: int = 200, timeout: float = 10.0) -> None:
        """Wait until nothing was written for so many turns of the loop: whoever had something to do
        at this moment of the clock has done it. The test fails after `timeout`.
        """
        before = ""
        async with asyncio.timeout(timeout):
            while (now := await self._revision()) != before:
                before = now
                await settle(turns)

    async def _revision(self) -> str:
        """How far the store is: every list tells it."""
        return (await self.client.list(Namespace)).metadata.resource_version


@asynccontextmanager
async def cluster(
    *,
    clock: Clock | None = None,
    node: Handler | None = None,
    protected: bool = False,
    runtime_config: str = "",
    feature_gates: str = "",
) -> AsyncGenerator[Cluster, None]:
    """A fresh cluster with what every cluster has; everything ends with the block.

    No controllers run in it but those that are added. So new nodes take pods at once, and what is
    deleted goes at once, unless it is to be `protected`. `runtime_config` switches versions on and
    off, `feature_gates` what is new, as kube-apiserver's options of these names.
    """
    clock = clock or SystemClock()
    store = memory_store()
    guards = without(frozenset() if protected else UNDONE)
    chosen = switches(RESOURCES, MINOR, runtime_config=runtime_config, feature_gates=feature_gates)
    plane = control_plane(store, clock, node=node, guards=guards, chosen=chosen)
    client = plane.client("test")
    await bootstrap(client)
    plane.server.state.bootstrapped = plane.server.state.ready = True
    tasks: list[asyncio.Task[None]] = []
    try:
        yield Cluster(plane, client, Manager(plane.client("argosy"), clock), tasks)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await plane.server.close()
        await store.close()
        for outcome in outcomes:
            if isinstance(outcome, Exception):  # the manager broke: the test must not pass
                raise outcome
