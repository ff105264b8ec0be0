"""Clusters in which a pod would fit, and then one cause is put in: we know why it is pending.

All is drawn from a seed. The background is noisy on purpose: nodes of several pools, some kept for
the control plane, some full, some cordoned, so that a pod that is held back by one cause is refused
by several filters all the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.meta import Object
from argosy.scheduler.decide import Decider
from argosy.scheduler.explain.report import unit_for
from argosy.scheduler.explain.snapshot import Snapshot, snapshot_of, state_of
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import device_class, node, pod

GPU = "nvidia.com/gpu"
HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
CONTROL = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
NAME = "wanted"


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster with a pending pod. Right is one of `reasons`, with `word` in the headline."""

    snapshot: Snapshot
    pod: Pod
    reasons: tuple[str, ...]
    word: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster before the cause is in, and the nodes that would take the pod."""

    random: Random
    objects: tuple[Object, ...]
    pod: Pod
    fitting: tuple[Node, ...]

    def case(
        self,
        reasons: str,
        *added: Object,
        word: str = "",
        instead: Pod | None = None,
        nodes: Callable[[Node], Node] | None = None,
    ) -> Case:
        """The case with objects added, another pod, or the fitting nodes edited."""
        chosen = instead or self.pod
        edited = {one.key: nodes(one) for one in self.fitting} if nodes else {}
        kept = [edited.get(one.key, one) if isinstance(one, Node) else one for one in self.objects]
        return Case(snapshot_of((*kept, *added, chosen)), chosen, tuple(reasons.split("|")), word)


def placed(snapshot: Snapshot, wanted: Pod) -> bool:
    """Whether the scheduler would place the pod: a fresh state, a fresh decision."""
    current = snapshot.of(Pod).get(wanted.key, wanted)
    decision = Decider(state_of(snapshot), PLUGINS).decide(unit_for(snapshot, current))
    return any(place.pod.metadata.uid == wanted.metadata.uid for place in decision.placements)


def ground(seed: int, *, gpus: int = 0, spec: Mapping[str, Any] | None = None) -> Ground:
    """A noisy cluster with a pod that fits on most of the nodes that are meant for it."""
    random = Random(seed)
    objects: list[Object] = [
        device_class(),
        *(_worker(random, number, gpus) for number in range(random.randint(3, 8))),
    ]
    objects += _noise(random)
    requests = {"cpu": random.choice(("500m", "1", "2")), "memory": random.choice(("1Gi", "2Gi"))}
    if gpus:
        requests[GPU] = str(gpus)
    wanted = pod(NAME, requests=requests, spec=spec)
    for number, one in enumerate([item for item in objects if isinstance(item, Node)]):
        if random.random() < 0.5 and number < 9:
            small = {"cpu": "250m", "memory": "256Mi"}
            objects.append(pod(f"small-{number}", requests=small, node=one.metadata.name))
    workers = [one for one in objects if isinstance(one, Node)]
    fitting = tuple(one for one in workers if _alone(objects, one, wanted))
    assert fitting
    return Ground(random, tuple(objects), wanted, fitting)


def _alone(objects: list[Object], one: Node, wanted: Pod) -> bool:
    others = [item for item in objects if not isinstance(item, Node)]
    return placed(snapshot_of((*others, one, wanted)), wanted)


def _worker(random: Random, number: int, gpus: int) -> Node:
    name = f"worker-{number}"
    zone = f"zone-{number % 3}"
    labels = {HOST: name, ZONE: zone, "pool": random.choice(("a", "b"))}
    allocatable = {"cpu": random.choice(("8", "16")), "memory": random.choice(("16Gi", "32Gi"))}
    if gpus:
        allocatable[GPU] = random.choice(("4", "8"))
    return node(name, allocatable=allocatable, labels=labels)


def _noise(random: Random) -> list[Object]:
    """Nodes that don't take the pod, each for a reason of its own; fewer than workers."""
    found: list[Object] = []
    if random.random() < 0.5:
        found.append(node("control", labels={HOST: "control"}, spec={"taints": [CONTROL]}))
    if random.random() < 0.5:
        spec = {"unschedulable": True, "taints": [CORDONED]}
        found.append(node("asleep", labels={HOST: "asleep"}, spec=spec))
    if random.random() < 0.5:
        found.append(node("tiny", allocatable={"cpu": "100m"}, labels={HOST: "tiny"}))
    return found


def near(app: str) -> dict[str, Any]:
    """A term for the nodes with pods of an app."""
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": app}}}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}


def with_spec(one: Pod, *, labels: Mapping[str, str] | None = None, **spec: Any) -> Pod:
    """The pod with other fields of its spec."""
    body = msgspec.to_builtins(one)
    body["spec"] |= spec
    body["metadata"]["labels"] = dict(labels or {})
    return msgspec.json.decode(msgspec.json.encode(body), type=Pod)


def node_with(one: Node, **spec: Any) -> Node:
    """The node with other fields of its spec."""
    body = msgspec.to_builtins(one)
    body["spec"] = {**body.get("spec", {}), **spec}
    return msgspec.convert(body, Node)
