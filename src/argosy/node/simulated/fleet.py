"""Keeps the simulated nodes: makes them at the start, and says from time to time that they live.

At the start there shall be those nodes that were asked for, as they were asked for: what is missing
is made, what was made by other words is changed, and simulated nodes that nobody asks for any more
go. One that somebody deletes later stays away until the next start, as with a kubelet.

Who watches nodes looks at their leases (`controllers/nodelifecycle`), and gives one up after fifty
seconds. Each lease is renewed once in a round of thirty, by one small write, and the round's writes
are spread evenly over it. A node that was taken for gone all the same says that it is not.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice, SliceSpec
from argosy.api.leases import Lease
from argosy.api.meta import condition
from argosy.base.clock import Clock, micro_timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.node.gpus import DRIVER
from argosy.node.lease import NAMESPACE, blank, renewed
from argosy.node.simulated.nodes import LABEL, NAME, WORDS, SimulatedNode, revised
from argosy.runtime.informer import Informer

ROUND: Final = 30.0
STEPS: Final = 60
"""Seconds of a round of renewals, and how many times in it some are renewed."""
AT_ONCE: Final = 8
PAUSE: Final = 2.0
"""Seconds until nodes that could not be made are tried again."""
NODE: Final = "node"
"""The index of what slices are of."""
FAILURES: Final = (StatusError, ConnectionError)
log = logging.getLogger(__name__)

Json = dict[str, Any]
Work = Callable[[str], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Keeps `wanted`, by name."""

    client: Client
    clock: Clock
    wanted: Mapping[str, SimulatedNode]
    nodes: Informer[Node]
    slices: Informer[ResourceSlice]

    async def run(self) -> None:
        """Make the nodes, and keep them alive until cancelled."""
        await self.nodes.synced.wait()
        await self.slices.synced.wait()
        self.slices.add_index(NODE, lambda piece: (piece.spec.node_name,))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.make())
            group.create_task(self.beat())

    async def make(self) -> None:
        """Let there be those nodes that are wanted, and no others that are simulated."""
        await self._each(self._unwanted(), lambda name: self.client.delete(Node.resource, name))
        uids: dict[str, str] = {}

        async def node(name: str) -> None:
            uids[name] = await self._node(self.wanted[name])

        async def devices(name: str) -> None:
            await self._devices(self.wanted[name], uids[name])

        # Pods without devices need not wait for those of all nodes.
        await self._surely(node)
        await self._surely(devices)

    async def beat(self) -> None:
        """Renew the leases, round by round.

        Some don't wait until those before them are through: on a busy server all would be late.
        """
        names = list(self.wanted)
        steps = [some for step in range(STEPS) if (some := names[step::STEPS])]
        begun: dict[int, asyncio.Task[set[str]]] = {}
        async with asyncio.TaskGroup() as group:
            while steps:
                began = self.clock.monotonic()
                for step, some in enumerate(steps):
                    if step not in begun or begun[step].done():
                        renewing = self._each(some, self._renewed, at_once=len(some))
                        begun[step] = group.create_task(renewing)
                    due = began + (step + 1) * ROUND / len(steps)
                    await self.clock.sleep(max(0.0, due - self.clock.monotonic()))

    def _unwanted(self) -> list[str]:
        names = (node.metadata.name for node in self.nodes.items() if LABEL in node.metadata.labels)
        return [name for name in names if name not in self.wanted and NAME.fullmatch(name)]

    async def _node(self, node: SimulatedNode) -> str:
        """The uid of the node, which is as it shall be."""
        now, known = self.clock.now(), self.nodes.get("", node.name)
        if known is None:
            body = {**node.body(), "status": node.status(now)}
            return str((await self.client.create(Node.resource, body))["metadata"]["uid"])
        meta = known.metadata
        words = meta.annotations.get(WORDS, "")
        if words != node.group.words or LABEL not in meta.labels:
            patch, status = revised(node, words, now)
            await self.client.merge(Node.resource, node.name, "", patch)
            await self._tell(node.name, status)
        elif not _ready(known):
            await self._tell(node.name, node.status(now))
        return meta.uid

    async def _tell(self, name: str, status: Json) -> None:
        body = {"status": status}
        await self.client.merge(Node.resource, name, "", body, subresource="status")

    async def _devices(self, node: SimulatedNode, uid: str) -> None:
        """Offer what the node has of devices, and nothing else."""
        there = [one for one in self.slices.by_index(NODE, node.name) if one.spec.driver == DRIVER]
        known = {one.metadata.name: one for one in there}
        for body in node.slices(uid, there):
            old = known.pop(body["metadata"]["name"], None)
            if old is None or not _offers(old, body):
                await self._offer(body, new=old is None)
        for name in known:
            await self.client.delete(ResourceSlice.resource, name)

    async def _offer(self, body: Json, *, new: bool) -> None:
        try:
            await (self.client.create if new else self.client.apply)(ResourceSlice.resource, body)
        except StatusError as error:
            if error.code != 404:
                raise
            # A server of before 1.34: pods run, devices can't be claimed.
            log.info("the server has no ResourceSlices", extra={"slice": body["metadata"]["name"]})

    async def _renewed(self, name: str) -> None:
        """Say that the node lives, if it is there."""
        node = self.nodes.get("", name)
        if node is None or node.metadata.deletion_timestamp is not None:
            return
        now = self.clock.now()
        patch = {"spec": {"renewTime": micro_timestamp(now)}}
        try:
            await self.client.merge(Lease.resource, name, NAMESPACE, patch)
        except StatusError as error:
            if error.code != 404:
                raise
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node.metadata.uid}
            lease = renewed(blank(name), owner, micro_timestamp(now))
            await self.client.create(Lease.resource, lease)
        if not _ready(node):
            await self._tell(name, self.wanted[name].status(now))

    async def _surely(self, work: Work) -> None:
        """Do the work for all nodes, again and again where it fails."""
        left = list(self.wanted)
        while left:
            done = await self._each(left, work)
            left = [name for name in left if name not in done]
            if left:
                await self.clock.sleep(PAUSE)

    async def _each(self, names: Sequence[str], work: Work, *, at_once: int = AT_ONCE) -> set[str]:
        """Do the work for all of them, some at a time; those of which it was done."""
        waiting, done = iter(names), set()

        async def some() -> None:
            for name in waiting:
                if await self._tried(work(name)):
                    done.add(name)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(names))):
                group.create_task(some())
        return done

    async def _tried(self, work: Coroutine[None, None, None]) -> bool:
        try:
            await work
        except FAILURES as error:
            log.info("keeping a simulated node failed", extra={"error": str(error)})
            return False
        return True


def _ready(node: Node) -> bool:
    told = condition(node.status.conditions, "Ready")
    return told is not None and told.status == "True"


def _offers(piece: ResourceSlice, body: Json) -> bool:
    """Whether the slice says the same, and of the same node: not of one that had the name."""
    owners = {owner.uid for owner in piece.metadata.owner_references}
    wanted = {owner["uid"] for owner in body["metadata"]["ownerReferences"]}
    return owners >= wanted and piece.spec == msgspec.convert(body["spec"], SliceSpec)
