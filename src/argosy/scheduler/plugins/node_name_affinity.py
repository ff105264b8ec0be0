"""NodeNameAffinity: a pod that requires one node by its name, as those of DaemonSets do.

It is no part of the pod's shape: pods that differ in their node alone share the work.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.nodeaffinity import only_pinned, pinned
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.framework import Lack, Plugin, Reserver
from argosy.scheduler.placement import Grant


@dataclass(frozen=True, slots=True)
class Pin:
    """The one node; there it takes nothing."""

    node: str

    @property
    def nodes(self) -> frozenset[str]:
        """Only that one."""
        return frozenset((self.node,))

    @property
    def kind(self) -> Hashable:
        """Its name."""
        return self.node

    def reserve(self, node: str) -> tuple[Grant, ...] | Lack:
        """Nothing."""
        return ()

    def elsewhere(self) -> str:
        """As kube-scheduler says it."""
        return "node(s) didn't match Pod's node affinity/selector"


def reserver(devices: Devices, pod: Pod) -> Reserver | None:
    """None for a pod that may be on any node."""
    affinity = pod.spec.affinity
    return Pin(pinned(affinity)) if affinity and only_pinned(affinity) else None


PLUGIN = Plugin(name="NodeNameAffinity", reserver=reserver, steady=True)
