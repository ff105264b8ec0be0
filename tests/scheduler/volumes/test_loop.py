"""Pods with claims against a whole API server, with the volume controllers and the scheduler."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.resources.workloads import STATEFUL_SET
from argosy.api.storage import PersistentVolume
from argosy.api.volumebinding import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    fully_bound,
)
from argosy.client.client import Client
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.testing.clock import settle
from tests.scheduler.test_loop import make, placed
from tests.scheduler.volumes.kit import host, storage
from tests.scheduler.volumes.scene import Json, bind_by_hand, scene, told


async def test_a_pod_goes_where_its_claims_volume_is() -> None:
    async with scene() as it:
        await it.volume("v", at=["n2"])
        await it.claim("c")
        it.go()
        await it.pod("p", "c")
        assert await it.place_of("p") == "n2"
        claim, volume = await it.read("c"), await it.look("v")
        assert fully_bound(claim) and claim.spec.volume_name == "v"
        assert claim.status.phase == volume.status.phase == "Bound"
        assert volume.spec.claim_ref is not None
        assert volume.spec.claim_ref.uid == claim.metadata.uid
        assert volume.metadata.annotations[BOUND_BY_CONTROLLER] == "yes"
        assert SELECTED_NODE not in claim.metadata.annotations


async def test_a_volume_is_made_for_the_pods_node() -> None:
    async with scene() as it:
        await it.claim("c", storage="folders")
        it.go()
        await it.pod("p", "c", spec={"nodeSelector": {"kubernetes.io/hostname": "n2"}})
        assert await it.place_of("p") == "n2"
        claim = await it.read("c")
        assert claim.metadata.annotations[SELECTED_NODE] == "n2"
        assert claim.spec.volume_name == f"pvc-{claim.metadata.uid}"


async def test_of_two_pods_one_gets_the_volume_and_the_other_is_told() -> None:
    async with scene() as it:
        await it.volume("v", at=["n1"])
        for name in ("c1", "c2"):
            await it.claim(name)
        for name in ("1", "2"):
            await it.pod(f"p{name}", f"c{name}")
        it.go()
        await it.place_of("p1")
        none = "node(s) didn't find available persistent volumes to bind"
        lost = await it.running.until(Pod, "p2", "default", told(f"2 {none}"))
        assert not placed(lost)
        await it.volume("w", at=["n2"])
        await it.clock.advance(10)
        assert await it.place_of("p2") == "n2"
        assert (await it.read("c1")).spec.volume_name == "v"
        assert (await it.read("c2")).spec.volume_name == "w"


async def test_two_pods_of_one_claim_go_to_one_node() -> None:
    async with scene() as it:
        await it.volume("v", at=["n1"])
        await it.volume("w", at=["n2"])
        await it.claim("c")
        for name in ("p1", "p2"):
            await it.pod(name, "c")
        it.go()
        first = await it.place_of("p1")
        await it.clock.advance(10)
        assert await it.place_of("p2") == first


async def test_a_claim_that_is_bound_elsewhere_is_waited_for() -> None:
    async with scene() as it:
        await make(it.client, storage("now", mode="Immediate"))
        await it.claim("c", storage="now")
        it.go()
        await it.pod("p", "c")
        text = "pod has unbound immediate PersistentVolumeClaims"
        await it.running.until(Pod, "p", "default", told(text))
        await it.volume("v", at=["n2"], storage="now")
        await settle()
        await it.clock.advance(10)
        assert await it.place_of("p") == "n2"


async def test_a_missing_claim_is_named() -> None:
    async with scene() as it:
        it.go()
        await it.pod("p", "c")
        text = '0/2 nodes are available: persistentvolumeclaim "c" not found.'
        await it.running.until(Pod, "p", "default", told(text))
        await it.volume("v")
        await it.claim("c")
        await settle()
        await it.clock.advance(10)
        await it.place_of("p")


@pytest.mark.parametrize("bound", [False, True], ids=["volume written", "claim bound"])
async def test_a_scheduler_that_starts_again_finishes_what_was_begun(bound: bool) -> None:
    async with scene() as it:
        await it.volume("small", at=["n1"])
        await it.volume("v", "5Gi", at=["n2"])
        await it.claim("c")
        claim = await it.read("c")
        whose = {"namespace": "default", "name": "c", "uid": claim.metadata.uid}
        patch = {
            "spec": {"claimRef": whose},
            "metadata": {"annotations": {BOUND_BY_CONTROLLER: "yes"}},
        }
        await it.client.merge(PersistentVolume.resource, "v", "", patch)
        if bound:
            await bind_by_hand(it.client, "c", "v")
        await it.pod("p", "c")
        it.go()
        assert await it.place_of("p") == "n2"
        assert (await it.read("c")).spec.volume_name == "v"
        assert (await it.look("small")).spec.claim_ref is None


async def test_a_volume_that_another_took_meanwhile_is_not_taken_twice() -> None:
    async with scene() as it:
        await it.volume("v", at=["n1"])
        await it.claim("c")
        await it.claim("other", storage="else")
        other = await it.read("other")
        client = it.running.manager.client
        stolen: list[str] = []
        real = type(client).merge

        async def merge(self: Client, resource: Any, name: str, *args: Any, **more: Any) -> Any:
            if name == "v" and not stolen:
                stolen.append(name)
                whose = {"namespace": "default", "name": "other", "uid": other.metadata.uid}
                await it.client.merge(resource, "v", "", {"spec": {"claimRef": whose}})
            return await real(self, resource, name, *args, **more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(client), "merge", merge)
            it.go()
            await it.pod("p", "c")
            await it.running.until(Pod, "p", "default", told("binding claim"))
            volume = await it.look("v")
        assert volume.spec.claim_ref is not None and volume.spec.claim_ref.name == "other"
        await it.volume("w", at=["n2"])
        await it.clock.advance(10)
        assert await it.place_of("p") == "n2"


async def test_a_stateful_set_runs_where_its_volumes_are() -> None:
    async with scene() as it:
        await make(it.client, host("n3"))
        for name, node in (("a", "n3"), ("b", "n1"), ("c", "n3")):
            await it.volume(f"disk-{name}", at=[node])
        it.running.manager.add(stateful_sets(it.running.manager))
        it.go()
        await it.client.create(STATEFUL_SET, stateful_set("db", 3))
        found = {}
        for i in range(3):
            await settle(200)
            await it.clock.advance(2)
            place = await it.place_of(f"db-{i}")
            claim = await it.read(f"data-db-{i}")
            volume = await it.look(claim.spec.volume_name)
            found[claim.spec.volume_name] = place
            affinity = volume.spec.node_affinity
            assert affinity is not None and affinity.required is not None
            assert BIND_COMPLETED in claim.metadata.annotations
        assert found == {"disk-a": "n3", "disk-b": "n1", "disk-c": "n3"}


def stateful_set(name: str, replicas: int) -> Json:
    labels = {"app": name}
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    container = {
        "name": "c",
        "image": "i",
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "volumeClaimTemplates": [
                {"metadata": {"name": "data"}, "spec": {**asked, "storageClassName": "local"}}
            ],
        },
    }
