"""Claims and volumes of a test's making, beside the controllers that bring them together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.core import Event, Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BIND_COMPLETED
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
ROOT = Path("/volumes")
CLAIM: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME: Json = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/data"},
    "storageClassName": "manual",
}


def add(manager: Manager) -> None:
    manager.add(volume_claims(manager, ROOT, PROVISIONER))
    manager.add(volumes(manager, ROOT, PROVISIONER))


@dataclass
class Binding(Scene):
    """Claims and volumes of the test's making."""

    async def claim(self, name: str = "c", **spec: Any) -> PersistentVolumeClaim:
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": {**CLAIM, **spec}}
        await self.client.create(PersistentVolumeClaim.resource, body)
        return await self.read(name)

    async def read(self, name: str = "c") -> PersistentVolumeClaim:
        await settle()
        return await self.client.get(PersistentVolumeClaim, name, "default")

    async def volume(self, name: str = "v", *, meta: Json | None = None, **spec: Any) -> None:
        body = {"metadata": {"name": name, **(meta or {})}, "spec": {**VOLUME, **spec}}
        await self.client.create(PersistentVolume.resource, body)
        await settle()

    async def look(self, name: str = "v") -> PersistentVolume:
        await settle()
        return await self.client.get(PersistentVolume, name)

    async def storage(self, name: str, provisioner: str = "example.com/disks", **more: Any) -> None:
        body = {"metadata": {"name": name}, "provisioner": provisioner, **more}
        await self.client.create(StorageClass.resource, body)
        await settle()

    async def events(self, reason: str) -> list[str]:
        await settle()
        found = (await self.client.list(Event)).items
        return [event.message for event in found if event.reason == reason]

    async def pod(self, name: str, claim: str, node: str = "") -> None:
        source = {"persistentVolumeClaim": {"claimName": claim}}
        spec: Json = {
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", **source}],
        }
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        await self.client.create(Pod.resource, body)
        if node:
            await self.client.bind(name, "default", node)
        await settle()


@asynccontextmanager
async def binding() -> AsyncGenerator[Binding, None]:
    async with controlled(add) as it:
        yield Binding(it.client, it.clock, it.manager)


def bound(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    """Whether the two are each other's, and say so."""
    reference = volume.spec.claim_ref
    return (
        claim.status.phase == volume.status.phase == "Bound"
        and claim.spec.volume_name == volume.metadata.name
        and reference is not None
        and reference.uid == claim.metadata.uid
        and claim.status.capacity == volume.spec.capacity
        and claim.status.access_modes == volume.spec.access_modes
        and BIND_COMPLETED in claim.metadata.annotations
    )
