"""This machine's own objects: the Node, and the slices of its simulated devices."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.node.gpus import DRIVER, SimulatedGPU, slices
from argosy.node.machine import Facts, node_object, node_status

log = logging.getLogger(__name__)

HEARTBEAT = 300.0  # seconds


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
            listed = await self.client.list(ResourceSlice)
        except StatusError as error:
            if error.code != 404:
                raise
            if gpus:  # a server of before 1.34: pods run, devices can't be claimed
                log.warning("the server has no ResourceSlices: GPUs can't be claimed")
            return
        old = [
            piece
            for piece in listed.items
            if piece.spec.node_name == self.name and piece.spec.driver == DRIVER
        ]
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
        """Beat until cancelled; one that fails is left to the next."""
        while True:
            await self.clock.sleep(HEARTBEAT)
            with suppress(StatusError, ConnectionError):
                await self.beat()

    async def sign_off(self) -> None:
        """Say that the node stops, if anybody still listens."""
        with suppress(StatusError, ConnectionError):
            await self._apply_status(self.clock.now(), stopping=True)

    async def _apply_status(self, since: datetime, *, stopping: bool) -> None:
        now = self.clock.now()
        body = node_status(
            self.name, self.facts, address=self.address, now=now, since=since, stopping=stopping
        )
        await self.client.apply(Node.resource, body, subresource="status")
