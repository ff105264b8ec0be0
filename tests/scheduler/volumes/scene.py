"""A whole API server with two nodes and three classes, for pods with claims."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import (
    BIND_COMPLETED,
    SELECTED_NODE,
)
from argosy.client.client import Client
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
from argosy.scheduler.loop import Scheduler
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import pod_body
from tests.scheduler.test_loop import make, placed
from tests.scheduler.volumes.kit import claim_body, host, storage, volume_body

Json = dict[str, Any]
ROOT = Path("/volumes")
PRE_BIND = 'running PreBind plugin "VolumeBinding": '


@dataclass(frozen=True)
class Scene:
    """A cluster with two nodes, a class for local volumes and one that makes folders."""

    running: Cluster
    clock: FakeClock

    @property
    def client(self) -> Client:
        return self.running.client

    def go(self, *, binding: bool = True) -> None:
        """Start the scheduler, and who binds what it decided."""
        manager = self.running.manager
        manager.add_runner(Scheduler(manager).run)
        if binding:
            manager.add(volume_claims(manager, ROOT, PROVISIONER))
            manager.add(volumes(manager, ROOT, PROVISIONER))
        self.running.start()

    async def claim(self, name: str, size: str = "1Gi", **more: Any) -> None:
        await self._create(PersistentVolumeClaim, claim_body(name, size, **more))

    async def volume(self, name: str, size: str = "1Gi", **more: Any) -> None:
        body = volume_body(name, size, **more)
        body["spec"].setdefault("hostPath", {"path": f"/disks/{name}"})
        await self._create(PersistentVolume, body)
        patch = {"status": {"phase": "Available"}}
        resource = PersistentVolume.resource
        await self.client.merge(resource, name, "", patch, subresource="status")

    async def _create(self, kind: Any, body: Json) -> None:
        meta = {
            key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]
        }
        whole = {"apiVersion": "v1", "kind": kind.resource.kind, "metadata": meta}
        await self.client.create(kind.resource, {**whole, "spec": body["spec"]})

    async def pod(self, name: str, *claims: str, spec: Mapping[str, Any] | None = None) -> None:
        mounted = [
            {"name": f"v{i}", "persistentVolumeClaim": {"claimName": claim}}
            for i, claim in enumerate(claims)
        ]
        body = pod_body(name, spec={"volumes": mounted, **(spec or {})})
        body["metadata"] = {"name": name, "namespace": "default"}
        del body["status"]
        await self.client.create(Pod.resource, body)

    async def place_of(self, name: str) -> str:
        return (await self.running.until(Pod, name, "default", placed)).spec.node_name

    async def read(self, name: str) -> PersistentVolumeClaim:
        return await self.client.get(PersistentVolumeClaim, name, "default")

    async def look(self, name: str) -> PersistentVolume:
        return await self.client.get(PersistentVolume, name)


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        for name in ("n1", "n2"):
            await make(running.client, host(name))
        await make(running.client, storage("local"))
        await make(running.client, storage("folders", PROVISIONER))
        await make(running.client, storage("far", "example.com/disks"))
        yield Scene(running, clock)


async def bind_by_hand(client: Client, claim: str, volume: str) -> None:
    """What a volume controller writes of the two."""
    found = await client.get(PersistentVolumeClaim, claim, "default")
    whose = {"namespace": "default", "name": claim, "uid": found.metadata.uid}
    await client.merge(PersistentVolume.resource, volume, "", {"spec": {"claimRef": whose}})
    patch = {"metadata": {"annotations": {BIND_COMPLETED: "yes"}}, "spec": {"volumeName": volume}}
    await client.merge(PersistentVolumeClaim.resource, claim, "default", patch)


def selected(claim: PersistentVolumeClaim) -> bool:
    return SELECTED_NODE in claim.metadata.annotations


def told(text: str) -> Any:
    """The pod's condition says so, among other things."""

    def check(pod: Pod) -> bool:
        found = condition(pod.status.conditions, "PodScheduled")
        return found is not None and found.status == "False" and text in found.message

    return check
