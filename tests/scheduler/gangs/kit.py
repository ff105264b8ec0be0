"""Racks of nodes with a decider, and groups with topology constraints."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.framework import Plugin
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod

RACK, BLOCK = "example.com/rack", "example.com/block"
PEACEFUL = tuple(plugin for plugin in PLUGINS if plugin.preemption is None)


def near(name: str = "g", least: int | None = 2, key: str | None = RACK, **spec: Any) -> PodGroup:
    """A pod group whose pods must be in one domain of `key`; `least` None: without a gang."""
    policy = {"gang": {"minCount": least}} if least is not None else {}
    constraints = {"schedulingConstraints": {"topology": [{"key": key}]}} if key is not None else {}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    body = {"metadata": meta, "spec": {"schedulingPolicy": policy, **constraints, **spec}}
    return msgspec.convert(body, PodGroup)


def above(
    name: str, least: int | None = 2, key: str | None = None, **spec: Any
) -> CompositePodGroup:
    """A group of groups; `least` None: each is placed on its own."""
    policy = {"gang": {"minGroupCount": least}} if least is not None else {}
    constraints = {"schedulingConstraints": {"topology": [{"key": key}]}} if key is not None else {}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    body = {"metadata": meta, "spec": {"schedulingPolicy": policy, **constraints, **spec}}
    return msgspec.convert(body, CompositePodGroup)


def below(parent: str, workload: str = "") -> dict[str, Any]:
    """What a group says that is part of another."""
    reference = {"workloadRef": {"workloadName": workload}} if workload else {}
    return {"parentCompositePodGroupName": parent, **reference}


def ranks(count: int, cpu: int | str = 1, gang: str = "g", **options: Any) -> list[Pod]:
    """The pods of a gang."""
    return [pod(f"{gang}{i}", gang=gang, requests={"cpu": cpu}, **options) for i in range(count)]


class Racks:
    """`racks` are the free processors of each node, by rack; nodes are named `rack-number`."""

    def __init__(
        self,
        racks: Mapping[str, Sequence[int]],
        labels: Mapping[str, Mapping[str, str]] | None = None,
        plugins: Sequence[Plugin] = PEACEFUL,
    ) -> None:
        self.state = State()
        self.decider = Decider(self.state, plugins)
        for rack, nodes in racks.items():
            for number, cpu in enumerate(nodes):
                more = {} if labels is None else labels.get(rack, {})
                self.put(f"{rack}-{number}", cpu, {RACK: rack, **more} if rack else {})

    def put(self, name: str, cpu: int, labels: Mapping[str, str]) -> None:
        """One more node."""
        self.state.nodes.put_node(node(name, allocatable={"cpu": cpu}, labels=labels))

    def decide(self, *pods: Pod, group: PodGroup, **unit: Any) -> Decision:
        """The decision on a gang."""
        name = group.metadata.name
        return self.decider.decide(Unit(pods=pods, gang=name, group=group, **unit))

    def bind(self, one: Pod, name: str) -> str:
        """The pod is on a node from now on; its uid."""
        self.state.nodes.put_pod(name, occupant_of(one))
        return one.metadata.uid


def racks_of(decision: Decision) -> set[str]:
    """Where the pods were placed."""
    return {item.node.rpartition("-")[0] for item in decision.placements}
