"""Volume claims: what is made for those that find no volume, what is said, what grows."""

from pathlib import Path

import pytest

from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BOUND_BY_CONTROLLER
from argosy.base.errors import StatusError
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumes.words import (
    DEFAULT_CLASS,
    FINALIZER,
    PROVISIONED_BY,
    PROVISIONERS,
)
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.claimkit import Binding, Json, add, binding, bound
from tests.runtime.kit import faulty


async def test_a_claim_gets_a_folder_of_its_own() -> None:
    async with binding() as it:
        claim = await it.claim()
        uid = claim.metadata.uid
        volume = await it.look(f"pvc-{uid}")
        assert bound(claim, volume)
        assert volume.spec.host_path is not None
        assert volume.spec.host_path.path == f"/volumes/default-c-{uid}"
        assert volume.spec.persistent_volume_reclaim_policy == "Delete"
        assert volume.spec.storage_class_name == "standard"
        assert volume.metadata.finalizers == (FINALIZER,)
        assert volume.metadata.annotations[PROVISIONED_BY] == PROVISIONER
        assert BOUND_BY_CONTROLLER in volume.metadata.annotations
        assert all(claim.metadata.annotations[name] == PROVISIONER for name in PROVISIONERS)
        text = f"Successfully provisioned volume pvc-{uid} using {PROVISIONER}"
        assert await it.events("ProvisioningSucceeded") == [text]


async def test_the_longest_names_make_a_folder() -> None:
    async with binding() as it:
        claim = await it.claim("c" * 253)
        volume = await it.look(claim.spec.volume_name)
        assert volume.spec.host_path is not None
        assert len(Path(volume.spec.host_path.path).name) <= 255


async def test_a_class_may_have_volumes_kept() -> None:
    async with binding() as it:
        await it.storage("kept", PROVISIONER, reclaimPolicy="Retain")
        claim = await it.claim(storageClassName="kept")
        volume = await it.look(claim.spec.volume_name)
        assert volume.spec.persistent_volume_reclaim_policy == "Retain"
        assert volume.metadata.finalizers == ()


@pytest.mark.parametrize(
    ("spec", "storage", "part"),
    [
        ({"volumeMode": "Block"}, {}, "does not support block volumes"),
        ({"selector": {"matchLabels": {"a": "b"}}}, {}, "does not support selectors"),
        ({}, {"mountOptions": ["ro", "x"]}, "has mount options [ro x]"),
        (
            {"dataSource": {"kind": "PersistentVolumeClaim", "name": "o"}},
            {},
            "Only CSI plugin can provision a claim with a datasource",
        ),
    ],
)
async def test_what_a_folder_can_not_be_is_said(spec: Json, storage: Json, part: str) -> None:
    async with binding() as it:
        await it.storage("odd", PROVISIONER, **storage)
        claim = await it.claim(storageClassName="odd", **spec)
        assert claim.status.phase == "Pending"
        [text] = await it.events("ProvisioningFailed")
        assert part in text
        assert (await it.client.list(PersistentVolume)).items == []


async def test_another_provisioner_is_asked_and_its_volume_taken() -> None:
    async with binding() as it:
        await it.storage("far")
        claim = await it.claim(storageClassName="far")
        assert claim.status.phase == "Pending"
        assert all(claim.metadata.annotations[name] == "example.com/disks" for name in PROVISIONERS)
        [text] = await it.events("ExternalProvisioning")
        assert text.startswith(
            "Waiting for a volume to be created either by the external provisioner "
            "'example.com/disks' or manually"
        )
        whose = {"namespace": "default", "name": "c", "uid": claim.metadata.uid}
        await it.volume("far", storageClassName="far", claimRef=whose)
        assert bound(await it.read(), await it.look("far"))


async def test_a_claim_waits_for_its_class() -> None:
    async with binding() as it:
        assert (await it.claim(storageClassName="late")).status.phase == "Pending"
        assert await it.events("ProvisioningFailed") == [
            'storageclass.storage.k8s.io "late" not found'
        ]
        await it.storage("late", PROVISIONER)
        assert (await it.read()).status.phase == "Bound"


async def test_a_claim_is_given_the_default_class_later() -> None:
    async with binding() as it:
        await it.client.delete(StorageClass.resource, "standard")
        claim = await it.claim()
        none = await it.claim("none", storageClassName="")
        assert claim.spec.storage_class_name is None
        lacking = "no persistent volumes available for this claim and no storage class is set"
        assert await it.events("FailedBinding") == [lacking, lacking]
        marked = {"name": "standard", "annotations": {DEFAULT_CLASS[0]: "true"}}
        body = {"metadata": marked, "provisioner": PROVISIONER}
        await it.client.create(StorageClass.resource, body)
        claim, none = await it.read(), await it.read("none")
        assert claim.spec.storage_class_name == "standard" and claim.status.phase == "Bound"
        assert none.spec.storage_class_name == "" and none.status.phase == "Pending"


async def test_a_claim_that_asks_for_more_gets_it_where_its_class_allows() -> None:
    async with binding() as it:
        await it.storage("wide", PROVISIONER, allowVolumeExpansion=True)
        for name, storage in (("c", "wide"), ("fixed", "standard")):
            await it.claim(name, storageClassName=storage)
        more = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
        await it.client.merge(PersistentVolumeClaim.resource, "c", "default", more)
        claim = await it.read()
        assert claim.status.capacity == {"storage": "3Gi"}
        assert bound(claim, await it.look(claim.spec.volume_name))
        assert await it.events("VolumeResizeSuccessful") == [
            "ExpandVolume succeeded for volume default/c"
        ]
        with pytest.raises(StatusError, match="must support resize"):
            await it.client.merge(PersistentVolumeClaim.resource, "fixed", "default", more)


async def test_volumes_of_others_are_expanded_by_others() -> None:
    async with binding() as it:
        await it.storage("far", allowVolumeExpansion=True)
        await it.volume(storageClassName="far")
        await it.claim(storageClassName="far")
        more = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
        await it.client.merge(PersistentVolumeClaim.resource, "c", "default", more)
        text = "waiting for an external controller to expand this PVC"
        assert await it.events("ExternalExpanding") == [text]
        assert (await it.read()).status.capacity == {"storage": "1Gi"}


async def test_whatever_write_fails_the_claim_is_bound_in_the_end() -> None:
    for failing in range(5):
        clock = FakeClock()
        async with cluster(clock=clock) as running:
            client, transport = faulty(running)
            manager = Manager(client, clock)
            add(manager)
            running.manager.add_runner(manager.run)
            running.start()
            writes = 0

            async def fail(request: Request, at: int = failing) -> Response | None:
                nonlocal writes
                if request.method != "GET" and "/events" not in request.path:
                    writes += 1
                    if writes == at + 1:
                        raise ConnectionError("reset")
                return None

            transport.fault = fail
            it = Binding(running.client, clock, running.manager)
            await settle()
            await it.claim()
            await clock.advance(10)
            claim = await it.read()
            [volume] = (await it.client.list(PersistentVolume)).items
            assert bound(claim, volume)
            assert writes > 5


async def test_it_rests_when_all_is_bound() -> None:
    async with binding() as it:
        before = await it.claim()
        await it.volume()
        volume = await it.look()
        await it.clock.advance(3600)
        assert (await it.read()).metadata.resource_version == before.metadata.resource_version
        assert await it.look() == volume
