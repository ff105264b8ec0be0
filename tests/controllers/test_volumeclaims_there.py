"""Volume claims and the volumes that are there: which one each gets, keeps, and loses."""

import pytest

from argosy.api.core import Node
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import BOUND_BY_CONTROLLER, SELECTED_NODE
from argosy.cluster.bootstrap import PROVISIONER
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster
from tests.controllers.claimkit import Binding, Json, add, binding, bound


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
