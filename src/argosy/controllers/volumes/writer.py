"""Writes what was decided of claims and volumes, and waits until the caches have seen it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from argosy.api.meta import Object
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.client.client import Client
from argosy.controllers.volumes.binding import Write, next_write
from argosy.runtime.informer import Informer

T = TypeVar("T", bound=Object)
Steps = Callable[
    [PersistentVolume, PersistentVolumeClaim],
    Write[PersistentVolume] | Write[PersistentVolumeClaim] | None,
]
"""Tells the next write that two objects lack."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes as one field manager."""

    client: Client
    claims: Informer[PersistentVolumeClaim]
    volumes: Informer[PersistentVolume]

    async def write(self, write: Write[T]) -> T:
        """The object after the write. Raises StatusError 409 where it was changed meanwhile."""
        meta, resource = write.of.metadata, write.of.resource
        written = await self.client.merge(
            resource, meta.name, meta.namespace, write.body, subresource=write.subresource
        )
        return msgspec.convert(written, type(write.of))

    async def bind(
        self, volume: PersistentVolume, claim: PersistentVolumeClaim, steps: Steps = next_write
    ) -> PersistentVolumeClaim:
        """Write all that is missing until the claim has the volume; the claim after that."""
        before = (volume, claim)
        while (step := steps(volume, claim)) is not None:
            if isinstance(step.of, PersistentVolume):
                volume = await self.write(Write(step.of, step.patch, step.subresource))
            else:
                claim = await self.write(Write(claim, step.patch, step.subresource))
        if before != (volume, claim):
            await self.volumes.reached(volume.metadata.resource_version)
            await self.claims.reached(claim.metadata.resource_version)
        return claim
