"""What the garbage collector asks of the server and writes: each time one object, as it is now.

Every write names the uid that was seen, and the revision where it replaces a list; who changed the
object meanwhile is heard first.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.ownership import Node, Reference, Trace

Json = dict[str, Any]

TRIES = 5
"""So often a write is tried that others get in the way of."""


class Live(msgspec.Struct, frozen=True, rename="camel"):
    """The metadata of an object as the server shows it; references as they are, to be kept."""

    uid: str = ""
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[Json, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The owner references, to be read."""
        return msgspec.convert(self.owner_references, tuple[Reference, ...])

    @property
    def trace(self) -> Trace:
        """What the graph takes."""
        return Trace(
            uid=self.uid,
            name=self.name,
            namespace=self.namespace,
            resource_version=self.resource_version,
            deletion_timestamp=self.deletion_timestamp,
            owner_references=self.references,
            finalizers=self.finalizers,
        )


class _Found(msgspec.Struct, frozen=True):
    metadata: Live


_decoder = msgspec.json.Decoder(_Found)


@dataclass(frozen=True, slots=True)
class Objects:
    """Reads and writes of one cluster."""

    client: Client

    async def find(self, resource: Resource, namespace: str, name: str) -> Live | None:
        """The object of that name, if there is one."""
        try:
            found = await self.client.call("GET", resource.path(name, namespace))
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return _decoder.decode(found).metadata

    async def live(self, node: Node) -> Live | None:
        """The very object of the node, if it is there."""
        live = await self.find(_resource(node), node.namespace, node.name)
        return live if live is not None and live.uid == node.uid else None

    async def disown(self, node: Node, owners: Set[str]) -> None:
        """Take `owners`, by uid, off the object."""
        for last in (*[False] * (TRIES - 1), True):
            live = await self.live(node)
            if live is None:
                return
            kept = [item for item in live.owner_references if item.get("uid") not in owners]
            if len(kept) == len(live.owner_references):
                return
            if await self._patched(node, live, {"ownerReferences": kept or None}, last=last):
                return

    async def drop_finalizer(self, node: Node, name: str) -> None:
        """Take the finalizer off the object, which may end it."""
        for last in (*[False] * (TRIES - 1), True):
            live = await self.live(node)
            if live is None or name not in live.finalizers:
                return
            kept = [item for item in live.finalizers if item != name]
            if await self._patched(node, live, {"finalizers": kept or None}, last=last):
                return

    async def delete(self, node: Node, live: Live, policy: str) -> bool:
        """Delete the object while it has the owners that `live` has; False if it is gone.

        Raises StatusError 409 where it has others by now.
        """
        preconditions = {"uid": node.uid, "resourceVersion": live.resource_version}
        try:
            return await self._delete(node, policy, preconditions)
        except StatusError as error:
            if error.code != 409:
                raise
            now = await self.live(node)
            if now is None:
                return False
            if now.owner_references != live.owner_references:
                raise
        # Changes that say nothing of owners must not keep it alive.
        return await self._delete(node, policy, {"uid": node.uid})

    async def _delete(self, node: Node, policy: str, preconditions: Json) -> bool:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": preconditions,
            "propagationPolicy": policy,
        }
        path = _resource(node).path(node.name, node.namespace)
        try:
            await self.client.call("DELETE", path, {}, options)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True

    async def _patched(self, node: Node, live: Live, changes: Json, *, last: bool) -> bool:
        """Whether the patch was taken; False where others were faster, unless it is the last."""
        try:
            await self._patch(node, live, changes)
        except StatusError as error:
            if error.code == 404:
                return True
            if error.code != 409 or last:
                raise
            return False
        return True

    async def _patch(self, node: Node, live: Live, changes: Json) -> Live:
        seen = {"uid": live.uid, "resourceVersion": live.resource_version}
        written = await self.client.merge(
            _resource(node), node.name, node.namespace, {"metadata": {**seen, **changes}}
        )
        return msgspec.convert(written["metadata"], Live)


def _resource(node: Node) -> Resource:
    """Of a node that was seen, or that was looked up."""
    return cast(Resource, node.resource)
