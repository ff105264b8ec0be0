"""ReplicaSets and ReplicationControllers by themselves."""

from collections.abc import Sequence

from argosy.api.core import Pod
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.resource import Resource
from argosy.controllers.replicasets import replica_sets, replication_controllers
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import labels, picked, template, workload
from tests.simulation.scenarios.deployments import no_surplus
from tests.simulation.world import Json, World, controller_uid

NOBODY: Json = {"metadata": {}}
STATUS = ("replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas")


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(replica_sets(manager))
    manager.add(replication_controllers(manager))


def _final(world: World) -> Json:
    """What the sets say, and whose the pods are."""
    sets = world.all(ReplicaSet.resource) + world.all(ReplicationController.resource)
    names = {item["metadata"]["uid"]: item["metadata"]["name"] for item in sets}
    owners = [names.get(controller_uid(pod), "nobody") for pod in world.all(Pod.resource)]
    return {
        "sets": {item["metadata"]["name"]: picked(item, *STATUS) for item in sets},
        "pods": {name: owners.count(name) for name in sorted(set(owners))},
    }


async def _adopt(user: User) -> None:
    """Strays are taken in, one pod is let go by its labels, pods are deleted by hand."""
    for number in range(3):
        stray = {"metadata": {"name": f"stray-{number}", "namespace": "default"}}
        body = {**template("web"), **stray}
        body["metadata"]["labels"] = labels("web")
        await user.create(Pod.resource, body)
    await user.pause()
    await user.create(ReplicaSet.resource, workload("web", replicas=5))
    await user.until(lambda: user.world.get(ReplicaSet.resource, "web") is not None)
    await user.pause()
    await user.until(lambda: len(user.world.all(Pod.resource)) >= 5)
    await user.until(lambda: user.clock.monotonic() - user.world.last > 30, 120)
    free = user.world.all(Pod.resource)[0]["metadata"]["name"]  # any: strays may have been too many
    await user.merge(Pod.resource, free, {"metadata": {"labels": {"app": "other"}}})
    await user.until(lambda: not controller_uid(user.world.get(Pod.resource, free) or NOBODY))
    await user.pause()
    await user.merge(ReplicaSet.resource, "web", {"spec": {"replicas": 2}})
    await user.pause()
    await user.merge(ReplicaSet.resource, "web", {"spec": {"replicas": 6}})
    await user.pause()
    for pod in user.world.all(Pod.resource)[:3]:
        if pod["metadata"]["name"] != free:
            await user.delete(Pod.resource, pod["metadata"]["name"])


ADOPTION = Scenario(
    name="replicaset-adoption",
    controllers=_run,
    script=_adopt,
    final=_final,
    expected={
        "sets": {"web": dict.fromkeys(STATUS, 6)},
        "pods": {"nobody": 1, "web": 6},
    },
    invariants=(no_surplus,),
)


async def _control(user: User) -> None:
    body = {
        "metadata": {"name": "old", "namespace": "default"},
        "spec": {"replicas": 3, "selector": labels("old"), "template": template("old")},
    }
    await user.create(ReplicationController.resource, body)
    await user.pause()
    await user.merge(ReplicationController.resource, "old", {"spec": {"replicas": 7}})
    await user.pause()
    await user.merge(ReplicationController.resource, "old", {"spec": {"replicas": 4}})


REPLICATION = Scenario(
    name="replication-controller",
    controllers=_run,
    script=_control,
    final=_final,
    expected={"sets": {"old": dict.fromkeys(STATUS, 4)}, "pods": {"old": 4}},
)

REPLICAS = (ADOPTION, REPLICATION)
