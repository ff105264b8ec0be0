"""What has to do with nodes, on one manager; but for the taints that keep pods away (`nodetaints`),
which are given before anything else runs.
"""

from argosy.api.core import Node, Pod
from argosy.api.leases import Lease
from argosy.controllers.nodelifecycle.eviction import taint_eviction
from argosy.controllers.nodelifecycle.labels import node_labels
from argosy.controllers.nodelifecycle.lifecycle import LEASES, Caches, NodeLifecycle
from argosy.controllers.nodelifecycle.placed import Placed
from argosy.runtime.manager import Manager

NAME = "controllers/nodelifecycle"


def add_node_lifecycle(manager: Manager) -> None:
    """Give up silent nodes, and evict what does not bear its node's taints."""
    pods = manager.informer(Pod)
    leases = manager.informer(Lease, fields=f"metadata.namespace={LEASES}")
    caches = Caches(manager.informer(Node), pods, leases)
    placed = Placed(pods)
    client = manager.client_as(NAME)
    manager.add_runner(NodeLifecycle(client, manager.clock, caches, placed).run)
    manager.add(taint_eviction(manager, placed))
    manager.add(node_labels(manager))
