"""Owners in another namespace: they own nothing there, and whoever named one is told why.

The garbage collector finds such an owner missing, as any that never was. Which of the two it is
says a list of the owner's kind; many are looked for together, so that it costs little, and nothing
waits for it.
"""

import asyncio
import hashlib
import logging
from dataclasses import dataclass

import msgspec

from argosy.api.core import Event
from argosy.api.resource import Resource
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.ownership import Node, Reference
from argosy.controllers.tracing import pages

log = logging.getLogger(__name__)

REASON = "OwnerRefInvalidNamespace"
COMPONENT = "garbage-collector-controller"
MOST = 1000
"""Suspicions beyond are let go: no work depends on them."""


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """A dependent, and the owner that it names."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    owner: Reference


class Strangers:
    """Tells events of owners that are in another namespace."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._suspicions: dict[Resource, list[_Suspicion]] = {}
        self._count = 0
        self._some = asyncio.Event()

    def suspect(self, node: Node, kind: Resource, owner: Reference) -> None:
        """The owner, which is of that kind, is not in its dependent's namespace."""
        if not kind.namespaced or node.resource is None or self._count >= MOST:
            return
        found = _Suspicion(node.resource, node.namespace, node.name, node.uid, owner)
        self._suspicions.setdefault(kind, []).append(found)
        self._count += 1
        self._some.set()

    async def run(self) -> None:
        """Look into suspicions until cancelled."""
        while True:
            await self._some.wait()
            if not self._suspicions:
                self._some.clear()
                continue
            kind, some = self._suspicions.popitem()
            self._count -= len(some)
            try:
                await self._look(kind, some)
            except (StatusError, ConnectionError, msgspec.DecodeError) as error:
                context = {"resource": kind.qualified, "error": str(error)}
                log.warning("looking for owners failed", extra=context)

    async def _look(self, kind: Resource, some: list[_Suspicion]) -> None:
        wanted = {item.owner.uid for item in some}
        there: dict[str, str] = {}
        async for page in pages(self._client, kind):
            traces = [item.metadata for item in page.items]
            there |= {item.uid: item.namespace for item in traces if item.uid in wanted}
        for item in some:
            if there.get(item.owner.uid, item.namespace) != item.namespace:
                await self._tell(item)

    async def _tell(self, item: _Suspicion) -> None:
        """One event for each dependent and owner, however often it is found."""
        owner, namespace = item.owner, item.namespace or "default"
        digest = hashlib.sha256(f"{item.uid}|{owner.uid}".encode()).hexdigest()[:16]
        now = timestamp(self._clock.now())
        told = (
            f"[{owner.api_version}/{owner.kind}, namespace: {item.namespace}, "
            f"name: {owner.name}, uid: {owner.uid}]"
        )
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{item.name[:200].rstrip('-.')}.{digest}",
                "namespace": namespace,
            },
            "involvedObject": {
                "apiVersion": item.resource.api_version,
                "kind": item.resource.kind,
                "namespace": item.namespace,
                "name": item.name,
                "uid": item.uid,
            },
            "reason": REASON,
            "message": f'ownerRef {told} does not exist in namespace "{item.namespace}"',
            "type": "Warning",
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self._client.create(Event.resource, body)
        except StatusError as error:
            if error.code not in (403, 404, 409):  # the namespace is going; it was told before
                raise
