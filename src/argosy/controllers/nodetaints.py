"""Keeps pods off nodes that can't take any: taints that follow from a node's conditions.

A node that is not ready, can't be reached, lacks memory, disk, processes or its network, or is
cordoned, has a `NoSchedule` taint for each of these, and none once it is well again. A new node
comes with the first of them (admission gives it). Pods that run already stay. Other taints are
left alone. The rules are those of Kubernetes' node lifecycle controller, whose other half, silent
nodes and eviction, is in `nodelifecycle`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Node
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

Json = dict[str, Any]
Change = Callable[[Node, list[Json]], list[Json]]

NAME = "controllers/nodetaints"
EFFECT = "NoSchedule"
WORKERS = 8
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
KEYS: Mapping[tuple[str, str], str] = {
    ("Ready", "False"): "node.kubernetes.io/not-ready",
    ("Ready", "Unknown"): "node.kubernetes.io/unreachable",
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
"""Taints by what a condition says."""
OURS = frozenset({*KEYS.values(), UNSCHEDULABLE})


@dataclass(frozen=True)
class NodeTaints:
    """Gives taints, and takes them."""

    client: Client
    clock: Clock

    async def reconcile(self, node: Node) -> Result:
        """Bring the node's taints in line with its conditions."""
        had = {taint.key for taint in node.spec.taints if taint.effect == EFFECT}
        keys = wanted(node)
        if had & OURS == keys or (not keys and await self._cleared(node)):
            return DONE
        now = timestamp(self.clock.now())

        def change(fresh: Node, taints: list[Json]) -> list[Json]:
            return tainted(taints, wanted(fresh), now)

        await retaint(self.client, node.metadata.name, change)
        return DONE

    async def _cleared(self, node: Node) -> bool:
        """Take all taints from a node that has none but ours, as a new one does, in one write;
        whether that was it, and the node is still as it is known here."""
        if any(taint.effect != EFFECT or taint.key not in OURS for taint in node.spec.taints):
            return False
        meta = node.metadata
        patch = {
            "metadata": {"resourceVersion": meta.resource_version},
            "spec": {"taints": None},
        }
        try:
            await self.client.merge(Node.resource, meta.name, "", patch)
        except StatusError as error:
            if error.code not in (404, 409):
                raise
            return error.code == 404
        return True


async def retaint(client: Client, name: str, change: Change) -> bool:
    """Change the taints of a node as the server has it; whether there was anything to change.

    Nobody else's taint is lost that comes meanwhile: the write is refused then (409).
    """
    try:
        raw = await client.call("GET", Node.resource.path(name))
        node, plain = msgspec.json.decode(raw, type=Node), msgspec.json.decode(raw)
        before = (plain.get("spec") or {}).get("taints") or []
        after = change(node, before)
        if after == before:
            return False
        patch = {
            "metadata": {"resourceVersion": node.metadata.resource_version},
            "spec": {"taints": after or None},
        }
        await client.merge(Node.resource, name, "", patch)
    except StatusError as error:
        if error.code != 404:
            raise
        return False
    return True


def wanted(node: Node) -> set[str]:
    """The keys of the taints that the node shall have."""
    told = ((item.type, item.status) for item in node.status.conditions)
    keys = {KEYS[item] for item in told if item in KEYS}
    return keys | {UNSCHEDULABLE} if node.spec.unschedulable else keys


def tainted(taints: Iterable[Json], keys: set[str], now: str) -> list[Json]:
    """`taints`, where of those that are kept here there are just the ones with these `keys`."""
    kept = [one for one in taints if not _ours(one) or one["key"] in keys]
    missing = keys - {one["key"] for one in kept if _ours(one)}
    return [*kept, *({"key": key, "effect": EFFECT, "timeAdded": now} for key in sorted(missing))]


def _ours(taint: Json) -> bool:
    return taint["effect"] == EFFECT and taint["key"] in OURS


def node_taints(manager: Manager) -> Controller[Node]:
    """The controller, on the manager's caches."""
    taints = NodeTaints(manager.client_as(NAME), manager.clock)
    nodes = manager.informer(Node)
    return Controller(name=NAME, informer=nodes, reconcile=taints.reconcile, workers=WORKERS)
