"""Keeps the old names of a node's labels for its system and processor in line with the new ones.

Selectors of before 1.14 name the old ones. Source: Kubernetes' node lifecycle controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.api.core import Node
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/nodelabels"
OLD: Mapping[str, str] = {
    "kubernetes.io/arch": "beta.kubernetes.io/arch",
    "kubernetes.io/os": "beta.kubernetes.io/os",
}


@dataclass(frozen=True)
class NodeLabels:
    """Writes labels of nodes."""

    client: Client

    async def reconcile(self, node: Node) -> Result:
        """Give the node the labels that it lacks."""
        if missing := lacking(node.metadata.labels):
            meta = node.metadata
            patch = {"metadata": {"uid": meta.uid, "labels": missing}}
            await self.client.merge(Node.resource, meta.name, "", patch)
        return DONE


def lacking(labels: Mapping[str, str]) -> dict[str, str]:
    """The old labels that are not there, or say something else than the new ones."""
    wanted = {old: labels[new] for new, old in OLD.items() if new in labels}
    return {name: value for name, value in wanted.items() if labels.get(name) != value}


def node_labels(manager: Manager) -> Controller[Node]:
    """The controller, on the manager's caches."""
    labels = NodeLabels(manager.client_as(NAME))
    return Controller(name=NAME, informer=manager.informer(Node), reconcile=labels.reconcile)
