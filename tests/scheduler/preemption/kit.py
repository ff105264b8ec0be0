"""A small cluster with a decider, and pods of some priority."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.framework import Plugin
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod


def ranked(name: str, priority: int, cpu: int | str = 1, **options: Any) -> Pod:
    """A pod with a priority; `started` is a second of the first minute, `labels` are its labels."""
    spec = {"priority": priority, **options.pop("spec", {})}
    status = dict(options.pop("status", {}))
    if (second := options.pop("started", None)) is not None:
        status["startTime"] = f"2026-01-01T00:00:{second:02}Z"
    meta = dict(options.pop("metadata", {}))
    if labels := options.pop("labels", None):
        meta["labels"] = labels
    return pod(name, requests={"cpu": cpu}, spec=spec, status=status, metadata=meta, **options)


def leaving_pod(name: str, priority: int, cpu: int | str = 1, **options: Any) -> Pod:
    """One that was preempted and is on its way out."""
    told = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    return ranked(name, priority, cpu, status={"conditions": [told]}, metadata=meta, **options)


def budget(
    name: str, labels: Mapping[str, str], allowed: int, **status: Any
) -> PodDisruptionBudget:
    """A budget over the pods with these labels."""
    body = {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {"selector": {"matchLabels": dict(labels)}},
        "status": {"disruptionsAllowed": allowed, **status},
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=PodDisruptionBudget)


class World:
    """Nodes and the pods on them."""

    def __init__(
        self, nodes: Mapping[str, list[Pod]], plugins: tuple[Plugin, ...] = PLUGINS
    ) -> None:
        self.state = State()
        self.decider = Decider(self.state, plugins)
        for name, pods in nodes.items():
            self.state.nodes.put_node(node(name))
            for item in pods:
                self.put(item, name)

    def put(self, item: Pod, name: str) -> None:
        self.state.nodes.put_pod(name, occupant_of(item))

    def budgets(self, *budgets: PodDisruptionBudget) -> "World":
        for item in budgets:
            self.state.budgets.put(None, item)
        return self

    def decide(self, *pods: Pod, **unit: Any) -> Decision:
        return self.decider.decide(Unit(pods=pods, **unit))

    def victims(self, *pods: Pod, **unit: Any) -> tuple[str, list[str]]:
        """The node that the first pod is nominated for, and who has to go, in order."""
        decision = self.decide(*pods, **unit)
        assert not decision.placements
        names = [it.pod.metadata.name for each in decision.preemptions for it in each.victims]
        return decision.refusals[0].node, names
