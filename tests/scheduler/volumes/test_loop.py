"""Pods with claims against a whole API server, with the volume controllers and the scheduler."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.api.resources.workloads import STATEFUL_SET
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    fully_bound,
)
from argosy.client.client import Client
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
from argosy.scheduler.loop import Scheduler
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.scheduler.builders import pod_body
from tests.scheduler.test_loop import make, placed, refused
from tests.scheduler.volumes.kit import HOST, claim_body, host, storage, volume_body

Json = dict[str, Any]
ROOT = Path("/volumes")
PRE_BIND = 'running PreBind plugin "VolumeBinding": '


@dataclass(frozen=True)
class Scene:
    """A cluster with two nodes, a class for local volumes and one that makes folders."""

    running: Cluster
    clock: FakeClock

    @property
    def client(self) -> Client:
        return self.running.client

    def go(self, *, binding: bool = True) -> None:
        """Start the scheduler, and who binds what it decided."""
        manager = self.running.manager
        manager.add_runner(Scheduler(manager).run)
        if binding:
            manager.add(volume_claims(manager, ROOT, PROVISIONER))
            manager.add(volumes(manager, ROOT, PROVISIONER))
        self.running.start()

    async def claim(self, name: str, size: str = "1Gi", **more: Any) -> None:
        await self._create(PersistentVolumeClaim, claim_body(name, size, **more))

    async def volume(self, name: str, size: str = "1Gi", **more: Any) -> None:
        body = volume_body(name, size, **more)
        body["spec"].setdefault("hostPath", {"path": f"/disks/{name}"})
        await self._create(PersistentVolume, body)
        patch = {"status": {"phase": "Available"}}
        resource = PersistentVolume.resource
        await self.client.merge(resource, name, "", patch, subresource="status")

    async def _create(self, kind: Any, body: Json) -> None:
        meta = {
            key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]
        }
        whole = {"apiVersion": "v1", "kind": kind.resource.kind, "metadata": meta}
        await self.client.create(kind.resource, {**whole, "spec": body["spec"]})

    async def pod(self, name: str, *claims: str, spec: Mapping[str, Any] | None = None) -> None:
        mounted = [
            {"name": f"v{i}", "persistentVolumeClaim": {"claimName": claim}}
            for i, claim in enumerate(claims)
        ]
        body = pod_body(name, spec={"volumes": mounted, **(spec or {})})
        body["metadata"] = {"name": name, "namespace": "default"}
        del body["status"]
        await self.client.create(Pod.resource, body)

    async def place_of(self, name: str) -> str:
        return (await self.running.until(Pod, name, "default", placed)).spec.node_name

    async def read(self, name: str) -> PersistentVolumeClaim:
        return await self.client.get(PersistentVolumeClaim, name, "default")

    async def look(self, name: str) -> PersistentVolume:
        return await self.client.get(PersistentVolume, name)


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        for name in ("n1", "n2"):
            await make(running.client, host(name))
        await make(running.client, storage("local"))
        await make(running.client, storage("folders", PROVISIONER))
        await make(running.client, storage("far", "example.com/disks"))
        yield Scene(running, clock)


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


async def bind_by_hand(client: Client, claim: str, volume: str) -> None:
    """What a volume controller writes of the two."""
    found = await client.get(PersistentVolumeClaim, claim, "default")
    whose = {"namespace": "default", "name": claim, "uid": found.metadata.uid}
    await client.merge(PersistentVolume.resource, volume, "", {"spec": {"claimRef": whose}})
    patch = {"metadata": {"annotations": {BIND_COMPLETED: "yes"}}, "spec": {"volumeName": volume}}
    await client.merge(PersistentVolumeClaim.resource, claim, "default", patch)


def selected(claim: PersistentVolumeClaim) -> bool:
    return SELECTED_NODE in claim.metadata.annotations


def told(text: str) -> Any:
    """The pod's condition says so, among other things."""

    def check(pod: Pod) -> bool:
        found = condition(pod.status.conditions, "PodScheduled")
        return found is not None and found.status == "False" and text in found.message

    return check
