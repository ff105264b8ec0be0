"""What tests of `commit` share: an owner, and a committer whose requests are noted."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.core import ConfigMap, Pod
from argosy.api.meta import Condition, owned
from argosy.api.modelversion import ModelVersion, ModelVersionStatus
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.commit import Committer, Desired, Plan
from argosy.runtime.events import EventRecorder
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import Faulty, config_map, faulty

Json = dict[str, Any]

SPEC = {
    "model": "m",
    "version": "1",
    "storageUri": "pvc://claim/model.onnx",
    "modelFormat": {"name": "onnx"},
}


def state(status: str = "False", message: str = "") -> ModelVersionStatus:
    ready = Condition(
        type="Ready",
        status=status,
        reason="Told",
        message=message,
        last_transition_time="2026-01-01T00:00:00Z",
    )
    return ModelVersionStatus(conditions=(ready,))


def nothing(error: StatusError) -> Plan:
    return Plan()


@dataclass
class Scene:
    """An owner, and a committer whose requests are noted."""

    running: Cluster
    transport: Faulty
    committer: Committer
    owner: ModelVersion

    @property
    def client(self) -> Client:
        return self.running.client

    async def commit(self, plan: Plan, refused: Callable[[StatusError], Plan] = nothing) -> None:
        try:
            await self.committer.commit(self.owner, plan, refused=refused)
        finally:
            await self.committer.events.flushed()

    async def reread(self) -> None:
        self.owner = await self.client.get(ModelVersion, "v", "default")
        await settle()

    def wanted(self, name: str, **data: str) -> Desired:
        return Desired(ConfigMap.resource, config_map(name, owner=owned(self.owner), **data))

    def writes(self) -> list[tuple[str, str]]:
        """Method and kind of the requests that write, in order."""
        found = [item for item in self.transport.seen if item.method != "GET"]
        return [(item.method, item.path.split("/default/")[1]) for item in found]


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client, transport = faulty(running)
        informers = tuple(running.manager.informer(kind) for kind in (ModelVersion, ConfigMap, Pod))
        committer = Committer(client, EventRecorder(client, clock, "test"), informers)
        body = {"metadata": {"name": "v", "namespace": "default"}, "spec": SPEC}
        await running.client.create(ModelVersion.resource, body)
        owner = await running.client.get(ModelVersion, "v", "default")
        running.start()
        await settle()
        yield Scene(running, transport, committer, owner)
