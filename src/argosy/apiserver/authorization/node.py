"""What a node may do: its own objects, its pods, and what these refer to.

A node is the user `system:node:NAME` in the group `system:nodes`. What it may do with any object of
a kind is in the role `system:node`; what only with some is told here, by the graph. Source:
kube-apiserver's Node authorizer (KEP-4601 for its selectors).
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.node_graph import Graph, Kind
from argosy.apiserver.authorization.roles import Gate
from argosy.apiserver.request import User
from argosy.security.rbac.defaults import defaults
from argosy.security.rbac.objects import RoleObject
from argosy.security.rbac.policy import Role, resources_of
from argosy.store.interface import Store

PREFIX = "system:node:"
GROUP = "system:nodes"
LEASES = "kube-node-lease"
READ = ("get", "list", "watch")
OWN = ("get", "create", "update", "patch", "delete")
SLICES = ("get", "watch", "list", "create", "update", "patch", "delete", "deletecollection")
_MANY = ("list", "watch", "deletecollection")
_ON_PODS = {
    "": ("create", "delete"),
    "status": ("update", "patch"),
    "eviction": ("create",),
}
Answer = tuple[bool, str]
"""Whether it is allowed, and why not."""
YES: Answer = (True, "")
NO: Answer = (False, "")


def node_name(user: User) -> str | None:
    """The node that asks, '' for one without a name; None where it is no node."""
    if not user.name.startswith(PREFIX) or GROUP not in user.groups:
        return None
    return user.name.removeprefix(PREFIX)


class Nodes:
    """Decides for nodes. The graph is read when the first node asks."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self._gate = gate
        self._graph = Graph(store)

    @cached_property
    def _role(self) -> Role:
        """What any node may do."""
        name = "system:node"
        found = next(item for item in defaults(self._gate) if item["metadata"]["name"] == name)
        return Role(msgspec.convert(found, RoleObject).rules or ())

    def decide(self, node: str, asked: Attributes) -> Answer:
        """Whether `node` may do what it asks for."""
        if not node:
            return False, f'unknown node for user "{asked.user.name}"'
        special = _SPECIAL.get((asked.group, asked.resource)) if asked.path is None else None
        if special is not None:
            return special(self, node, asked)
        return (True, "") if self._role.allows(asked, resources_of(asked)) else NO

    def related(self, node: str, kind: Kind, asked: Attributes) -> Answer:
        """Whether the object is one of the node's, or is referred to by one of its pods."""
        if not asked.name:
            return False, "No Object name found"
        if self._graph.related(node, kind, asked.namespace, asked.name):
            return YES
        return False, f"no relationship found between node '{node}' and this object"

    def readable(self, node: str, kind: Kind, asked: Attributes) -> Answer:
        """Reading one object that is related."""
        if asked.verb not in READ:
            return False, "can only read resources of this type"
        if asked.subresource:
            return False, "cannot read subresource"
        if not asked.namespace:
            return False, "can only read namespaced object of this type"
        return self.related(node, kind, asked)

    def gettable(self, node: str, kind: Kind, asked: Attributes) -> Answer:
        """Getting one object that is related."""
        if asked.verb != "get":
            return False, "can only get individual resources of this type"
        if asked.subresource:
            return False, "cannot get subresource"
        return self.related(node, kind, asked)

    def claims(self, node: str, asked: Attributes) -> Answer:
        """Volume claims of its pods, and their status."""
        if asked.subresource != "status":
            return self.gettable(node, "persistentvolumeclaims", asked)
        if asked.verb not in ("update", "patch"):
            return False, "can only get/update/patch this type"
        return self.related(node, "persistentvolumeclaims", asked)

    def accounts(self, node: str, asked: Attributes) -> Answer:
        """Service accounts of its pods, and tokens of these."""
        if asked.verb == "get" and not asked.subresource:
            return self.readable(node, "serviceaccounts", asked)
        if asked.verb != "create" or not asked.name:
            return False, "can only create tokens for individual service accounts"
        if asked.subresource != "token":
            return False, "can only create token subresource of serviceaccount"
        return self.related(node, "serviceaccounts", asked)

    def leases(self, node: str, asked: Attributes) -> Answer:
        """Its own lease. What is created is for admission to judge."""
        if asked.verb not in OWN:
            return False, "can only get, create, update, patch, or delete a node lease"
        if asked.namespace != LEASES:
            return False, f'can only access leases in the "{LEASES}" system namespace'
        if asked.verb != "create" and asked.name != node:
            return False, "can only access node lease with the same name as the requesting node"
        return YES

    def csi_nodes(self, node: str, asked: Attributes) -> Answer:
        """Its own CSINode."""
        if asked.verb not in OWN:
            return False, "can only get, create, update, patch, or delete a CSINode"
        if asked.subresource:
            return False, "cannot authorize CSINode subresources"
        if asked.verb != "create" and asked.name != node:
            return False, "can only access CSINode with the same name as the requesting node"
        return YES

    def slices(self, node: str, asked: Attributes) -> Answer:
        """The slices of its devices."""
        if asked.subresource:
            return False, "cannot authorize ResourceSlice subresources"
        if asked.verb == "create":
            return YES
        if asked.verb in _MANY:
            if _selects(asked, ("spec", "nodeName"), node):
                return YES
            return (
                False,
                "can only list/watch/deletecollection resourceslices with nodeName field selector",
            )
        if asked.verb in SLICES:
            return self.related(node, "resourceslices", asked)
        verbs = ", ".join(SLICES)
        return False, f"only the following verbs are allowed for a ResourceSlice: {verbs}"

    def requests(self, node: str, asked: Attributes) -> Answer:
        """Requests for its pods' certificates."""
        if not self._gate("PodCertificateRequest"):
            return NO
        if asked.subresource:
            return (
                False,
                "nodes may not access the status subresource of PodCertificateRequests",
            )
        if asked.verb == "create":
            return YES
        if asked.verb == "get":
            return self.related(node, "podcertificaterequests", asked)
        if asked.verb in ("list", "watch"):
            if _selects(asked, ("spec", "nodeName"), node):
                return YES
            return (
                False,
                "can only list/watch podcertificaterequests with nodeName field selector",
            )
        return False, f"nodes may not {asked.verb} podcertificaterequests"

    def nodes(self, node: str, asked: Attributes) -> Answer:
        """Its own Node. What is written is for admission to judge."""
        if asked.subresource not in ("", "status"):
            return NO
        if asked.subresource or asked.verb not in READ:
            may = ("update", "patch") if asked.subresource else ("create", "update", "patch")
            return YES if asked.verb in may else NO
        if asked.name == node:
            return YES
        what = f"'{asked.name}'" if asked.name else "all nodes"
        return False, f"node '{node}' cannot read {what}, only its own Node object"

    def pods(self, node: str, asked: Attributes) -> Answer:
        """Its own pods. What is written is for admission to judge."""
        if not asked.subresource and asked.verb == "get":
            return self.gettable(node, "pods", asked)
        if not asked.subresource and asked.verb in ("list", "watch"):
            if _selects(asked, ("spec", "nodeName"), node):
                return YES
            if asked.name:
                return self.related(node, "pods", asked)
            return False, "can only list/watch pods with spec.nodeName field selector"
        return YES if asked.verb in _ON_PODS.get(asked.subresource, ()) else NO


def _selects(asked: Attributes, path: tuple[str, ...], node: str) -> bool:
    return any(
        term.equal and term.path == path and term.value == node for term in asked.fields.terms
    )


def _related(
    how: Callable[[Nodes, str, Kind, Attributes], Answer], kind: Kind
) -> Callable[[Nodes, str, Attributes], Answer]:
    return lambda nodes, node, asked: how(nodes, node, kind, asked)


_SPECIAL: Mapping[tuple[str, str], Callable[[Nodes, str, Attributes], Answer]] = {
    ("", "secrets"): _related(Nodes.readable, "secrets"),
    ("", "configmaps"): _related(Nodes.readable, "configmaps"),
    ("", "persistentvolumeclaims"): Nodes.claims,
    ("", "persistentvolumes"): _related(Nodes.gettable, "persistentvolumes"),
    ("resource.k8s.io", "resourceclaims"): _related(Nodes.gettable, "resourceclaims"),
    ("storage.k8s.io", "volumeattachments"): _related(Nodes.gettable, "volumeattachments"),
    ("", "serviceaccounts"): Nodes.accounts,
    ("coordination.k8s.io", "leases"): Nodes.leases,
    ("storage.k8s.io", "csinodes"): Nodes.csi_nodes,
    ("resource.k8s.io", "resourceslices"): Nodes.slices,
    ("certificates.k8s.io", "podcertificaterequests"): Nodes.requests,
    ("", "nodes"): Nodes.nodes,
    ("", "pods"): Nodes.pods,
}
