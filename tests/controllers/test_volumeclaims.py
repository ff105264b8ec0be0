"""Volume claims: each gets a folder of its own, and only claims of this provisioner do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumeclaims import volume_claims
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty

Json = dict[str, Any]
ROOT = Path("/volumes")


@asynccontextmanager
async def bound() -> AsyncGenerator[Scene, None]:
    async with controlled(
        lambda manager: manager.add(volume_claims(manager, ROOT, PROVISIONER))
    ) as it:
        yield it


async def make(it: Scene, name: str = "c", **spec: Any) -> PersistentVolumeClaim:
    known: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": {**known, **spec}}
    await it.client.create(PersistentVolumeClaim.resource, body)
    return await read(it, name)


async def read(it: Scene, name: str = "c") -> PersistentVolumeClaim:
    await settle()
    return await it.client.get(PersistentVolumeClaim, name, "default")


async def volumes(it: Scene) -> list[PersistentVolume]:
    await settle()
    return (await it.client.list(PersistentVolume)).items


async def test_a_claim_is_bound_to_a_folder_of_its_own() -> None:
    async with bound() as it:
        claim = await make(it)
        [volume] = await volumes(it)
        uid = claim.metadata.uid
        assert claim.status.phase == "Bound"
        assert claim.spec.volume_name == volume.metadata.name == f"pvc-{uid}"
        assert volume.spec.host_path is not None and volume.spec.claim_ref is not None
        assert volume.spec.host_path.path == f"/volumes/default-c-{uid}"
        assert volume.spec.claim_ref.uid == uid
        assert volume.spec.persistent_volume_reclaim_policy == "Retain"
        raw = await it.client.call("GET", volume.resource.path(volume.metadata.name))
        assert msgspec.json.decode(raw)["status"]["phase"] == "Bound"


async def test_a_claim_made_again_gets_another_folder_and_the_old_one_is_kept() -> None:
    async with bound() as it:
        await make(it)
        await it.client.delete(PersistentVolumeClaim.resource, "c", "default")
        await make(it)
        paths = {item.spec.host_path.path for item in await volumes(it) if item.spec.host_path}
        assert len(paths) == 2


@pytest.mark.parametrize("name", ["other", ""])
async def test_claims_of_other_classes_are_left_alone(name: str) -> None:
    async with bound() as it:
        body = {"metadata": {"name": "other"}, "provisioner": "example.com/disks"}
        await it.client.create(StorageClass.resource, body)
        claim = await make(it, storageClassName=name)
        assert claim.status.phase == "Pending" and await volumes(it) == []


async def test_a_claim_waits_for_its_class() -> None:
    async with bound() as it:
        assert (await make(it, storageClassName="late")).status.phase == "Pending"
        body = {"metadata": {"name": "late"}, "provisioner": PROVISIONER}
        await it.client.create(StorageClass.resource, body)
        assert (await read(it)).status.phase == "Bound"


async def test_a_claim_that_names_another_ones_volume_does_not_get_it() -> None:
    async with bound() as it:
        await make(it)
        [volume] = await volumes(it)
        thief = await make(it, "thief", volumeName=volume.metadata.name)
        assert thief.status.phase == "Pending"
        assert await volumes(it) == [volume]


async def test_whatever_write_fails_the_claim_is_bound_in_the_end() -> None:
    for failing in range(4):
        clock = FakeClock()
        async with cluster(clock=clock) as running:
            client, transport = faulty(running)
            manager = Manager(client, clock)
            manager.add(volume_claims(manager, ROOT, PROVISIONER))
            running.manager.add_runner(manager.run)
            running.start()
            writes = 0

            async def fail(request: Request, at: int = failing) -> Response | None:
                nonlocal writes
                if request.method != "GET":
                    writes += 1
                    if writes == at + 1:
                        raise ConnectionError("reset")
                return None

            transport.fault = fail
            it = Scene(running.client, clock, running.manager)
            await settle()
            await make(it)
            await clock.advance(10)
            claim, [volume] = await read(it), await volumes(it)
            assert claim.status.phase == "Bound"
            raw = await it.client.call("GET", volume.resource.path(volume.metadata.name))
            assert msgspec.json.decode(raw)["status"]["phase"] == "Bound"
            assert writes > 4


async def test_it_rests_when_all_is_bound() -> None:
    async with bound() as it:
        before = await make(it)
        await it.clock.advance(3600)
        assert (await read(it)).metadata.resource_version == before.metadata.resource_version
