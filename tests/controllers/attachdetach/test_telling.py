"""What nodes were told, and nothing stands behind."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from argosy.api.core import Node
from argosy.api.storage import CSISource, PersistentVolume, VolumeAttachment
from argosy.client.client import Client
from argosy.controllers.attachdetach.plan import attachment_name, source_of, unique_name
from argosy.controllers.attachdetach.telling import told_volumes
from argosy.http.message import Request, Response
from argosy.testing.clock import settle
from tests.controllers.faults import LAG, Counting, Lagging, with_faults

DRIVER = "disks.example.com"
SOURCE = CSISource(driver=DRIVER, volume_handle="h")
NAME = unique_name(SOURCE)
OWN = attachment_name(SOURCE, "a")


@dataclass
class Nodes:
    """Node a, which was told of volumes, and their attachments."""

    client: Client

    async def tell(self, *names: str) -> None:
        told = [{"name": name, "devicePath": ""} for name in names]
        patch = {"status": {"volumesAttached": told}}
        await self.client.merge(Node.resource, "a", "", patch, subresource="status")
        await settle()

    async def told(self) -> list[str]:
        await settle()
        node = await self.client.get(Node, "a")
        return [one.name for one in node.status.volumes_attached]

    async def attach(self, name: str = OWN, *, done: bool = True) -> None:
        spec = {"attacher": DRIVER, "nodeName": "a", "source": {"persistentVolumeName": "v"}}
        meta = {"name": name, "finalizers": ["example.com/attacher"]}
        resource = VolumeAttachment.resource
        await self.client.create(resource, {"metadata": meta, "spec": spec})
        patch = {"status": {"attached": done}}
        await self.client.merge(resource, name, "", patch, subresource="status")
        await settle()

    async def detach(self, name: str = OWN) -> None:
        await self.client.delete(VolumeAttachment.resource, name)

    async def volume(self) -> None:
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "csi": {"driver": DRIVER, "volumeHandle": "h"},
        }
        await self.client.create(
            PersistentVolume.resource, {"metadata": {"name": "v"}, "spec": spec}
        )


class LateAttachments(Lagging):
    """Nothing is heard of attachments for a while."""

    late = ("/volumeattachments",)


@asynccontextmanager
async def nodes(way: type[Counting] = Counting) -> AsyncGenerator[Nodes, None]:
    async with with_faults(way, told_volumes) as (scene, _):
        await scene.clock.advance(2 * LAG)  # the first list may come late, too
        await scene.client.create(Node.resource, {"metadata": {"name": "a"}})
        yield Nodes(scene.client)


async def test_what_was_told_too_late_is_taken_back() -> None:
    """Another process took it to be needed still, when it had been taken away."""
    async with nodes() as it:
        await it.tell(NAME)
        assert await it.told() == []


@pytest.mark.parametrize("done", [True, False])
async def test_what_is_attached_stays(done: bool) -> None:
    async with nodes() as it:
        await it.attach(done=done)
        await it.tell(NAME)
        assert await it.told() == ([NAME] if done else [])


async def test_what_is_on_its_way_off_is_taken_back() -> None:
    async with nodes() as it:
        await it.attach()
        await it.tell(NAME)
        await it.detach()
        assert await it.told() == []


async def test_only_what_nothing_stands_behind_is_taken_back() -> None:
    async with nodes() as it:
        other = unique_name(CSISource(driver=DRIVER, volume_handle="other"))
        await it.attach()
        await it.tell(other, NAME, "kubernetes.io/disk/x")
        assert await it.told() == [NAME, "kubernetes.io/disk/x"]


async def test_what_others_attached_counts_by_its_volume() -> None:
    async with nodes() as it:
        await it.volume()
        await it.attach("mine")
        await it.tell(NAME)
        assert await it.told() == [NAME]
        await it.detach("mine")
        assert await it.told() == []


async def test_the_server_is_asked_where_the_cache_lags() -> None:
    async with nodes(LateAttachments) as it:
        await it.attach()
        await it.tell(NAME)
        assert await it.told() == [NAME]


class Overtaken(LateAttachments):
    """While the attachment is asked for, the volume is attached, and the node is told so."""

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.method == "GET" and request.path.endswith(OWN) and response.status == 404:
            it = Nodes(Client(self._inner, "other"))
            await it.attach()
            await it.tell(NAME)
        return response


async def test_who_is_overtaken_takes_nothing_back() -> None:
    async with nodes(Overtaken) as it:
        await it.tell(NAME, "kubernetes.io/disk/x")
        await settle(1000)
        assert await it.told() == [NAME]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (NAME, SOURCE),
        ("kubernetes.io/csi/d^a^b", CSISource(driver="d", volume_handle="a^b")),
        ("kubernetes.io/csi/d", None),
        ("kubernetes.io/disk/d^h", None),
    ],
)
def test_names_are_of_volumes(name: str, source: CSISource | None) -> None:
    assert source_of(name) == source
