"""Bound volumes stay, with them the classes that they name; what is released may go."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.api.storage import (
    ClaimSpec,
    ClaimStatus,
    ModifyVolumeStatus,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttributesClass,
)
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.claimprotection import claim_protection
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumeprotection import class_protection, of_claim, volume_protection
from argosy.controllers.volumes.volumes import volumes
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle
from tests.controllers.faults import LAG, Lagging, with_faults
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
SPEC: Json = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "storageClassName": "kept",
}
VOLUME: Json = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/data"},
}


def add(manager: Manager) -> None:
    manager.add(volume_claims(manager, Path("/volumes"), PROVISIONER))
    manager.add(claim_protection(manager))
    manager.add(volume_protection(manager))
    manager.add(volumes(manager, Path("/volumes"), PROVISIONER))
    manager.add(class_protection(manager, VolumeAttributesClass.resource))


@asynccontextmanager
async def protecting() -> AsyncGenerator[Scene, None]:
    async with controlled(add, protected=True) as it:
        body = {"metadata": {"name": "kept"}, "provisioner": PROVISIONER, "reclaimPolicy": "Retain"}
        await it.client.create(StorageClass.resource, body)
        yield it


async def make_claim(it: Scene, **spec: Any) -> str:
    """The name of its volume."""
    body = {"metadata": {"name": "c", "namespace": "default"}, "spec": {**SPEC, **spec}}
    await it.client.create(PersistentVolumeClaim.resource, body)
    await settle()
    claim = await it.client.get(PersistentVolumeClaim, "c", "default")
    return claim.spec.volume_name


async def phase(it: Scene, name: str) -> str:
    await settle()
    volume = await it.client.find(PersistentVolume, name)
    if volume is None:
        return "gone"
    return volume.status.phase + "!" * bool(volume.metadata.deletion_timestamp)


async def test_a_bound_volume_outlives_its_deletion_until_its_claim_is_gone() -> None:
    async with protecting() as it:
        name = await make_claim(it)
        await it.client.delete(PersistentVolume.resource, name)
        assert await phase(it, name) == "Bound!"
        await it.client.delete(PersistentVolumeClaim.resource, "c", "default")
        assert await phase(it, name) == "gone"


async def test_a_volume_is_released_with_its_claim_and_keeps_its_data() -> None:
    async with protecting() as it:
        name = await make_claim(it)
        await it.client.delete(PersistentVolumeClaim.resource, "c", "default")
        assert await phase(it, name) == "Released"
        assert await make_claim(it) != name
        assert await phase(it, name) == "Released"
        await it.client.delete(PersistentVolume.resource, name)
        assert await phase(it, name) == "gone"


async def test_a_volume_that_was_never_bound_goes_at_once() -> None:
    async with protecting() as it:
        body = {"metadata": {"name": "v"}, "spec": VOLUME}
        await it.client.create(PersistentVolume.resource, body)
        assert await phase(it, "v") == "Available"
        await it.client.delete(PersistentVolume.resource, "v")
        assert await phase(it, "v") == "gone"


async def make_class(it: Scene) -> None:
    body = {"metadata": {"name": "gold"}, "driverName": "d", "parameters": {"a": "b"}}
    await it.client.create(VolumeAttributesClass.resource, body)


async def going(it: Scene) -> bool:
    await settle()
    found = await it.client.find(VolumeAttributesClass, "gold")
    assert found is None or found.metadata.deletion_timestamp
    return found is not None


class LateClaims(Lagging):
    """What becomes of claims is heard late."""

    late = ("/persistentvolumeclaims",)


async def test_a_class_stays_that_a_claim_names_of_which_the_cache_does_not_know() -> None:
    def add(manager: Manager) -> Controller[VolumeAttributesClass]:
        return class_protection(manager, VolumeAttributesClass.resource)

    async with with_faults(LateClaims, add) as (it, _):
        await it.clock.advance(2 * LAG)  # the first list comes late, too
        await make_class(it)
        await settle()
        await make_claim(it, volumeAttributesClassName="gold")
        await it.client.delete(VolumeAttributesClass.resource, "gold")
        assert await going(it)
        await it.client.delete(PersistentVolumeClaim.resource, "c", "default")
        await it.clock.advance(2 * LAG)
        await it.clock.advance(15)
        assert not await going(it)


@pytest.mark.parametrize("by", ["claim", "volume", ""])
async def test_a_class_waits_for_those_that_name_it(by: str) -> None:
    async with protecting() as it:
        await make_class(it)
        if by == "claim":
            await make_claim(it, volumeAttributesClassName="gold")
        elif by == "volume":
            csi = {"driver": "d", "volumeHandle": "h"}
            spec = {name: value for name, value in VOLUME.items() if name != "hostPath"}
            spec |= {"csi": csi, "volumeAttributesClassName": "gold"}
            await it.client.create(
                PersistentVolume.resource, {"metadata": {"name": "v"}, "spec": spec}
            )
        await it.client.delete(VolumeAttributesClass.resource, "gold")
        assert await going(it) is bool(by)
        if by == "claim":
            await it.client.delete(PersistentVolumeClaim.resource, "c", "default")
        elif by == "volume":
            await it.client.delete(PersistentVolume.resource, "v")
        assert not await going(it)


def test_all_classes_of_a_claim_count() -> None:
    status = ClaimStatus(
        current_volume_attributes_class_name="b",
        modify_volume_status=ModifyVolumeStatus(target_volume_attributes_class_name="c"),
    )
    found = of_claim(
        PersistentVolumeClaim(spec=ClaimSpec(volume_attributes_class_name="a"), status=status)
    )
    assert found == [("", "a"), ("", "b"), ("", "c")]
