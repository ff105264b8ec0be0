"""What nodes are told that they have: `node.status.volumesAttached`.

`attachdetach` tells a node of a volume once it is there, and takes the word back before the volume
goes. Each write names the revision that was read; still one may come too late, where two processes
attach, or somebody deletes an attachment by hand, and then no attachment is left whose volume would
be looked at. So what a node was told is looked at by node as well, and what nothing stands behind
is taken back. Who seems to be without an attachment is asked for at the server: the cache may lag.
Source: Kubernetes' attach-detach controller, which tells a node all that it takes to be there.
"""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from argosy.api.core import Node
from argosy.api.meta import Key
from argosy.api.storage import CSISource, PersistentVolume, VolumeAttachment
from argosy.client.client import Client
from argosy.controllers.attachdetach.plan import attachment_name, source_of, stands, unique_name
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]

NAME = "controllers/attachdetach-told"
NODE = "node"
"""The index of attachments by the node that they are for."""


class Telling:
    """Writes what nodes have."""

    def __init__(self, client: Client, nodes: Informer[Node]) -> None:
        self._client, self._nodes = client, nodes

    async def read(self, node: str) -> Json:
        """The node as the server has it."""
        raw = await self._client.call("GET", Node.resource.path(node))
        return msgspec.json.decode(raw, type=Json)

    async def add(self, node: str, name: str) -> None:
        """Tell it that it has the volume."""
        fresh = await self.read(node)
        others = [one for one in told(fresh) if one["name"] != name]
        await self._write(fresh, [*others, {"name": name, "devicePath": ""}])

    async def drop(self, fresh: Json, names: Collection[str]) -> None:
        """Tell the node, as it was read, that it has these volumes no longer."""
        await self._write(fresh, [one for one in told(fresh) if one["name"] not in names])

    async def _write(self, fresh: Json, after: list[Json]) -> None:
        meta = fresh["metadata"]
        patch = {
            "metadata": {"resourceVersion": meta["resourceVersion"]},
            "status": {"volumesAttached": after or None},
        }
        written = await self._client.merge(
            Node.resource, meta["name"], "", patch, subresource="status"
        )
        await self._nodes.reached(written["metadata"]["resourceVersion"])


def told(node: Json) -> list[Json]:
    """What the node was told that it has."""
    status = node.get("status") or {}
    return status.get("volumesAttached") or []


class Told:
    """Node by node: takes back what nothing stands behind."""

    def __init__(self, client: Client, manager: Manager) -> None:
        self._client = client
        self._telling = Telling(client, manager.informer(Node))
        self._volumes = manager.informer(PersistentVolume)
        self._attachments = manager.informer(VolumeAttachment)
        self._attachments.add_index(NODE, at_node)

    async def reconcile(self, node: Node) -> Result:
        """Look at all that the node was told."""
        name = node.metadata.name
        if not self._doubtful(name, (one.name for one in node.status.volumes_attached)):
            return DONE
        # The node first: if it is told of a volume meanwhile, what is written here comes too late.
        fresh = await self._telling.read(name)
        doubtful = self._doubtful(name, (one["name"] for one in told(fresh)))
        gone = {one for one, source in doubtful.items() if not await self._asked(name, source)}
        if gone:
            await self._telling.drop(fresh, gone)
        return DONE

    def _doubtful(self, node: str, names: Iterable[str]) -> dict[str, CSISource]:
        """Which of the volumes have no attachment in the cache; those of other kinds are not ours.

        One that somebody else has made goes by the volume that it names.
        """
        there = [one for one in self._attachments.by_index(NODE, node) if stands(one)]
        own = {one.metadata.name for one in there}
        others = {self._meant(one) for one in there}
        sources = {name: source_of(name) for name in names if name not in others}
        return {
            name: source
            for name, source in sources.items()
            if source is not None and attachment_name(source, node) not in own
        }

    def _meant(self, attachment: VolumeAttachment) -> str:
        """What nodes call the volume of an attachment; "" where it isn't known."""
        volume = self._volumes.get("", attachment.spec.source.persistent_volume_name or "")
        source = None if volume is None else volume.spec.csi
        return "" if source is None else unique_name(source)

    async def _asked(self, node: str, source: CSISource) -> bool:
        """Whether the server has an attachment that stands."""
        found = await self._client.find(VolumeAttachment, attachment_name(source, node))
        return found is not None and stands(found)


def at_node(attachment: VolumeAttachment) -> tuple[str, ...]:
    """The node that an attachment is for."""
    return (attachment.spec.node_name,)


def told_volumes(manager: Manager) -> Controller[Node]:
    """The controller, on the manager's caches."""
    nodes = manager.informer(Node)
    return Controller(
        name=NAME,
        informer=nodes,
        reconcile=Told(manager.client_as(NAME), manager).reconcile,
        watches=(Watch(manager.informer(VolumeAttachment), _by_attachment),),
        concerns=lambda node: bool(node.status.volumes_attached),
    )


def _by_attachment(attachment: VolumeAttachment) -> tuple[Key, ...]:
    return (("", attachment.spec.node_name),)
