"""The objects of a simulated node. Pure.

Names and addresses follow from the group's place and the node's number in it alone: after a restart
they are the same, whatever became of other groups. The node bears the words that it was made by: so
it can be told, later, what they said that newer ones don't.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any, Final

from argosy.api.dra import ResourceSlice
from argosy.base import quantity
from argosy.node import gpus
from argosy.node.machine import VERSION, Facts, node_object, node_status
from argosy.node.simulated.groups import Group, read_words, vendor

LABEL: Final = "argosy.dev/simulated"
WORDS: Final = "argosy.dev/simulated-as"
NAME: Final = re.compile(r"sim-\d{1,2}-\d{4,5}", re.ASCII)
ARCHITECTURE: Final = "amd64"
REGION: Final = "simulated"
OLD_NAMES: Final = ("arch", "os")
"""Labels that a controller would add under the names of before 1.14: so it has nothing to do."""
_FIRST: Final = int(IPv4Address("100.64.0.0"))  # shared address space, RFC 6598
_INFO: Final[Mapping[str, str]] = {
    "architecture": ARCHITECTURE,
    "bootID": "",
    "containerRuntimeVersion": "simulated://1",
    "kernelVersion": "simulated",
    "kubeProxyVersion": "",
    "kubeletVersion": VERSION,
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "Simulated",
    "systemUUID": "",
}
_FACTS: Final = Facts(cpus=0, memory=0, disk=0, architecture=ARCHITECTURE, info=_INFO)

Json = dict[str, Any]


@dataclass(frozen=True)
class SimulatedNode:
    """The node `number`, from 1 on, of its group."""

    group: Group
    number: int

    @cached_property
    def name(self) -> str:
        return f"sim-{self.group.index}-{self.number:04d}"

    @cached_property
    def address(self) -> str:
        return str(IPv4Address(_FIRST + (self.group.index << 16) + self.number))

    def body(self) -> Json:
        """What is told of it that does not change."""
        made = node_object(self.name, _FACTS)
        labels = made["metadata"]["labels"]
        labels |= {f"beta.kubernetes.io/{one}": labels[f"kubernetes.io/{one}"] for one in OLD_NAMES}
        labels |= {LABEL: "true", **self._zone(), **_gpu_labels(self.group), **self.group.labels}
        made["metadata"]["annotations"] = {WORDS: self.group.words}
        return {**made, "spec": {"taints": [dict(taint) for taint in self.group.taints]}}

    def status(self, now: datetime) -> Json:
        """How it is: ready, with all that it has, since `now`."""
        told: Json = node_status(self.name, _FACTS, address=self.address, now=now, since=now)
        amounts = dict(self.group.resources)
        return {**told["status"], "allocatable": amounts, "capacity": amounts}

    def slices(self, uid: str, old: Iterable[ResourceSlice]) -> list[Json]:
        """Its ResourceSlices, which go when the Node, whose `uid` is given, does."""
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.name, "uid": uid}
        made = gpus.slices(self.name, self.group.gpus, old)
        for piece in made:
            piece["metadata"]["ownerReferences"] = [owner]
        return made

    def _zone(self) -> dict[str, str]:
        if not self.group.zones:
            return {}
        place = f"zone-{(self.number - 1) % self.group.zones + 1}"
        return {"topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": place}


def all_nodes(groups: Iterable[Group]) -> dict[str, SimulatedNode]:
    """All nodes of the groups, by name."""
    nodes = (SimulatedNode(group, n + 1) for group in groups for n in range(group.count))
    return {node.name: node for node in nodes}


def revised(node: SimulatedNode, words: str, now: datetime) -> tuple[Json, Json]:
    """Merge patches of a node that was made by other words, and of its status.

    What those words said and the new ones don't is taken away; what others have put there stays.
    """
    try:
        before = replace(read_words(words), index=node.group.index)
    except ValueError:  # somebody else has written there
        before = node.group
    patch = _instead(SimulatedNode(before, node.number).body(), node.body())
    if before.taints == node.group.taints:
        del patch["spec"]  # a list is written as a whole, with what others have added
    amounts = {"capacity": dict(before.resources), "allocatable": dict(before.resources)}
    return patch, _instead(amounts, node.status(now))


def _instead(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """The merge patch that says all of `new`, and takes away what only `old` has."""
    patch: Json = {key: None for key in old if key not in new}
    for key, value in new.items():
        had = old.get(key)
        patch[key] = _instead(had, value) if isinstance(had, Mapping) else value
    return patch


def _gpu_labels(group: Group) -> dict[str, str]:
    """As the discovery of features of GPUs has it; the memory is in mebibytes."""
    if not group.gpus:
        return {}
    first = group.gpus[0]
    told = {
        "product": first.model,
        "count": str(len(group.gpus)),
        "memory": str(quantity.whole(first.memory) >> 20),
    }
    return {f"{vendor(first.model)}/gpu.{key}": value for key, value in told.items()}
