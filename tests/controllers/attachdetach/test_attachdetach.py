"""Attaching and detaching, with an external attacher that the test plays."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Event, Node, Pod
from argosy.api.storage import (
    CSIDriver,
    CSISource,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment,
)
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.attachdetach.attachdetach import attach_detach
from argosy.controllers.attachdetach.plan import attachment_name
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
from argosy.http.message import Request, Response
from argosy.runtime.controller import Controller
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.faults import LAG, Lagging, with_faults

Json = dict[str, Any]
DRIVER = "disks.example.com"
ON_NODE = f"kubernetes.io/csi/{DRIVER}^handle-v"
FINALIZER = "external-attacher/disks"


@dataclass
class Attacher:
    """Does what a driver's attacher does, unless it is to be `slow` or to fail."""

    client: Client
    attachments: Informer[VolumeAttachment]
    slow: bool = False
    error: str = ""
    seen: list[str] = field(default_factory=list)

    async def run(self) -> None:
        changed = asyncio.Event()
        self.attachments.subscribe(lambda old, new: changed.set())
        while True:
            await changed.wait()
            changed.clear()
            for attachment in list(self.attachments.items()):
                if not self.slow and attachment.spec.attacher == DRIVER:
                    try:
                        await self._work(attachment)
                    except StatusError as error:
                        assert error.code in (404, 409)

    async def _work(self, one: VolumeAttachment) -> None:
        name, merge = one.metadata.name, self.client.merge
        if one.metadata.deletion_timestamp is not None:
            self.seen.append(f"detach {one.spec.node_name}")
            await merge(one.resource, name, "", {"metadata": {"finalizers": None}})
        elif self.error:
            told = {"attached": False, "attachError": {"message": self.error}}
            await merge(one.resource, name, "", {"status": told}, subresource="status")
        elif not one.status.attached:
            self.seen.append(f"attach {one.spec.node_name}")
            await merge(one.resource, name, "", {"metadata": {"finalizers": [FINALIZER]}})
            told = {"attached": True, "attachError": None}
            await merge(one.resource, name, "", {"status": told}, subresource="status")


@dataclass
class Scene:
    """Nodes a and b, and a bound claim of the driver's volume."""

    client: Client
    clock: FakeClock
    attacher: Attacher

    async def begin(self, *modes: str, driver: Json | None = None) -> None:
        for name in ("a", "b"):
            await self.client.create(Node.resource, {"metadata": {"name": name}})
            await self.say(name, "True")
        if driver is not None:
            body = {"metadata": {"name": DRIVER}, "spec": driver}
            await self.client.create(CSIDriver.resource, body)
        spec: Json = {"accessModes": list(modes or ("ReadWriteOnce",)), "storageClassName": "far"}
        source = {"csi": {"driver": DRIVER, "volumeHandle": "handle-v"}}
        size = {"storage": "1Gi"}
        volume = {"metadata": {"name": "v"}, "spec": {**spec, "capacity": size, **source}}
        await self.client.create(PersistentVolume.resource, volume)
        wish = {**spec, "resources": {"requests": size}, "volumeName": "v"}
        claim = {"metadata": {"name": "c", "namespace": "default"}, "spec": wish}
        await self.client.create(PersistentVolumeClaim.resource, claim)
        await settle()

    async def say(self, node: str, ready: str) -> None:
        told = {"conditions": [{"type": "Ready", "status": ready}]}
        await self.client.merge(Node.resource, node, "", {"status": told}, subresource="status")
        await settle()

    async def mount(self, node: str, *names: str) -> None:
        """What the node says that it has mounted."""
        told = {"status": {"volumesInUse": list(names) or None}}
        await self.client.merge(Node.resource, node, "", told, subresource="status")
        await settle()

    async def pod(self, name: str, node: str) -> None:
        source = {"persistentVolumeClaim": {"claimName": "c"}}
        spec = {
            "nodeName": node,
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", **source}],
        }
        meta = {"name": name, "namespace": "default"}
        await self.client.create(Pod.resource, {"metadata": meta, "spec": spec})
        await settle()

    async def drop(self, name: str) -> None:
        await self.client.delete(Pod.resource, name, "default", grace=0)
        await settle()

    async def attached(self, node: str) -> list[str]:
        """What the node was told that it has."""
        await settle()
        found = await self.client.get(Node, node)
        return [volume.name for volume in found.status.volumes_attached]

    async def objects(self) -> list[str]:
        await settle()
        found = (await self.client.list(VolumeAttachment)).items
        return sorted(one.spec.node_name for one in found)

    async def events(self, reason: str) -> list[tuple[str, str]]:
        await settle()
        found = (await self.client.list(Event)).items
        told = [one for one in found if one.reason == reason]
        return [(one.metadata.name.split(".")[0], one.message) for one in told]


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.plane.client("argosy"), clock)
        manager.add(volume_claims(manager, Path("/volumes"), PROVISIONER))
        manager.add(volumes(manager, Path("/volumes"), PROVISIONER))
        manager.add(attach_detach(manager))
        attacher = Attacher(running.plane.client("attacher"), manager.informer(VolumeAttachment))
        manager.add_runner(attacher.run)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        yield Scene(running.client, clock, attacher)


async def test_a_volume_is_attached_for_a_pod_and_detached_after_it() -> None:
    async with scene() as it:
        await it.begin()
        assert await it.objects() == []
        await it.pod("p", "a")
        assert await it.objects() == ["a"] and await it.attached("a") == [ON_NODE]
        source = CSISource(driver=DRIVER, volume_handle="handle-v")
        made = await it.client.get(VolumeAttachment, attachment_name(source, "a"))
        assert (made.spec.attacher, made.spec.source.persistent_volume_name) == (DRIVER, "v")
        assert await it.events("SuccessfulAttachVolume") == [
            ("p", 'AttachVolume.Attach succeeded for volume "v" ')
        ]
        await it.pod("q", "a")
        await it.drop("p")
        assert await it.objects() == ["a"]
        await it.drop("q")
        assert await it.objects() == [] and await it.attached("a") == []
        assert it.attacher.seen == ["attach a", "detach a"]


def test_names_are_as_upstream() -> None:
    name = attachment_name(CSISource(driver="d", volume_handle="h"), "n")
    assert name == "csi-9072ed11cc1acb5fa433a877ff339b6311d013f33bddd1d0092711a8ace5b16d"


async def test_a_pod_that_has_ended_needs_nothing() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        ended = {"status": {"phase": "Succeeded"}}
        await it.client.merge(Pod.resource, "p", "default", ended, subresource="status")
        assert await it.objects() == []


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_driver_says_whether_it_wants_that(wanted: bool) -> None:
    async with scene() as it:
        await it.begin(driver={"attachRequired": wanted})
        await it.pod("p", "a")
        assert await it.objects() == (["a"] if wanted else [])


async def test_one_node_at_a_time() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.clock.advance(1)
        await it.pod("q", "b")
        assert await it.objects() == ["a"]
        text = 'Multi-Attach error for volume "v" Volume is already used by pod(s) p'
        assert await it.events("FailedAttachVolume") == [("q", text)]
        await it.drop("p")
        assert await it.objects() == ["b"] and await it.attached("b") == [ON_NODE]
        assert it.attacher.seen == ["attach a", "detach a", "attach b"]
        assert len(await it.events("FailedAttachVolume")) == 1


class LateAttachments(Lagging):
    """What becomes of attachments is heard late."""

    late = ("/volumeattachments",)


async def test_one_node_at_a_time_though_the_cache_lags() -> None:
    """The answer was lost when it was attached: it is asked for once more."""

    def bind(manager: Manager) -> Controller[PersistentVolumeClaim]:
        return volume_claims(manager, Path("/volumes"), PROVISIONER)

    async with with_faults(LateAttachments, bind, attach_detach) as (scene, _):
        client, clock = scene.client, scene.clock
        await clock.advance(2 * LAG)  # the first list comes late, too
        it = Scene(client, clock, Attacher(client, scene.manager.informer(VolumeAttachment)))
        await it.begin()
        source = CSISource(driver=DRIVER, volume_handle="handle-v")
        spec = {"attacher": DRIVER, "nodeName": "a", "source": {"persistentVolumeName": "v"}}
        body = {"metadata": {"name": attachment_name(source, "a")}, "spec": spec}
        await client.create(VolumeAttachment.resource, body)
        await it.pod("p", "a")
        await clock.advance(1)
        await it.pod("q", "b")
        assert await it.objects() == ["a"]
        await clock.advance(2 * LAG)
        assert await it.objects() == ["a"]


class LosingAttachments(LateAttachments):
    """The answer to the first attachment gets lost, too."""

    lost = False

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        made = request.method == "POST" and request.path.endswith("/volumeattachments")
        if made and not self.lost:
            self.lost = True
            raise ConnectionError("the connection broke")
        return response


async def test_an_attachment_whose_answer_was_lost_is_looked_for() -> None:
    """Its pod goes before it is tried again: the next pod's node must not have it as well."""

    def bind(manager: Manager) -> Controller[PersistentVolumeClaim]:
        return volume_claims(manager, Path("/volumes"), PROVISIONER)

    async with with_faults(LosingAttachments, bind, attach_detach) as (scene, way):
        client, clock = scene.client, scene.clock
        await clock.advance(2 * LAG)  # the first list comes late, too
        it = Scene(client, clock, Attacher(client, scene.manager.informer(VolumeAttachment)))
        await it.begin()
        await it.pod("p", "a")
        assert way.lost
        await it.drop("p")
        await it.pod("q", "b")
        seen = []
        for _ in range(20):
            seen.append(await it.objects())
            await clock.advance(1)
        assert seen[0] == ["a"] and seen[-1] == ["b"]
        assert ["a", "b"] not in seen


class LateNodes(Lagging):
    """What becomes of nodes is heard late."""

    late = ("/nodes",)


async def test_what_is_mounted_is_waited_for_though_the_cache_lags() -> None:
    def bind(manager: Manager) -> Controller[PersistentVolumeClaim]:
        return volume_claims(manager, Path("/volumes"), PROVISIONER)

    async with with_faults(LateNodes, bind, attach_detach) as (scene, _):
        client, clock = scene.client, scene.clock
        it = Scene(client, clock, Attacher(client, scene.manager.informer(VolumeAttachment)))
        await clock.advance(2 * LAG)  # the first list comes late, too
        await it.begin()
        await it.pod("p", "a")
        await clock.advance(2 * LAG)
        assert await it.objects() == ["a"]
        await it.mount("a", ON_NODE)
        await it.drop("p")
        await clock.advance(2 * LAG)
        assert await it.objects() == ["a"]
        await it.mount("a")
        await clock.advance(2 * LAG)
        assert await it.objects() == []


async def test_a_shared_volume_is_at_all_nodes() -> None:
    async with scene() as it:
        await it.begin("ReadWriteMany")
        await it.pod("p", "a")
        await it.pod("q", "b")
        assert await it.objects() == ["a", "b"]
        await it.drop("p")
        assert await it.objects() == ["b"]


async def test_what_is_mounted_is_waited_for() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.drop("p")
        await it.clock.advance(3600)
        assert await it.objects() == ["a"] and await it.attached("a") == [ON_NODE]
        await it.mount("a")
        assert await it.objects() == [] and await it.attached("a") == []


async def test_a_node_that_does_not_answer_is_waited_for_six_minutes() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.say("a", "Unknown")
        await it.drop("p")
        await it.pod("q", "b")
        await it.clock.advance(350)
        assert await it.objects() == ["a"]
        await it.clock.advance(20)
        assert await it.objects() == ["b"]


async def test_the_minutes_count_from_when_the_node_did_not_answer() -> None:
    """It may be writing still: that it took long before is no reason to take the volume away."""
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.drop("p")
        await it.clock.advance(600)
        for _ in range(2):
            await it.say("a", "Unknown")
            await it.clock.advance(350)
            assert await it.objects() == ["a"]
            await it.say("a", "True")
        await it.say("a", "Unknown")
        await it.clock.advance(370)
        assert await it.objects() == []


async def test_a_node_out_of_service_is_not_waited_for() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.say("a", "Unknown")
        await it.drop("p")
        assert await it.objects() == ["a"]
        taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
        await it.client.merge(Node.resource, "a", "", {"spec": {"taints": [taint]}})
        assert await it.objects() == []


async def test_a_node_that_is_gone_has_nothing() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.client.delete(Node.resource, "a")
        assert await it.objects() == []


async def test_a_pod_that_comes_back_in_time_keeps_it() -> None:
    async with scene() as it:
        await it.begin()
        await it.pod("p", "a")
        await it.mount("a", ON_NODE)
        await it.drop("p")
        await it.pod("p", "a")
        await it.mount("a")
        assert await it.objects() == ["a"] and it.attacher.seen == ["attach a"]


async def test_an_attacher_that_fails_is_told_of_once() -> None:
    async with scene() as it:
        await it.begin()
        it.attacher.error = "no room"
        await it.pod("p", "a")
        assert await it.attached("a") == []
        text = 'AttachVolume.Attach failed for volume "v" : no room'
        assert await it.events("FailedAttachVolume") == [("p", text)]
        it.attacher.error = ""
        await it.mount("a", "other")
        told = {"metadata": {"labels": {"again": "yes"}}}
        source = CSISource(driver=DRIVER, volume_handle="handle-v")
        await it.client.merge(VolumeAttachment.resource, attachment_name(source, "a"), "", told)
        assert await it.attached("a") == [ON_NODE]


async def test_what_others_attached_is_not_touched() -> None:
    async with scene() as it:
        await it.begin()
        it.attacher.slow = True
        source = {"persistentVolumeName": "v"}
        spec = {"attacher": "other", "nodeName": "a", "source": source}
        body = {"metadata": {"name": "mine"}, "spec": spec}
        await it.client.create(VolumeAttachment.resource, body)
        await it.pod("p", "b")
        assert await it.objects() == ["a"]
        text = (
            'Multi-Attach error for volume "v" Volume is already exclusively attached to one node '
            "and can't be attached to another"
        )
        assert await it.events("FailedAttachVolume") == [("p", text)]
