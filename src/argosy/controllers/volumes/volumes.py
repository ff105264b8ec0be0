"""Says of volumes whether they are free, bound or released, and reclaims those that are released.

What is decided, and why, is in `volumeplan`. Before a claim is taken for gone, and before anything
is removed, the server is asked: the cache may lag, and what is removed does not come back.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from argosy.api.meta import Key
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.controllers.volumes.binding import Write, phase, unbind
from argosy.controllers.volumes.index import CLAIM, kept_for, volume_of
from argosy.controllers.volumes.local import LocalVolumes
from argosy.controllers.volumes.volumeplan import Failed, Fate, Reclaim, fate, finalizers, reclaim
from argosy.controllers.volumes.words import COMPONENT, FINALIZER
from argosy.controllers.volumes.writer import Writer
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/volumes"
AGAIN = Result(after=60.0)
"""What can't be removed is tried again, in seconds."""


@dataclass(frozen=True)
class Volumes:
    """Decides and writes, volume by volume."""

    writer: Writer
    events: EventRecorder
    claims: Informer[PersistentVolumeClaim]
    local: LocalVolumes

    async def reconcile(self, volume: PersistentVolume) -> Result:
        """Bring the volume's phase in line with its claim; reclaim it where that is gone."""
        kept = finalizers(volume, self.local.provisioner)
        if kept is not None:
            volume = await self._finalize(volume, kept)
        claim = await self._claim(volume)
        match fate(volume, claim):
            case Fate.RECLAIM:
                return await self._reclaim(volume)
            case Fate.UNBIND:
                volume = await self.writer.write(unbind(volume))
                await self._put(volume, "Available")
            case Fate.WAIT if claim is not None:
                await self._compare(volume, claim)
            case Fate.AVAILABLE | Fate.BOUND as found:
                await self._put(volume, found.value)
        return DONE

    async def _claim(self, volume: PersistentVolume) -> PersistentVolumeClaim | None:
        """The very claim whose the volume is."""
        reference = volume.spec.claim_ref
        if reference is None or not reference.uid:
            return None
        claim = self.claims.get(reference.namespace, reference.name)
        if claim is not None and claim.metadata.uid == reference.uid:
            return claim
        find = self.writer.client.find
        claim = await find(PersistentVolumeClaim, reference.name, reference.namespace)
        return claim if claim is not None and claim.metadata.uid == reference.uid else None

    async def _put(self, volume: PersistentVolume, name: str) -> PersistentVolume:
        if volume.status.phase == name:
            return volume
        return await self.writer.write(phase(volume, name))

    async def _finalize(self, volume: PersistentVolume, names: tuple[str, ...]) -> PersistentVolume:
        patch = {"metadata": {"finalizers": list(names) or None}}
        return await self.writer.write(Write(volume, patch))

    async def _compare(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> None:
        """Tell why the two that were meant for each other don't come together."""
        if claim.spec.volume_mode == volume.spec.volume_mode:
            return
        why, names = "due to incompatible volumeMode.", (claim.metadata.name, volume.metadata.name)
        texts = (
            f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{names[0]}" {why}',
            f'Cannot bind PersistentVolume "{names[1]}" to requested PersistentVolumeClaim {why}',
        )
        await self.events.record(volume, Note("VolumeMismatch", texts[0], "Warning"))
        await self.events.record(claim, Note("VolumeMismatch", texts[1], "Warning"))

    async def _reclaim(self, volume: PersistentVolume) -> Result:
        if volume.status.phase != "Failed":  # who looks shall see what went wrong
            volume = await self._put(volume, "Released")
        match reclaim(volume, self.local.provisioner):
            case Failed(note):
                await self._fail(volume, note)
            case Reclaim.REMOVE:
                return await self._remove(volume)
        return DONE

    async def _fail(self, volume: PersistentVolume, note: Note) -> None:
        if volume.status.phase != "Failed":
            await self.writer.write(phase(volume, "Failed", note.message))
            await self.events.record(volume, note)

    async def _remove(self, volume: PersistentVolume) -> Result:
        """Remove the data, then the volume."""
        meta = volume.metadata
        if meta.deletion_timestamp is not None and FINALIZER not in meta.finalizers:
            return DONE
        fresh = await self.writer.client.find(PersistentVolume, meta.name)
        if fresh is None or fresh.metadata.resource_version != meta.resource_version:
            return DONE  # a change of its own, and it may be that the data are to be kept
        try:
            await asyncio.to_thread(self.local.remove, volume)
        except (OSError, ValueError) as error:
            await self._fail(volume, Note("VolumeFailedDelete", str(error), "Warning"))
            return AGAIN
        if FINALIZER in meta.finalizers:
            names = tuple(name for name in meta.finalizers if name != FINALIZER)
            await self._finalize(volume, names)
        await self.writer.client.delete(volume.resource, meta.name, uid=meta.uid)
        return DONE


def volumes(manager: Manager, root: Path, provisioner: str) -> Controller[PersistentVolume]:
    """The controller, on the manager's caches; volumes of `provisioner` lie below `root`."""
    claims, known = manager.informer(PersistentVolumeClaim), manager.informer(PersistentVolume)
    client = manager.client_as(NAME)
    controller = Volumes(
        writer=Writer(client, claims, known),
        events=EventRecorder(client, manager.clock, COMPONENT),
        claims=claims,
        local=LocalVolumes(root, provisioner),
    )
    known.add_index(CLAIM, kept_for)

    def of(claim: PersistentVolumeClaim) -> list[Key]:
        """The volumes that change when the claim does."""
        kept = [volume.key for volume in known.by_index(CLAIM, claim.key)]
        return [*kept, *(("", name) for name in volume_of(claim))]

    return Controller(
        name=NAME,
        informer=known,
        reconcile=controller.reconcile,
        watches=(Watch(claims, of),),
    )
