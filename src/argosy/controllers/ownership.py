"""Who owns whom: what the garbage collector keeps of a cluster, and as little of it as it can.

The graph holds objects that have owners, objects that are owners, and those that wait for the
collector; all others pass it by unnoticed. An owner that was named and not seen yet is a node too,
`seen` being false, and has to be looked up. Nothing here asks a server: `tracing` feeds the graph,
`garbage` works off the nodes that it hands to `attend`.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from argosy.api.resource import Resource

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """An owner, as its dependent names it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    block_owner_deletion: bool | None = None

    @property
    def group(self) -> str:
        """Of its kind, in whichever version the owner was seen."""
        return self.api_version.rpartition("/")[0]


class Trace(msgspec.Struct, frozen=True, rename="camel"):
    """What an object's metadata says of ownership; all else is skipped."""

    uid: str = ""
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    owner_references: tuple[Reference, ...] = ()
    finalizers: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Node:
    """One object. `owners` are uids, `blocking` those that wait for this object's end.

    `resource` is None for an owner of a kind that nobody serves.
    """

    resource: Resource | None
    namespace: str
    name: str
    uid: str
    seen: bool = False
    leaving: bool = False
    foreground: bool = False
    orphaning: bool = False
    owners: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    dependents: set["Node"] | None = None

    @property
    def waits(self) -> bool:
        """Whether it is under deletion and waits for the collector."""
        return self.foreground or self.orphaning

    @property
    def blocked_by(self) -> list["Node"]:
        """The dependents that have to go first."""
        return [item for item in self.dependents or () if self.uid in item.blocking]

    def waits_for(self, other: "Node") -> bool:
        """Whether its end waits for the other's: where that waits for it too, neither would end."""
        met, left = {self}, [self]
        while left:
            node = left.pop()
            if node is other:
                return True
            fresh = [item for item in node.blocked_by if node.foreground and item not in met]
            met.update(fresh)
            left += fresh
        return False

    @property
    def place(self) -> tuple[Resource | None, str, str]:
        """Where the object is found."""
        return (self.resource, self.namespace, self.name)


@dataclass(slots=True)
class Graph:
    """The nodes by uid. `attend` is told of each that has to be looked at."""

    kinds: dict[tuple[str, str], Resource]
    attend: Callable[[Node], None]
    forgotten: Callable[[str], None]  # the uid of an owner that is gone for good
    nodes: dict[str, Node] = field(default_factory=dict)

    def observe(self, resource: Resource, trace: Trace) -> None:
        """An object as it is now."""
        node = self.nodes.get(trace.uid)
        foreground = orphaning = False
        if trace.deletion_timestamp is not None and trace.finalizers:
            orphaning = ORPHAN_FINALIZER in trace.finalizers
            foreground = FOREGROUND_FINALIZER in trace.finalizers and not orphaning
        if node is None:
            if not trace.owner_references and not foreground and not orphaning:
                return
            node = self._add(trace.uid, resource, trace.namespace, trace.name)
        if not node.seen:
            self._identify(node, resource, trace)
        node.leaving = trace.deletion_timestamp is not None
        if node.owners or trace.owner_references:
            self._link(node, trace.owner_references)
        begun = (foreground and not node.foreground) or (orphaning and not node.orphaning)
        node.foreground, node.orphaning = foreground, orphaning
        if begun:
            self._begin(node)
        self._tidy(node)

    def gone(self, uid: str) -> None:
        """The object is no more: its dependents are looked at, and the owners that wait for it."""
        node = self.nodes.pop(uid, None)
        if node is None:
            return
        for owner in self._known(node.owners):
            self._unlink(owner, node)
            if owner.foreground:
                self.attend(owner)
        if node.dependents:
            self.forgotten(uid)
            for dependent in node.dependents:
                self.attend(dependent)

    def absent(self, node: Node) -> None:
        """An object was not where it was said to be: each dependent has to ask for itself."""
        del self.nodes[node.uid]
        for owner in self._known(node.owners):
            self._unlink(owner, node)
            if owner.foreground:  # its end was seen by nobody: a watch broke
                self.attend(owner)
        for dependent in node.dependents or ():
            self.attend(dependent)

    def doubt(self, uid: str) -> None:
        """A list had no such object any more: it has to be looked up."""
        node = self.nodes.get(uid)
        if node is not None:
            node.seen = False
            self.attend(node)

    def found(self, dependent: Node, reference: Reference) -> None:
        """A dependent's owner is there: from now on it is watched, if it was not."""
        current = self.nodes.get(dependent.uid) is dependent
        if current and reference.uid in dependent.owners and reference.uid not in self.nodes:
            self._depend(dependent, reference)

    def introduce(self, resource: Resource) -> None:
        """A kind came to be served: dependents of owners that nobody knew are looked at again."""
        self.kinds[resource.group, resource.kind] = resource
        for node in self.nodes.values():
            if node.resource is None:
                for dependent in node.dependents or ():
                    self.attend(dependent)

    def of(self, resource: Resource) -> set[str]:
        """The uids of a kind's nodes."""
        return {uid for uid, node in self.nodes.items() if node.resource is resource}

    def _add(self, uid: str, resource: Resource | None, namespace: str, name: str) -> Node:
        node = Node(resource, sys.intern(namespace), name, uid)
        self.nodes[uid] = node
        return node

    def _identify(self, node: Node, resource: Resource, trace: Trace) -> None:
        """The object has been seen; dependents that took it for another are looked at."""
        node.seen = True
        place = (resource, trace.namespace, trace.name)
        if node.place == place:
            return
        node.resource, node.namespace, node.name = place
        for dependent in node.dependents or ():
            self.attend(dependent)

    def _begin(self, node: Node) -> None:
        """A deletion that waits for the collector."""
        self.attend(node)
        if node.foreground:
            for dependent in node.dependents or ():
                self.attend(dependent)

    def _link(self, node: Node, references: tuple[Reference, ...]) -> None:
        """Let the owners of the node be those of `references`."""
        uids = tuple(dict.fromkeys([item.uid for item in references]))
        blocking = {item.uid for item in references if item.block_owner_deletion}
        if uids == node.owners and blocking == set(node.blocking):
            return
        for owner in self._known(node.blocking):
            if owner.uid not in blocking:
                self.attend(owner)
        for owner in self._known(node.owners):
            if owner.uid not in uids:
                self._unlink(owner, node)
        shared = {uid: uid for uid in node.owners}
        for item in references:
            if item.uid not in shared:
                shared[item.uid] = self._depend(node, item)
        node.owners = tuple([shared[uid] for uid in uids])
        node.blocking = tuple([uid for uid in node.owners if uid in blocking])
        if node.blocking == node.owners:
            node.blocking = node.owners  # one tuple for both, as is usual

    def _depend(self, node: Node, reference: Reference) -> str:
        """Note the node with its owner; returns the owner's uid, one string for all who name it."""
        resource = self.kinds.get((reference.group, reference.kind))
        namespace = node.namespace if resource is None or resource.namespaced else ""
        owner = self.nodes.get(reference.uid)
        if owner is None:
            owner = self._add(reference.uid, resource, namespace, reference.name)
            self.attend(owner)
        elif owner.place != (resource, namespace, reference.name):
            self.attend(node)
        if owner.dependents is None:
            owner.dependents = set()
        owner.dependents.add(node)
        return owner.uid

    def _known(self, uids: Iterable[str]) -> list[Node]:
        return [self.nodes[uid] for uid in uids if uid in self.nodes]

    def _unlink(self, owner: Node, node: Node) -> None:
        if owner.dependents is not None:
            owner.dependents.discard(node)
            self._tidy(owner)

    def _tidy(self, node: Node) -> None:
        """Forget the node where it owns nothing, is nobody's, and waits for nothing."""
        if not node.dependents and not node.owners and not node.waits:
            self.nodes.pop(node.uid, None)
