"""Nodes that fall silent and come back: when they are given up, and when their pods are."""

from collections.abc import Sequence

from argosy.api.core import Node, Pod
from argosy.api.leases import Lease
from argosy.api.replicas import ReplicaSet
from argosy.api.resource import Resource
from argosy.base.clock import micro_timestamp, timestamp
from argosy.controllers.nodelifecycle.controllers import add_node_lifecycle
from argosy.controllers.nodelifecycle.health import GRACE, TOLD
from argosy.controllers.nodelifecycle.lifecycle import LEASES
from argosy.controllers.replicasets import replica_sets
from argosy.runtime.manager import Manager
from tests.simulation.actors import SILENT, User, evicts, ready
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, conditions, workload
from tests.simulation.world import Invariant, Json, Step, World

BORNE = 30
"""Seconds for which pods bear that their node is away."""
UNDER_WAY = 10.0
"""Seconds that it may take until what was decided is written."""
UNHEARD = 60.0
"""Seconds until all have heard that a taint is gone."""
KINDS = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


def _lives(manager: Manager, served: Sequence[Resource]) -> None:
    add_node_lifecycle(manager)
    manager.add(replica_sets(manager))


async def _beat(user: User) -> None:
    """Each node's own signs of life."""
    while True:
        await user.clock.sleep(5.0)
        for node in user.world.all(Node.resource):
            if SILENT not in node["metadata"].get("annotations", {}):
                await user.attempt(_renewed(user, node["metadata"]["name"]))
                if conditions(node) != _well():
                    await user.attempt(_told(user, node["metadata"]["name"]))


def _well() -> dict[str, str]:
    return {kind: str(kind == "Ready") for kind in TOLD}


async def _renewed(user: User, name: str) -> None:
    spec = {"holderIdentity": name, "renewTime": micro_timestamp(user.clock.now())}
    body = {"metadata": {"name": name, "namespace": LEASES}, "spec": spec}
    await user.client.apply(Lease.resource, body)


async def _told(user: User, name: str) -> None:
    now = timestamp(user.clock.now())
    said = [
        {"type": kind, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now}
        for kind, status in _well().items()
    ]
    patch = {"status": {"conditions": said}}
    await user.client.merge(Node.resource, name, "", patch, subresource="status")


def silent_first() -> Invariant:
    """No node is given up that gave a sign of life, or before these controllers waited for one."""
    beats: dict[str, list[float]] = {}

    def check(world: World, step: Step) -> None:
        now, name = world.clock.monotonic(), step.key.rpartition("/")[2]
        if step.concerns(Lease.resource):
            beats.setdefault(name, []).append(now)
        if not step.concerns(Node.resource) or step.before is None or step.after is None:
            return
        if _unknown(step.after) and not _unknown(step.before):
            assert now - world.began > GRACE, f"{now - world.began} s after the start"
            late = [at for at in beats.get(name, ()) if now - GRACE < at <= now - UNDER_WAY]
            assert not late, f"it was alive at {late}"

    return check


def _unknown(node: Json) -> bool:
    return conditions(node).get("Ready", "").startswith("Unknown")


def borne() -> Invariant:
    """No pod is evicted before its node had its taint as long as the pod bears it, nor long after
    the taint is gone."""
    tainted: dict[str, list[list[float]]] = {}

    def check(world: World, step: Step) -> None:
        now = world.clock.monotonic()
        if step.concerns(Node.resource) and step.before and step.after:
            spans = tainted.setdefault(step.after["metadata"]["name"], [])
            if evicts(step.after) and not evicts(step.before):
                spans.append([now, float("inf")])
            elif evicts(step.before) and not evicts(step.after):
                spans[-1][1] = now
        if step.concerns(Pod.resource) and step.before and step.after:
            begun = "deletionTimestamp" in step.after["metadata"]
            begun &= "DisruptionTarget" in conditions(step.after)
            if begun and "deletionTimestamp" not in step.before["metadata"]:
                spans = tainted.get(step.after["spec"].get("nodeName", ""), [])
                due = any(one + BORNE <= now <= end + UNHEARD for one, end in spans)
                assert due, f"evicted at {now}, tainted at {spans}"

    return check


def _filled(world: World) -> bool:
    return len(alive(world)) == 4 and all(map(ready, alive(world)))


def _left(world: World) -> bool:
    return all(pod["spec"].get("nodeName") != "a" for pod in alive(world))


async def _fall_silent(user: User) -> None:
    bears = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": BORNE}
        for key in KINDS
    ]
    body = workload("web", replicas=4)
    body["spec"]["template"]["spec"]["tolerations"] = bears
    await user.create(ReplicaSet.resource, body)
    await user.until(lambda: _filled(user.world))
    await _hush(user, "yes")
    await user.pause(30)
    await _hush(user, None)
    await user.pause(30)
    await _hush(user, "yes")
    await user.until(lambda: _left(user.world), 3000)
    assert _left(user.world), "its pods stay with it"
    await user.pause()
    await _hush(user, None)


async def _hush(user: User, value: str | None) -> None:
    await user.merge(Node.resource, "a", {"metadata": {"annotations": {SILENT: value}}})


SILENCE = Scenario(
    name="node-lifecycle",
    controllers=_lives,
    script=_fall_silent,
    others=(_beat,),
    final=lambda world: {
        "ready": sum(map(ready, world.all(Pod.resource))),
        "pods": len(world.all(Pod.resource)),
        "nodes": {
            node["metadata"]["name"]: [evicts(node), conditions(node)["Ready"]]
            for node in world.all(Node.resource)
        },
    },
    expected={
        "ready": 4,
        "pods": 4,
        "nodes": {"a": [False, "True"], "b": [False, "True"], "c": [False, "True"]},
    },
    invariants=(silent_first, borne),
    nodes=("a", "b", "c"),
    writes=400,
)

NODES = (SILENCE,)
