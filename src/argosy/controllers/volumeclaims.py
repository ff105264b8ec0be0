"""Binds claims to volumes, and has volumes made for those that find none.

What is decided of a claim, and why, is in `volumes.claimplan`, how it is written in
`volumes.binding`. Classes of the cluster's own provisioner get folders of this machine
(`volumes.local`); those of others wait until their provisioner has made the volume.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BIND_COMPLETED, SELECTED_NODE, claim_class, meant_for
from argosy.base.errors import StatusError
from argosy.controllers.volumes.binding import Write, claim_phase
from argosy.controllers.volumes.claimplan import (
    Bind,
    Classify,
    Known,
    Lose,
    Provision,
    Select,
    Wait,
    decide,
    default_class,
)
from argosy.controllers.volumes.growing import lacks, next_growth
from argosy.controllers.volumes.index import Indexes
from argosy.controllers.volumes.local import LocalVolumes
from argosy.controllers.volumes.words import (
    COMPONENT,
    PROVISIONED_BY,
    PROVISIONERS,
)
from argosy.controllers.volumes.writer import Writer
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/volumeclaims"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the "
    "system administrator. If volume creation is delayed, please verify that the provisioner is "
    "running and correctly registered."
)


@dataclass(frozen=True)
class VolumeClaims:
    """Decides and writes, claim by claim."""

    writer: Writer
    events: EventRecorder
    indexes: Indexes
    classes: Informer[StorageClass]
    nodes: Informer[Node]
    local: LocalVolumes

    async def reconcile(self, claim: PersistentVolumeClaim) -> Result:
        """Bind the claim, have a volume made for it, or say why it waits."""
        if claim.metadata.deletion_timestamp and BIND_COMPLETED not in claim.metadata.annotations:
            return DONE
        match decide(claim, self._known(claim)):
            case Bind(volume):
                claim = await self.writer.bind(volume, claim)
                await self._grow(volume, claim)
            case Provision(storage):
                await self._provision(claim, storage)
            case Classify(name):
                await self.writer.write(Write(claim, {"spec": {"storageClassName": name}}))
            case Select(node):
                said = {"annotations": {SELECTED_NODE: node}}
                await self.writer.write(Write(claim, {"metadata": said}))
            case Wait(note):
                await self._wait(claim, note)
            case Lose(note):
                await self._lose(claim, note)
        return DONE

    def _known(self, claim: PersistentVolumeClaim) -> Known:
        volumes, name = self.indexes.volumes, claim.spec.volume_name
        named = volumes.get("", name) if name else None
        if name or BIND_COMPLETED in claim.metadata.annotations:
            return Known(named=named)
        pods = self.indexes.users(claim)
        placed = (self.nodes.get("", pod.spec.node_name) for pod in pods if pod.spec.node_name)
        return Known(
            volumes=self.indexes.volumes_for(claim),
            storage=self.classes.get("", claim_class(claim)),
            default=default_class(self.classes.items()),
            node=next((node for node in placed if node is not None), None),
            unplaced=[pod.metadata.name for pod in pods if not pod.spec.node_name],
        )

    async def _wait(self, claim: PersistentVolumeClaim, note: Note | None) -> None:
        if note is not None:
            await self.events.record(claim, note)
        if (step := claim_phase(claim, "Pending")) is not None:
            await self.writer.write(step)

    async def _lose(self, claim: PersistentVolumeClaim, note: Note) -> None:
        if claim.status.phase == "Lost":
            return
        if (step := claim_phase(claim, "Lost")) is not None:
            await self.writer.write(step)
        await self.events.record(claim, note)

    async def _grow(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> None:
        """Give the claim what it asks for beyond what it has."""
        if not lacks(claim):
            return
        if volume.metadata.annotations.get(PROVISIONED_BY) != self.local.provisioner:
            text = "waiting for an external controller to expand this PVC"
            await self.events.record(claim, Note("ExternalExpanding", text))
            return
        fresh = await self.writer.client.get(PersistentVolume, volume.metadata.name)
        await self.writer.bind(fresh, claim, next_growth)
        text = f"ExpandVolume succeeded for volume {'/'.join(claim.key)}"
        await self.events.record(claim, Note("VolumeResizeSuccessful", text))

    async def _provision(self, claim: PersistentVolumeClaim, storage: StorageClass) -> None:
        if storage.provisioner != self.local.provisioner:
            claim = await self._ask(claim, storage.provisioner)
            text = EXTERNAL.format(storage.provisioner)
            await self._wait(claim, Note("ExternalProvisioning", text))
            return
        if (why := self.local.refusal(claim, storage)) is not None:
            await self._wait(claim, Note("ProvisioningFailed", why, "Warning"))
            return
        claim = await self._ask(claim, storage.provisioner)
        volume = await self._made(claim, storage)
        if meant_for(volume, claim):
            await self.writer.bind(volume, claim)

    async def _ask(self, claim: PersistentVolumeClaim, provisioner: str) -> PersistentVolumeClaim:
        """Say in the claim who is to make its volume."""
        wanted = dict.fromkeys(PROVISIONERS, provisioner)
        if wanted.items() <= claim.metadata.annotations.items():
            return claim
        return await self.writer.write(Write(claim, {"metadata": {"annotations": wanted}}))

    async def _made(self, claim: PersistentVolumeClaim, storage: StorageClass) -> PersistentVolume:
        """The claim's own volume, which an earlier try may have made."""
        client, body = self.writer.client, self.local.volume(claim, storage)
        name = body["metadata"]["name"]
        try:
            made = await client.create(PersistentVolume.resource, body)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            return await client.get(PersistentVolume, name)
        text = f"Successfully provisioned volume {name} using {storage.provisioner}"
        await self.events.record(claim, Note("ProvisioningSucceeded", text))
        return msgspec.convert(made, PersistentVolume)


def volume_claims(
    manager: Manager, root: Path, provisioner: str
) -> Controller[PersistentVolumeClaim]:
    """The controller, on the manager's caches; volumes of `provisioner` lie below `root`."""
    claims, volumes = manager.informer(PersistentVolumeClaim), manager.informer(PersistentVolume)
    classes, pods = manager.informer(StorageClass), manager.informer(Pod)
    client = manager.client_as(NAME)
    indexes = Indexes(claims, volumes, pods)
    controller = VolumeClaims(
        writer=Writer(client, claims, volumes),
        events=EventRecorder(client, manager.clock, COMPONENT),
        indexes=indexes,
        classes=classes,
        nodes=manager.informer(Node),
        local=LocalVolumes(root, provisioner),
    )
    return Controller(
        name=NAME,
        informer=claims,
        reconcile=controller.reconcile,
        watches=(
            Watch(volumes, indexes.claims_by),
            Watch(classes, indexes.claims_in),
            Watch(pods, indexes.claims_with),
        ),
    )
