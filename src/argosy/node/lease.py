"""The node's lease: one small write in ten seconds says that the node is there.

It lies in `kube-node-lease` and belongs to the Node, so that it goes with it. Whoever watches nodes
gives one up only when neither its lease nor its status was renewed (`controllers/nodelifecycle`).
What was written last is the base of the next write: nothing is read as long as nobody else writes.
Source: kubelet's node lease controller.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.core import Node
from argosy.api.leases import Lease
from argosy.base.clock import Clock, micro_timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client

Json = dict[str, Any]

NAMESPACE = "kube-node-lease"
DURATION = 40
RENEWAL = 10.0
"""Seconds."""
ATTEMPTS = 5
log = logging.getLogger(__name__)


class NodeLease:
    """Keeps the lease of node `name`."""

    def __init__(self, client: Client, clock: Clock, name: str) -> None:
        self._client, self._clock, self._name = client, clock, name
        self._latest: Json | None = None

    async def keep(self) -> None:
        """Renew until cancelled."""
        while True:
            await self.renew()
            await self._clock.sleep(RENEWAL)

    async def renew(self) -> bool:
        """Say that the node is there; False where nobody took it. The next is due all the same."""
        for attempt in range(ATTEMPTS):
            try:
                self._latest = await self._written()
            except (StatusError, ConnectionError) as error:
                self._latest = None  # somebody else wrote it, or it is gone: read it first
                said = {"attempt": attempt + 1, "error": str(error)}
                log.info("renewing the node's lease failed", extra=said)
            else:
                return True
        return False

    async def _written(self) -> Json:
        base = self._latest or await self._read()
        owner = await self._owner(base)
        body = renewed(base or blank(self._name), owner, micro_timestamp(self._clock.now()))
        if base is None:
            return await self._client.create(Lease.resource, body)
        return await self._client.update(Lease.resource, body)

    async def _read(self) -> Json | None:
        try:
            path = Lease.resource.path(self._name, NAMESPACE)
            found: Json = msgspec.json.decode(await self._client.call("GET", path))
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return found

    async def _owner(self, base: Json | None) -> Json | None:
        """The reference to the node, where it is missing. A new lease waits for its node."""
        if base is not None and base["metadata"].get("ownerReferences"):
            return None
        find = self._client.get if base is None else self._client.find
        node = await find(Node, self._name)
        if node is None:
            return None
        meta = node.metadata
        return {"apiVersion": "v1", "kind": "Node", "name": meta.name, "uid": meta.uid}


def blank(name: str) -> Json:
    """The lease of a node that has none."""
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"holderIdentity": name},
    }


def renewed(base: Mapping[str, Any], owner: Json | None, now: str) -> Json:
    """`base`, renewed at `now`; with `owner`, where it had none."""
    meta, spec = base["metadata"], base.get("spec") or {}
    if owner is not None:
        meta = {**meta, "ownerReferences": [owner]}
    spec = {**spec, "leaseDurationSeconds": DURATION, "renewTime": now}
    return {**base, "metadata": meta, "spec": spec}
