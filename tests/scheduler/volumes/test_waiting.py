"""Pods that wait until their claims are bound: what ends that, and whom it holds up."""

from collections.abc import Awaitable, Callable

import pytest

from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import (
    SELECTED_NODE,
)
from argosy.testing.clock import settle
from tests.scheduler.test_loop import placed, refused
from tests.scheduler.volumes.kit import HOST
from tests.scheduler.volumes.scene import PRE_BIND, Scene, bind_by_hand, scene, selected, told


async def test_a_provisioner_that_gives_the_node_back_ends_the_waiting() -> None:
    async with scene() as it:
        await it.claim("c", storage="far")
        it.go(binding=False)
        await it.pod("p", "c")
        claim = await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        first = claim.metadata.annotations[SELECTED_NODE]
        nothing = {"metadata": {"annotations": {SELECTED_NODE: None}}}
        await it.client.merge(PersistentVolumeClaim.resource, "c", "default", nothing)
        why = 'binding volumes: provisioning failed for PVC "c"'
        waiting = await it.running.until(Pod, "p", "default", refused(f"{PRE_BIND}{why}"))
        assert not placed(waiting)
        off = {"spec": {"unschedulable": True}}
        await it.client.merge(Node.resource, first, "", off)
        await settle()
        await it.clock.advance(10)
        claim = await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        assert claim.metadata.annotations[SELECTED_NODE] != first


async def test_waiting_ends_in_time_and_begins_anew() -> None:
    async with scene() as it:
        await it.claim("c", storage="far")
        it.go(binding=False)
        await it.pod("p", "c")
        await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        await it.clock.advance(599)
        assert not condition(
            (await it.client.get(Pod, "p", "default")).status.conditions, "PodScheduled"
        )
        await it.clock.advance(2)
        why = "binding volumes: context deadline exceeded"
        await it.running.until(Pod, "p", "default", refused(f"{PRE_BIND}{why}"))
        await it.clock.advance(10)
        await it.volume("v", storage="far", owner="c")
        await bind_by_hand(it.client, "c", "v")
        await settle()
        await it.clock.advance(10)
        await it.place_of("p")


async def loses_its_claim(it: Scene) -> None:
    nothing = {"spec": {"claimRef": None}}
    await it.client.merge(PersistentVolume.resource, "v", "", nothing)


async def loses_its_place(it: Scene) -> None:
    moved = {"metadata": {"labels": {HOST: "elsewhere"}}}
    await it.client.merge(Node.resource, "n2", "", moved)


async def is_gone(it: Scene) -> None:
    await it.client.delete(PersistentVolume.resource, "v")


async def claim_is_gone(it: Scene) -> None:
    await it.client.delete(PersistentVolumeClaim.resource, "c", "default")


async def node_is_gone(it: Scene) -> None:
    await it.client.delete(Node.resource, "n2")


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (loses_its_claim, 'binding volumes: ClaimRef got reset for pv "v"'),
        (loses_its_place, 'binding volumes: pv "v" node affinity doesn\'t match node "n2"'),
        (is_gone, 'binding volumes: persistentvolume "v" not found'),
        (claim_is_gone, 'persistentvolumeclaim "c" not found'),
        (node_is_gone, 'binding volumes: node "n2" not found'),
    ],
)
async def test_what_comes_between_ends_the_waiting(
    happens: Callable[[Scene], Awaitable[None]], why: str
) -> None:
    async with scene() as it:
        await it.volume("v", at=["n2"])
        await it.claim("c")
        it.go(binding=False)
        await it.pod("p", "c")
        await it.running.until(PersistentVolume, "v", "", lambda v: v.spec.claim_ref is not None)
        await settle()
        await happens(it)
        await settle()
        await it.clock.advance(1)
        await it.running.until(Pod, "p", "default", told(why))


async def test_pods_of_one_claim_wait_for_it_together() -> None:
    async with scene() as it:
        await it.claim("c", storage="far")
        for name in ("p1", "p2"):
            await it.pod(name, "c")
        it.go(binding=False)
        await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        await it.running.calm()
        for name in ("p1", "p2"):
            assert (await it.client.get(Pod, name, "default")).status.conditions == ()
        await it.volume("v", storage="far", owner="c")
        await bind_by_hand(it.client, "c", "v")
        assert await it.place_of("p1") == await it.place_of("p2")


async def test_pods_that_wait_for_volumes_do_not_hold_up_others() -> None:
    async with scene() as it:
        it.go(binding=False)
        for i in range(70):
            await it.claim(f"c{i}", storage="far")
            await it.pod(f"p{i}", f"c{i}")
        await it.running.until(PersistentVolumeClaim, "c69", "default", selected)
        await it.pod("common")
        await it.place_of("common")


async def test_a_deleted_pod_is_not_waited_for() -> None:
    async with scene() as it:
        await it.claim("c", storage="far")
        it.go(binding=False)
        await it.pod("p", "c")
        await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        await it.client.delete(Pod.resource, "p", "default")
        await settle()
        await it.clock.advance(2)
        await it.pod("p", spec={"nodeSelector": {"kubernetes.io/hostname": "n1"}})
        await settle()
        await it.clock.advance(10)
        assert await it.place_of("p") == "n1"


async def test_a_volume_that_was_made_elsewhere_ends_the_waiting() -> None:
    async with scene() as it:
        await it.claim("c", storage="far")
        it.go(binding=False)
        await it.pod("p", "c")
        claim = await it.running.until(PersistentVolumeClaim, "c", "default", selected)
        node = claim.metadata.annotations[SELECTED_NODE]
        await it.volume("v", storage="far", owner="c", at=["elsewhere"])
        await bind_by_hand(it.client, "c", "v")
        why = f'binding volumes: pv "v" node affinity doesn\'t match node "{node}"'
        await it.running.until(Pod, "p", "default", told(why))
