"""Volume claims: which volume each gets, what is made for those that find none, what is said."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Event, Node, Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE
from argosy.base.errors import StatusError
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
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
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty

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


# volumes that are made


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


# volumes that are there


async def test_a_new_volume_is_free() -> None:
    async with binding() as it:
        await it.volume()
        assert (await it.look()).status.phase == "Available"


@pytest.mark.parametrize("first", ["claim", "volume"])
async def test_the_smallest_volume_that_is_enough_is_taken(first: str) -> None:
    async with binding() as it:
        wish: Json = {
            "storageClassName": "manual",
            "resources": {"requests": {"storage": "2Gi"}},
            "selector": {"matchLabels": {"a": "b"}},
        }
        if first == "claim":
            assert (await it.claim(**wish)).status.phase == "Pending"
        labels = {"labels": {"a": "b"}}
        both = ["ReadWriteOnce", "ReadWriteMany"]
        if first == "volume":
            await it.volume("large", meta=labels, capacity={"storage": "5Gi"})
        await it.volume("small", meta=labels)
        await it.volume("strange", capacity={"storage": "2Gi"})
        await it.volume("other", meta=labels, capacity={"storage": "2Gi"}, storageClassName="o")
        await it.volume("block", meta=labels, capacity={"storage": "2Gi"}, volumeMode="Block")
        await it.volume(
            "read", meta=labels, capacity={"storage": "2Gi"}, accessModes=["ReadOnlyMany"]
        )
        await it.volume("right", meta=labels, capacity={"storage": "3Gi"})
        if first == "volume":
            await it.volume("more", meta=labels, capacity={"storage": "2Gi"}, accessModes=both)
            await it.claim(**wish)
        claim = await it.read()
        assert claim.spec.volume_name == "right"
        assert bound(claim, await it.look("right"))
        assert claim.status.capacity == {"storage": "3Gi"}


async def test_a_volume_that_is_kept_for_a_claim_is_not_anothers() -> None:
    async with binding() as it:
        await it.volume(claimRef={"namespace": "default", "name": "c"})
        other = await it.claim("o", storageClassName="manual")
        assert other.status.phase == "Pending" and (await it.look()).status.phase == "Available"
        claim = await it.claim(storageClassName="manual")
        volume = await it.look()
        assert bound(claim, volume)
        assert BOUND_BY_CONTROLLER not in volume.metadata.annotations


async def test_a_claim_that_names_its_volume_gets_that_one() -> None:
    async with binding() as it:
        claim = await it.claim(storageClassName="manual", volumeName="v")
        assert claim.status.phase == "Pending"
        await it.volume("w")
        await it.volume("v", capacity={"storage": "9Gi"})
        assert bound(await it.read(), await it.look("v"))
        assert BOUND_BY_CONTROLLER not in (await it.read()).metadata.annotations
        assert (await it.look("w")).status.phase == "Available"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"capacity": {"storage": "1Mi"}}, "requested PV is too small"),
        ({"storageClassName": "o"}, "storageClassName does not match"),
        ({"volumeMode": "Block"}, "incompatible volumeMode"),
        ({"accessModes": ["ReadOnlyMany"]}, "incompatible accessMode"),
    ],
)
async def test_a_volume_that_does_not_do_is_refused_by_name(spec: Json, why: str) -> None:
    async with binding() as it:
        await it.volume(**spec)
        claim = await it.claim(storageClassName="manual", volumeName="v")
        assert claim.status.phase == "Pending"
        text = f'Cannot bind to requested volume "v": {why}'
        assert await it.events("VolumeMismatch") == [text]


async def test_a_claim_that_names_another_ones_volume_does_not_get_it() -> None:
    async with binding() as it:
        owner = await it.claim()
        name = owner.spec.volume_name
        thief = await it.claim("thief", volumeName=name)
        assert thief.status.phase == "Pending"
        assert await it.events("FailedBinding") == [
            f'volume "{name}" already bound to a different claim.'
        ]
        assert bound(await it.read(), await it.look(name))


async def test_two_that_are_meant_for_each_other_but_differ_in_mode_are_told() -> None:
    async with binding() as it:
        claim = await it.claim(storageClassName="manual")
        whose = {"namespace": "default", "name": "c", "uid": claim.metadata.uid}
        await it.volume(claimRef=whose, volumeMode="Block")
        assert (await it.read()).status.phase == "Pending"
        assert sorted(await it.events("VolumeMismatch")) == [
            'Cannot bind PersistentVolume "v" to requested PersistentVolumeClaim due to '
            "incompatible volumeMode.",
            'Cannot bind PersistentVolume to requested PersistentVolumeClaim "c" due to '
            "incompatible volumeMode.",
        ]


async def test_a_claim_that_was_bound_without_a_word_of_it_stays_bound() -> None:
    """As they were bound here once."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Binding(running.client, clock, running.manager)
        claim = await it.claim(volumeName="v", storageClassName="manual")
        whose = {"namespace": "default", "name": "c", "uid": claim.metadata.uid}
        await it.volume(claimRef=whose)
        told = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
        for kind, name, space, status in (
            (PersistentVolume, "v", "", {"phase": "Bound"}),
            (PersistentVolumeClaim, "c", "default", told),
        ):
            patch = {"status": status}
            await it.client.merge(kind.resource, name, space, patch, subresource="status")
        add(running.manager)
        running.start()
        assert bound(await it.read(), await it.look())


# claims that wait for a pod


async def test_a_claim_waits_for_its_first_pod() -> None:
    async with binding() as it:
        await it.storage("later", PROVISIONER, volumeBindingMode="WaitForFirstConsumer")
        await it.client.create(Node.resource, {"metadata": {"name": "n"}})
        claim = await it.claim(storageClassName="later")
        assert claim.status.phase == "Pending"
        assert await it.events("WaitForFirstConsumer") == [
            "waiting for first consumer to be created before binding"
        ]
        await it.pod("p", "c")
        assert await it.events("WaitForPodScheduled") == ["waiting for pod p to be scheduled"]
        assert (await it.read()).status.phase == "Pending"
        await it.client.bind("p", "default", "n")
        claim = await it.read()
        assert claim.metadata.annotations[SELECTED_NODE] == "n"
        assert bound(claim, await it.look(claim.spec.volume_name))


async def test_a_volume_is_chosen_for_the_node_of_the_pod() -> None:
    async with binding() as it:
        await it.storage("later", volumeBindingMode="WaitForFirstConsumer")
        await it.client.create(Node.resource, {"metadata": {"name": "n", "labels": {"z": "b"}}})
        for zone in "ab":
            match = {"key": "z", "operator": "In", "values": [zone]}
            required = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
            affinity = {"required": required}
            await it.volume(zone, storageClassName="later", nodeAffinity=affinity)
        assert (await it.claim(storageClassName="later")).status.phase == "Pending"
        await it.pod("p", "c", "n")
        claim = await it.read()
        assert bound(claim, await it.look("b")) and SELECTED_NODE not in claim.metadata.annotations


# claims that lose their volume


async def test_a_claim_whose_volume_is_gone_is_lost() -> None:
    async with binding() as it:
        await it.volume()
        await it.claim(storageClassName="manual")
        await it.client.delete(PersistentVolume.resource, "v")
        claim = await it.read()
        assert (claim.status.phase, claim.status.capacity) == ("Lost", {})
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        assert await it.events("ClaimLost") == [text]
        await it.volume("w")
        assert (await it.read()).status.phase == "Lost"


async def test_a_claim_whose_volume_was_given_to_another_is_lost() -> None:
    async with binding() as it:
        await it.volume()
        await it.claim(storageClassName="manual")
        whose = {"spec": {"claimRef": {"name": "o", "uid": "other"}}}
        await it.client.merge(PersistentVolume.resource, "v", "", whose)
        claim = await it.read()
        assert claim.status.phase == "Lost"
        assert await it.events("ClaimMisbound") == [
            "Two claims are bound to the same volume, this one is bound incorrectly"
        ]


async def test_a_volume_that_was_let_go_by_hand_is_taken_back() -> None:
    async with binding() as it:
        await it.volume()
        await it.claim(storageClassName="manual")
        await it.client.merge(PersistentVolume.resource, "v", "", {"spec": {"claimRef": None}})
        assert bound(await it.read(), await it.look())


# claims that grow


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


# whatever fails


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
