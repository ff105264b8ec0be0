"""Updates of DaemonSets as properties: never more nodes without their pod, or with two, than said.

A model of the cluster lives in the test: what a plan deletes is gone, what it makes is pending.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node, Pod
from argosy.api.daemonsets import DaemonSet
from argosy.controllers.daemonsets import daemonpods
from argosy.controllers.daemonsets.plan import Plan, Seen, make_plan

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2025-12-31T00:00:00Z"}
TEMPLATE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
NODES = tuple(f"n{i}" for i in range(6))


@dataclass
class Model:
    """A set, its nodes and its pods as the plans make them."""

    unavailable: int | str
    surge: int | str
    tainted: frozenset[str] = frozenset()
    pods: dict[str, Pod] = field(default_factory=dict, repr=False)
    made: int = 0

    def owner(self) -> DaemonSet:
        rolling = {"maxUnavailable": self.unavailable, "maxSurge": self.surge}
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        meta = {"name": "agent", "namespace": "default", "uid": "set", "generation": 1}
        spec = {"template": TEMPLATE, "updateStrategy": strategy}
        return msgspec.convert({"metadata": meta, "spec": spec}, DaemonSet)

    def plan(self) -> Plan:
        taints = [{"key": "k", "effect": "NoSchedule"}]
        nodes = [
            {"metadata": {"name": n}, "spec": {"taints": taints if n in self.tainted else []}}
            for n in NODES
        ]
        seen = Seen(
            hash="new",
            nodes=[msgspec.convert(node, Node) for node in nodes],
            pods=list(self.pods.values()),
            held=lambda node: 0.0,
            collisions=0,
            now=NOW,
        )
        return make_plan(self.owner(), seen)

    def put(self, node: str, made_of: str, *, ready: bool) -> None:
        self.made += 1
        name = f"agent-{self.made}"
        body = daemonpods.pod(self.owner(), made_of, node)
        body["metadata"] |= {"name": name, "uid": name}
        body["status"] = {"phase": "Running", "conditions": [READY] if ready else []}
        self.pods[name] = msgspec.convert(body, Pod)

    def carry_out(self, plan: Plan) -> None:
        for pod in plan.delete:
            del self.pods[pod.metadata.name]
        for node in plan.create:
            self.put(node, "new", ready=False)

    def heal(self) -> None:
        """Every pod is ready now."""
        status = {"phase": "Running", "conditions": [READY]}
        for name, pod in list(self.pods.items()):
            fresh = msgspec.convert(status, type(pod.status))
            self.pods[name] = msgspec.structs.replace(pod, status=fresh)

    def on(self, node: str) -> list[Pod]:
        return [pod for pod in self.pods.values() if daemonpods.target(pod) == node]

    def serving(self) -> set[str]:
        """The nodes with an available pod."""
        up = [pod for pod in self.pods.values() if pod.status.conditions]
        return {daemonpods.target(pod) for pod in up}

    def wanted(self) -> list[str]:
        return [node for node in NODES if node not in self.tainted]


def share(given: int | str, whole: int) -> int:
    return -(-int(given[:-1]) * whole // 100) if isinstance(given, str) else given


@st.composite
def models(draw: st.DrawFn, *, surge: bool) -> Model:
    amounts: st.SearchStrategy[int | str] = st.sampled_from([1, 2, 4, "10%", "50%"])
    tainted = frozenset(draw(st.sets(st.sampled_from(NODES), max_size=2)))
    model = Model(0 if surge else draw(amounts), draw(amounts) if surge else 0, tainted)
    states = ["old", "old", "old broken", "new", "new broken", "none"]
    for node in NODES:
        state = draw(st.sampled_from([*states, "both", "both arriving"] if surge else states))
        if state == "none":
            continue
        if state.startswith("both"):
            model.put(node, "old", ready=True)
            model.put(node, "new", ready=state == "both")
        else:
            model.put(node, state.split()[0], ready="broken" not in state)
    return model


@given(models(surge=False))
@settings(max_examples=150, deadline=None)
def test_no_more_nodes_are_without_a_pod_than_may_be(model: Model) -> None:
    before, plan = model.serving(), model.plan()
    model.carry_out(plan)
    after = model.serving()
    without = sum(1 for node in NODES if model.wanted().count(node) and node not in after)
    assert after == before or without <= share(model.unavailable, len(model.wanted()))


@given(models(surge=True))
@settings(max_examples=150, deadline=None)
def test_a_surge_leaves_no_node_without_a_pod(model: Model) -> None:
    before, plan = model.serving(), model.plan()
    crowded = {node for node in NODES if len(model.on(node)) > 1}
    model.carry_out(plan)
    assert before & set(model.wanted()) <= model.serving()
    # What was broken is replaced at once; of what served, no more than the surge is doubled.
    extra = [n for n in plan.create if n in before]
    arriving = [n for n in crowded if len(model.on(n)) > 1]
    assert not extra or len(extra) + len(arriving) <= share(model.surge, len(model.wanted()))


@given(models(surge=True))
@settings(max_examples=100, deadline=None)
def test_nodes_that_are_left_serve_until_the_others_do(model: Model) -> None:
    before, plan = len(model.serving()), model.plan()
    model.carry_out(plan)
    after = len(model.serving())
    assert after == before or after >= len(model.wanted())


@given(st.one_of(models(surge=True), models(surge=False)))
@settings(max_examples=100, deadline=None)
def test_every_update_comes_to_its_end(model: Model) -> None:
    for _ in range(40):
        plan = model.plan()
        healthy = all(pod.status.conditions for pod in model.pods.values())
        if not plan.create and not plan.delete and healthy:
            break
        model.carry_out(plan)
        model.heal()
    hashes = {
        node: [pod.metadata.labels[daemonpods.HASH] for pod in model.on(node)] for node in NODES
    }
    assert all(hashes[node] == ["new"] for node in model.wanted())
    assert plan.status.desired_number_scheduled == len(model.wanted())
