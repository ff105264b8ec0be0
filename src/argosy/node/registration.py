"""This machine's own objects: the Node, and the slices of its simulated devices.

That the node is there is said by its lease (`lease`), ten seconds apart. Its status is written when
nothing was for five minutes, and at once where the server has another: somebody took the node for
gone.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.node.gpus import DRIVER, SimulatedGPU, slices
from argosy.node.machine import Facts, node_object, node_status

log = logging.getLogger(__name__)

HEARTBEAT = 300.0
LOOK = 10.0
"""Seconds: between two statuses that say the same, and between two looks whether it is still so."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Keeps the objects of node `name`. `since`: when this run began."""

    client: Client
    clock: Clock
    name: str
    address: str
    facts: Facts
    since: datetime

    async def register(self, gpus: tuple[SimulatedGPU, ...]) -> None:
        """Create or refresh everything; slices that an earlier run had and this hasn't go."""
        await self.client.apply(Node.resource, node_object(self.name, self.facts))
        await self.beat()
        try:
            here = f"spec.nodeName={self.name}"
            listed = await self.client.list(ResourceSlice, fields=here)
        except StatusError as error:
            if error.code != 404:
                raise
            if gpus:  # a server of before 1.34: pods run, devices can't be claimed
                log.warning("the server has no ResourceSlices: GPUs can't be claimed")
            return
        old = [piece for piece in listed.items if piece.spec.driver == DRIVER]
        bodies = slices(self.name, gpus, old)
        for body in bodies:
            await self.client.apply(ResourceSlice.resource, body)
        wanted = {body["metadata"]["name"] for body in bodies}
        for piece in old:
            if piece.metadata.name not in wanted:
                await self.client.delete(ResourceSlice.resource, piece.metadata.name)

    async def beat(self) -> None:
        """Say that the node is there."""
        await self._apply_status(self.since, stopping=False)

    async def keep_beating(self) -> None:
        """Beat until cancelled; one that fails comes again at the next look."""
        since, told = self.since, self.clock.monotonic()
        while True:
            await self.clock.sleep(LOOK)
            with suppress(StatusError, ConnectionError):
                if await self._doubted():
                    since = self.clock.now()
                elif self.clock.monotonic() - told < HEARTBEAT:
                    continue
                await self._apply_status(since, stopping=False)
                told = self.clock.monotonic()

    async def _doubted(self) -> bool:
        """Whether the server has other conditions than the node gives itself."""
        node = await self.client.get(Node, self.name)
        has = {one.type: one.status for one in node.status.conditions}
        said = self._status(self.since, stopping=False)["status"]["conditions"]
        return any(has.get(one["type"]) != one["status"] for one in said)

    async def sign_off(self) -> None:
        """Say that the node stops, if anybody still listens."""
        with suppress(StatusError, ConnectionError):
            await self._apply_status(self.clock.now(), stopping=True)

    async def _apply_status(self, since: datetime, *, stopping: bool) -> None:
        body = self._status(since, stopping=stopping)
        await self.client.apply(Node.resource, body, subresource="status")

    def _status(self, since: datetime, *, stopping: bool) -> dict[str, Any]:
        return node_status(
            self.name,
            self.facts,
            address=self.address,
            now=self.clock.now(),
            since=since,
            stopping=stopping,
        )
