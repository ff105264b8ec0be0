"""Deployments and their ReplicaSets."""

from collections.abc import Sequence

from argosy.api.core import Pod
from argosy.api.replicas import Deployment, ReplicaSet
from argosy.api.resource import Resource
from argosy.controllers.deployments.deployments import deployments
from argosy.controllers.replicasets import replica_sets
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, conditions, image, picked, workload
from tests.simulation.world import Invariant, Json, Step, World, controller_uid

COUNTS = (
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
)


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(replica_sets(manager))
    manager.add(deployments(manager))


def _final(world: World) -> Json:
    """The Deployments, their pods by image, and the sets that have any: how many were made on the
    way is a matter of luck.
    """
    return {
        "deployments": {
            item["metadata"]["name"]: picked(item, *COUNTS)
            | {"seen": item["status"].get("observedGeneration") == item["metadata"]["generation"]}
            | conditions(item)
            for item in world.all(Deployment.resource)
        },
        "sets": sorted(
            (image(item), item["spec"]["replicas"], item.get("status", {}).get("readyReplicas", 0))
            for item in world.all(ReplicaSet.resource)
            if item["spec"]["replicas"] or item.get("status", {}).get("replicas")
        ),
        "pods": sorted(image(item) for item in world.all(Pod.resource)),
    }


def surge(most: int) -> Invariant:
    """The sets never are asked for more together than is wanted (or was) and allowed beyond."""
    wanted: dict[str, int] = {}

    def check(world: World, step: Step) -> None:
        if step.concerns(Deployment.resource) and step.after is not None:
            uid = step.after["metadata"]["uid"]
            wanted[uid] = max(wanted.get(uid, 0), step.after["spec"]["replicas"])
        if not step.concerns(ReplicaSet.resource) or step.after is None:
            return
        owner = controller_uid(step.after)
        before = step.before["spec"]["replicas"] if step.before is not None else 0
        if owner not in wanted or step.after["spec"]["replicas"] <= before:
            return
        total = sum(item["spec"]["replicas"] for item in world.owned(ReplicaSet.resource, owner))
        limit = wanted[owner] + most
        assert total <= limit, f"{total} pods asked for, {limit} allowed"

    return check


def enough(least: int) -> Invariant:
    """Once so many pods are ready, there are never fewer."""
    reached = False

    def check(world: World, step: Step) -> None:
        nonlocal reached
        if not step.concerns(Pod.resource):
            return
        ready = sum(conditions(pod).get("Ready") == "True" for pod in alive(world))
        reached = reached or ready >= least
        assert ready >= least or not reached, f"{ready} pods are ready, {least} were promised"

    return check


def no_surplus() -> Invariant:
    """A ReplicaSet never makes a pod beyond what it was ever asked for."""
    asked: dict[str, int] = {}

    def check(world: World, step: Step) -> None:
        if step.concerns(ReplicaSet.resource) and step.after is not None:
            uid = step.after["metadata"]["uid"]
            asked[uid] = max(asked.get(uid, 0), step.after["spec"]["replicas"])
        if not step.concerns(Pod.resource) or step.before is not None or step.after is None:
            return
        owner = controller_uid(step.after)
        pods = [pod for pod in alive(world) if controller_uid(pod) == owner]
        if owner in asked:
            assert len(pods) <= asked[owner], f"{len(pods)} pods, {asked[owner]} asked for"

    return check


def _image(wanted: str) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": wanted}]}}}}


async def _roll(user: User) -> None:
    await user.create(Deployment.resource, workload("web", replicas=4))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", _image("two"))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", {"spec": {"replicas": 6}})
    await user.pause(40)
    await user.merge(Deployment.resource, "web", _image("three"))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", {"spec": {"replicas": 3}})


def _well(image: str, replicas: int) -> Json:
    """How it is in the end."""
    status = {
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
        "seen": True,
        "Available": "True MinimumReplicasAvailable",
        "Progressing": "True NewReplicaSetAvailable",
    }
    return {
        "deployments": {"web": status},
        "sets": [(image, replicas, replicas)],
        "pods": [image] * replicas,
    }


ROLLING = Scenario(
    name="deployment-rolling",
    controllers=_run,
    script=_roll,
    final=_final,
    expected=_well("three", 3),
    invariants=(lambda: surge(2), no_surplus),
)


async def _undo(user: User) -> None:
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    await user.create(Deployment.resource, workload("web", replicas=4, strategy=strategy))
    for wanted in ("two", "one", "three", "one"):
        await user.pause(40)
        await user.merge(Deployment.resource, "web", _image(wanted))


UNDO = Scenario(
    name="deployment-undo",
    controllers=_run,
    script=_undo,
    final=_final,
    expected=_well("one", 4),
    invariants=(lambda: surge(1), lambda: enough(3), no_surplus),
)


async def _recreate(user: User) -> None:
    body = workload("web", replicas=3, strategy={"type": "Recreate"})
    await user.create(Deployment.resource, body)
    await user.pause(40)
    await user.merge(Deployment.resource, "web", _image("two"))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", _image("three"))


def alone() -> Invariant:
    """No two versions run at once."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource) and step.before is None:
            images = {image(pod) for pod in alive(world)}
            assert len(images) <= 1, f"pods of {sorted(images)} at once"

    return check


RECREATE = Scenario(
    name="deployment-recreate",
    controllers=_run,
    script=_recreate,
    final=_final,
    expected=_well("three", 3),
    invariants=(alone, no_surplus),
)


async def _pause(user: User) -> None:
    await user.create(Deployment.resource, workload("web", replicas=2))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", {"spec": {"paused": True}})
    await user.pause(10)
    await user.merge(Deployment.resource, "web", _image("two"))
    await user.pause(40)
    await user.merge(Deployment.resource, "web", {"spec": {"replicas": 5}})
    await user.pause(40)
    await user.merge(Deployment.resource, "web", {"spec": {"paused": False}})


PAUSED = Scenario(
    name="deployment-paused",
    controllers=_run,
    script=_pause,
    final=_final,
    expected=_well("two", 5),
    invariants=(lambda: surge(2), no_surplus),
)

DEPLOYMENTS = (ROLLING, UNDO, RECREATE, PAUSED)
