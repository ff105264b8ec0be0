"""A cluster whose nodes are played by the test."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Event, Node, NodeCondition, Pod
from argosy.api.leases import Lease
from argosy.base.clock import micro_timestamp, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.nodelifecycle.controllers import add_node_lifecycle
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster

Json = dict[str, Any]
LEASES = "kube-node-lease"
FOR_EVER = [{"operator": "Exists"}]
TOLD = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass
class Nodes:
    """Nodes that say what the test has them say."""

    client: Client
    clock: FakeClock

    async def add(self, *names: str, **labels: str) -> None:
        """Nodes that are ready."""
        for name in names:
            given = {f"topology.kubernetes.io/{key}": value for key, value in labels.items()}
            await self.client.create(Node.resource, {"metadata": {"name": name, "labels": given}})
            await self.say(name, "True")

    async def say(self, name: str, ready: str) -> None:
        """The node writes its status."""
        now = timestamp(self.clock.now())
        told = [
            {
                "type": kind,
                "status": ready if kind == "Ready" else "False",
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
            }
            for kind in TOLD
        ]
        patch = {"status": {"conditions": told}}
        await self.client.merge(Node.resource, name, "", patch, subresource="status")

    async def renew(self, *names: str) -> None:
        """The nodes renew their leases."""
        for name in names:
            spec = {"renewTime": micro_timestamp(self.clock.now()), "holderIdentity": name}
            try:
                await self.client.merge(Lease.resource, name, LEASES, {"spec": spec})
            except StatusError:
                body = {"metadata": {"name": name, "namespace": LEASES}, "spec": spec}
                await self.client.create(Lease.resource, body)

    async def live(self, seconds: float, *names: str) -> None:
        """Time goes by; only these nodes renew their leases."""
        for _ in range(int(seconds // 10)):
            await self.renew(*names)
            await self.clock.advance(10)

    async def pod(self, name: str, node: str, **spec: Any) -> Pod:
        """A ready pod on a node."""
        containers = [{"name": "c", "image": "i"}]
        body = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"nodeName": node, "containers": containers, **spec},
        }
        await self.client.create(Pod.resource, body)
        patch = {
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        }
        await self.client.merge(Pod.resource, name, "default", patch, subresource="status")
        await settle()
        return await self.client.get(Pod, name, "default")

    async def gone(self, name: str) -> bool:
        """Whether the pod is deleted, or there is none."""
        pod = await self.client.find(Pod, name, "default")
        return pod is None or pod.metadata.deletion_timestamp is not None

    async def conditions(self, name: str) -> dict[str, NodeCondition]:
        node = await self.client.get(Node, name)
        return {one.type: one for one in node.status.conditions}

    async def evicting(self, name: str) -> list[str]:
        """The node's taints that evict."""
        node = await self.client.get(Node, name)
        return [taint.key for taint in node.spec.taints if taint.effect == "NoExecute"]

    async def taint(self, name: str, *keys: str) -> None:
        taints = [{"key": key, "effect": "NoExecute"} for key in keys]
        await self.client.merge(Node.resource, name, "", {"spec": {"taints": taints or None}})
        await settle()

    async def events(self, reason: str) -> list[str]:
        found = (await self.client.list(Event)).items
        return [event.message for event in found if event.reason == reason]


@asynccontextmanager
async def watched() -> AsyncGenerator[Nodes, None]:
    """A cluster whose nodes are looked after."""
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.plane.client("argosy"), clock)
        add_node_lifecycle(manager)
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        yield Nodes(running.client, clock)
