"""DaemonSets: one pod a node."""

from collections.abc import Sequence

from argosy.api.core import Node, Pod
from argosy.api.daemonsets import DaemonSet
from argosy.api.resource import Resource
from argosy.controllers.daemonsets.daemonset import daemon_sets
from argosy.controllers.podgc import pod_collector
from argosy.runtime.manager import Manager
from tests.simulation.actors import User, pinned
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, image, picked, workload
from tests.simulation.world import Invariant, Json, Step, World

STATUS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "numberAvailable",
    "updatedNumberScheduled",
    "numberMisscheduled",
)


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(daemon_sets(manager))
    manager.add_runner(pod_collector(manager).run)


def _final(world: World) -> Json:
    return {
        "sets": {
            item["metadata"]["name"]: picked(item, *STATUS)
            for item in world.all(DaemonSet.resource)
        },
        "pods": {pod["spec"].get("nodeName"): image(pod) for pod in world.all(Pod.resource)},
        "count": len(world.all(Pod.resource)),
    }


def one_a_node(surge: int = 0) -> Invariant:
    """On no node there are two that live."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource) and step.before is None:
            nodes = [pinned(pod) for pod in alive(world)]
            most = max(map(nodes.count, nodes), default=0)
            assert most <= 1 + surge, f"{most} pods on a node: {nodes}"

    return check


async def _play(user: User, **update: object) -> None:
    spec: Json = {"updateStrategy": {"rollingUpdate": update}} if update else {}
    await user.create(DaemonSet.resource, workload("agent", **spec))
    await user.pause()
    await user.create(Node.resource, _node("c"))
    await user.pause()
    two = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "two"}]}}}}
    await user.merge(DaemonSet.resource, "agent", two)
    await user.pause()
    await user.delete(Node.resource, "a")
    await user.pause()
    await user.create(Node.resource, _node("d"))
    if pods := user.world.all(Pod.resource):
        await user.delete(Pod.resource, pods[0]["metadata"]["name"])


def _node(name: str) -> Json:
    ready = {"type": "Ready", "status": "True"}
    return {"metadata": {"name": name}, "status": {"conditions": [ready]}}


WELL = {
    "sets": {"agent": dict.fromkeys(STATUS, 3) | {"numberMisscheduled": 0}},
    "pods": dict.fromkeys(("b", "c", "d"), "two"),
    "count": 3,
}

ROLLING = Scenario(
    name="daemonset-rolling",
    controllers=_run,
    script=_play,
    final=_final,
    expected=WELL,
    invariants=(one_a_node,),
)
SURGING = Scenario(
    name="daemonset-surge",
    controllers=_run,
    script=lambda user: _play(user, maxSurge=1, maxUnavailable=0),
    final=_final,
    expected=WELL,
    invariants=(lambda: one_a_node(1),),
)

DAEMON_SETS = (ROLLING, SURGING)
