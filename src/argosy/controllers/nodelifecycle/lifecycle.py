"""Looks at all nodes every five seconds, and gives up those that give no sign of life.

A silent node's conditions become Unknown, the pods on it are no longer ready, and it waits to be
tainted so that they are evicted (`evictor`, `zones`, `eviction`). A node that fails to be looked at
is looked at again the next time. What is health, is in `health`. Source: kube-controller-manager's
node lifecycle controller.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from argosy.api.core import Node, NodeCondition, Pod
from argosy.api.leases import Lease
from argosy.api.meta import Key, condition
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.nodelifecycle.evictor import Evictor
from argosy.controllers.nodelifecycle.health import (
    READY,
    Health,
    given_up,
    known_silent,
    observed,
    silent,
)
from argosy.controllers.nodelifecycle.placed import Placed
from argosy.controllers.nodelifecycle.zones import EXCLUDED, State, Turn, turn, zone_of
from argosy.controllers.podcontrol import has_left, lost
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer

Json = dict[str, Any]

PERIOD = 5.0
STALL = 10.0
"""Seconds: between two looks, and by how much more they may be apart."""
LEASES = "kube-node-lease"
COMPONENT = "node-controller"
FAILURES = (StatusError, ConnectionError)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caches:
    """What the controller reads."""

    nodes: Informer[Node]
    pods: Informer[Pod]
    leases: Informer[Lease]


class NodeLifecycle:
    """Looks again and again."""

    def __init__(self, client: Client, clock: Clock, caches: Caches, placed: Placed) -> None:
        self._client, self._clock = client, clock
        self._caches, self._placed = caches, placed
        self._evictor = Evictor(client, clock)
        self._events = EventRecorder(client, clock, COMPONENT)
        self._known: dict[str, Node] = {}
        self._health: dict[str, Health] = {}
        self._states: dict[str, State] = {}
        self._owing: set[str] = set()
        self._unheard: set[str] = set()
        self._arrived: set[Key] = set()
        caches.pods.subscribe(self._moved)

    async def run(self) -> None:
        """Look until cancelled."""
        for informer in (self._caches.nodes, self._caches.pods, self._caches.leases):
            await informer.synced.wait()
        while True:
            try:
                await self.look()
            except FAILURES as error:
                log.info("looking at the nodes failed", extra={"error": str(error)})
            before = self._clock.monotonic()
            await self._clock.sleep(PERIOD)
            if self._clock.monotonic() - before > PERIOD + STALL:
                self._begin_anew()  # this process was stopped: who did not look can't have seen

    def _begin_anew(self) -> None:
        """All nodes have their whole time again."""
        now = self._clock.monotonic()
        self._health = {name: replace(health, seen=now) for name, health in self._health.items()}

    async def look(self) -> None:
        """One look at all nodes."""
        nodes = {node.metadata.name: node for node in self._caches.nodes.items()}
        await self._greet(nodes)
        told: dict[str, str] = {}
        for name, node in nodes.items():
            try:
                status = await self._examine(node)
                told[name] = status or ""
                if status is not None:
                    await self._evictor.judge(node, status)
            except FAILURES as error:
                log.info("looking at a node failed", extra={"node": name, "error": str(error)})
        await self._receive()
        await self._weigh(nodes, told)
        await self._evictor.advance(told)

    async def _greet(self, nodes: dict[str, Node]) -> None:
        """Tell of nodes that came or went."""
        for name in nodes.keys() - self._known.keys():
            text = f"Node {name} event: Registered Node {name} in Controller"
            await self._events.record(nodes[name], Note("RegisteredNode", text))
        for name in self._known.keys() - nodes.keys():
            text = f"Node {name} event: Removing Node {name} from Controller"
            await self._events.record(self._known[name], Note("RemovingNode", text))
            self._health.pop(name, None)
            self._owing.discard(name)
            self._unheard.discard(name)
            self._evictor.forget(name)
        self._known = nodes

    async def _examine(self, node: Node) -> str | None:
        """What the node's condition Ready says after the look; None where it has none."""
        name = node.metadata.name
        health = self._observed(node, self._caches.leases.get(LEASES, name))
        before = health.ready.status if health.ready is not None else "Unknown"
        status = health.ready.status if health.ready is not None else None
        if silent(health, self._clock.monotonic()) and not known_silent(node):
            status = await self._give_up(name)
        if status is None:
            return None
        if status != "True" and before == "True":
            said = f"Node {name} status is now: NodeNotReady"
            await self._events.record(node, Note("NodeNotReady", said))
            self._owing.add(name)
        if status == "True":
            self._owing.discard(name)
        elif name in self._owing:
            await self._unready(self._placed.on(name))
            self._owing.discard(name)
        return status

    def _observed(self, node: Node, lease: Lease | None) -> Health:
        name = node.metadata.name
        renewed = lease.spec.renew_time if lease is not None else None
        health = observed(self._health.get(name), node, renewed, self._clock.monotonic())
        self._health[name] = health
        return health

    async def _give_up(self, name: str) -> str | None:
        """Give the node up. While the server answers nothing, or takes nothing, the node could not
        speak to it either: it has its whole time again.
        """
        try:
            return await self._written(name)
        except FAILURES as error:
            if lost(error):
                self._unheard.add(name)
            raise

    async def _written(self, name: str) -> str | None:
        """Write that the node is silent, unless the server knows better than the cache."""
        raw = await self._client.call("GET", Node.resource.path(name))
        lease = await self._client.find(Lease, name, LEASES)
        if name in self._unheard:
            self._unheard.discard(name)
            self._health[name] = replace(self._health[name], seen=self._clock.monotonic())
        node = msgspec.json.decode(raw, type=Node)
        health = self._observed(node, lease)
        if not silent(health, self._clock.monotonic()):
            return health.ready.status if health.ready is not None else None
        had = (msgspec.json.decode(raw).get("status") or {}).get("conditions") or []
        meta, now = node.metadata, timestamp(self._clock.now())
        conditions = given_up(had, meta.creation_timestamp or now, now)
        patch = {
            # With the revision: a node that speaks again just now is right.
            "metadata": {"resourceVersion": meta.resource_version},
            "status": {"conditions": conditions},
        }
        await self._client.merge(Node.resource, name, "", patch, subresource="status")
        said = next(one for one in conditions if one["type"] == READY)
        self._health[name] = replace(health, ready=msgspec.convert(said, NodeCondition))
        return "Unknown"

    async def _unready(self, pods: list[Pod]) -> None:
        """Say of the pods that they are not ready."""
        for pod in pods:
            ready = condition(pod.status.conditions, READY)
            if ready is None or ready.status == "False":
                continue
            meta = pod.metadata
            said = {
                "type": READY,
                "status": "False",
                "lastTransitionTime": timestamp(self._clock.now()),
            }
            body = {
                "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
                "status": {"conditions": [said]},
            }
            try:
                await self._client.apply(Pod.resource, body, subresource="status")
            except StatusError as error:
                if not await has_left(self._client, pod, error):
                    raise
                continue
            await self._events.record(pod, Note("NodeNotReady", "Node is not ready", "Warning"))

    async def _receive(self) -> None:
        """Pods that came to nodes that are not ready are not ready either."""
        for key in list(self._arrived):
            pod = self._caches.pods.get(*key)
            if pod is not None and self._unhealthy(pod.spec.node_name):
                await self._unready([pod])
            self._arrived.discard(key)

    async def _weigh(self, nodes: dict[str, Node], told: dict[str, str]) -> None:
        """See how the zones are, and how fast it may go there."""
        ready = defaultdict(list)
        for name, status in told.items():
            if EXCLUDED not in nodes[name].metadata.labels:
                ready[zone_of(nodes[name])].append(status == "True")
        found = turn(self._states, ready)
        self._states = dict(found.states)
        self._evictor.change(found.rates)
        await self._follow(found, nodes)

    async def _follow(self, found: Turn, nodes: dict[str, Node]) -> None:
        if found.stopped:
            log.info("all nodes are not ready: evictions stop")
            for node in nodes.values():
                await self._evictor.clear(node)
        if found.resumed:
            log.info("some nodes are ready: evictions go on")
            self._begin_anew()

    def _moved(self, old: Pod | None, new: Pod | None) -> None:
        if new is None or not (node := new.spec.node_name):
            return
        if (old is None or old.spec.node_name != node) and self._unhealthy(node):
            self._arrived.add(new.key)

    def _unhealthy(self, node: str) -> bool:
        health = self._health.get(node)
        return health is not None and health.ready is not None and health.ready.status != "True"
