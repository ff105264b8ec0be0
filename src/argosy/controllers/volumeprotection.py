"""Lets go of deleted volumes that are not bound, and of deleted classes of volumes' attributes that
no volume and no claim names.

The finalizers are `kubernetes.io/pv-protection` and `kubernetes.io/vac-protection`, the rules those
of Kubernetes' controllers of these names. A bound volume is in use until its claim is gone, and it
is said to be released (`volumes`). Before a class goes the server is asked who names it: the cache
may lag.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from argosy.api.meta import Key
from argosy.api.resource import Resource
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass
from argosy.client.client import Client
from argosy.controllers.protection import WAITING, Protection
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/volumeprotection"
CLASSES = "controllers/volumeclassprotection"
FINALIZER = "kubernetes.io/pv-protection"
CLASS_FINALIZER = "kubernetes.io/vac-protection"


@dataclass(frozen=True)
class VolumeProtection:
    """Holds volumes that are bound."""

    protection: Protection

    async def reconcile(self, volume: PersistentVolume) -> Result:
        """Hold the volume, or let it go."""

        async def unused() -> bool:
            return volume.status.phase != "Bound"

        await self.protection.keep(volume, unused)
        return DONE  # that it is bound no longer is a change of its own


@dataclass(frozen=True)
class ClassProtection:
    """Holds classes that volumes or claims name."""

    protection: Protection
    client: Client
    volumes: Informer[PersistentVolume]
    claims: Informer[PersistentVolumeClaim]

    async def reconcile(self, attributes: VolumeAttributesClass) -> Result:
        """Hold the class, or let it go."""

        async def unused() -> bool:
            if _named(attributes, self.volumes.items(), self.claims.items()):
                return False
            volumes = await self.client.list(PersistentVolume)
            claims = await self.client.list(PersistentVolumeClaim)
            return not _named(attributes, volumes.items, claims.items)

        return DONE if await self.protection.keep(attributes, unused) else WAITING


def _named(
    attributes: VolumeAttributesClass,
    volumes: Iterable[PersistentVolume],
    claims: Iterable[PersistentVolumeClaim],
) -> bool:
    """Whether one of these names the class."""
    key = attributes.key
    if any(key in of_volume(volume) for volume in volumes):
        return True
    return any(key in of_claim(claim) for claim in claims)


def of_volume(volume: PersistentVolume) -> list[Key]:
    """The class that a volume names."""
    name = volume.spec.volume_attributes_class_name
    return [("", name)] if name else []


def of_claim(claim: PersistentVolumeClaim) -> list[Key]:
    """The classes that a claim names: what it asks for, has, and is to get."""
    modified = claim.status.modify_volume_status
    names = (
        claim.spec.volume_attributes_class_name,
        claim.status.current_volume_attributes_class_name,
        modified.target_volume_attributes_class_name if modified is not None else None,
    )
    return [("", name) for name in names if name]


def volume_protection(manager: Manager) -> Controller[PersistentVolume]:
    """The controller of volumes, on the manager's caches."""
    volumes = manager.informer(PersistentVolume)
    protection = Protection(manager.client_as(NAME), volumes.resource, FINALIZER)
    controller = VolumeProtection(protection)
    return Controller(name=NAME, informer=volumes, reconcile=controller.reconcile)


def class_protection(manager: Manager, resource: Resource) -> Controller[VolumeAttributesClass]:
    """The controller of classes, on the manager's caches, in the version that is served."""
    volumes = manager.informer(PersistentVolume)
    claims = manager.informer(PersistentVolumeClaim)
    client = manager.client_as(CLASSES)
    protection = Protection(client, resource, CLASS_FINALIZER)
    controller = ClassProtection(protection, client, volumes, claims)
    return Controller(
        name=CLASSES,
        informer=manager.informer(VolumeAttributesClass, resource),
        reconcile=controller.reconcile,
        watches=(Watch(volumes, of_volume), Watch(claims, of_claim)),
    )
