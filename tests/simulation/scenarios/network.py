"""Endpoints, slices and budgets: what follows the pods."""

from collections.abc import Sequence

from argosy.api.core import Pod, Service
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.replicas import ReplicaSet
from argosy.api.resource import Resource
from argosy.api.resources.core import ENDPOINTS
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.controllers.disruptionbudgets import disruption_budgets
from argosy.controllers.disruptiontargets import disruption_targets
from argosy.controllers.endpoints.controllers import add_endpoints
from argosy.controllers.replicasets import replica_sets
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import (
    alive,
    collect,
    conditions,
    labels,
    picked,
    workload,
)
from tests.simulation.world import Invariant, Json, Step, World


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(replica_sets(manager))
    add_endpoints(manager)
    collect(manager, Service.resource, ENDPOINTS, ENDPOINT_SLICE)


def _addresses(world: World) -> Json:
    """Whether slices and Endpoints have just the pods that are ready."""
    ready = sorted(
        pod["status"]["podIP"]
        for pod in alive(world)
        if conditions(pod).get("Ready") == "True" and pod["metadata"]["labels"].get("app") == "web"
    )
    sliced: dict[str, list[str]] = {}
    for item in world.all(ENDPOINT_SLICE):
        name = item["metadata"]["labels"]["kubernetes.io/service-name"]
        for point in item.get("endpoints") or ():
            sliced.setdefault(name, []).extend(point["addresses"])
    legacy = {
        item["metadata"]["name"]: sorted(
            address["ip"]
            for subset in item.get("subsets") or ()
            for address in subset.get("addresses") or ()
        )
        for item in world.all(ENDPOINTS)
    }
    return {
        "ready": len(ready),
        "slices": {name: sorted(ips) == ready for name, ips in sliced.items()},
        "legacy": {name: ips == ready for name, ips in legacy.items()},
        "services": [item["metadata"]["name"] for item in world.all(Service.resource)],
    }


async def _serve(user: User) -> None:
    await user.create(ReplicaSet.resource, workload("web", replicas=3))
    for name in ("first", "second"):
        await user.pause(10)
        body = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": labels("web"), "ports": [{"port": 80}]},
        }
        await user.create(Service.resource, body)
    await user.pause()
    await user.merge(ReplicaSet.resource, "web", {"spec": {"replicas": 6}})
    await user.pause()
    await user.delete(Service.resource, "first")
    await user.pause()
    await user.merge(ReplicaSet.resource, "web", {"spec": {"replicas": 4}})
    for pod in user.world.all(Pod.resource)[:2]:
        await user.delete(Pod.resource, pod["metadata"]["name"])


SERVED = Scenario(
    name="endpoints",
    controllers=_run,
    script=_serve,
    final=_addresses,
    expected={
        "ready": 4,
        "slices": {"second": True},
        "legacy": {"second": True},
        "services": ["second"],
    },
    writes=400,
)


async def _mirror(user: User) -> None:
    service = {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {"ports": [{"port": 5432}]},
    }
    await user.create(Service.resource, service)
    await user.pause(10)
    meta = {"name": "db", "namespace": "default"}
    for number in range(3):
        subset = {"addresses": [{"ip": f"192.0.2.{number + 1}"}], "ports": [{"port": 5432}]}
        if number == 0:
            await user.create(ENDPOINTS, {"metadata": meta, "subsets": [subset]})
        else:
            await user.merge(ENDPOINTS, "db", {"subsets": [subset]})
        await user.pause()


MIRRORED = Scenario(
    name="endpoints-mirrored",
    controllers=_run,
    script=_mirror,
    final=lambda world: {
        "slices": [
            point["addresses"]
            for item in world.all(ENDPOINT_SLICE)
            for point in item.get("endpoints") or ()
        ]
    },
    expected={"slices": [["192.0.2.3"]]},
    writes=100,
)


def _budget(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(replica_sets(manager))
    manager.add(disruption_budgets(manager))
    manager.add(disruption_targets(manager))


def kept(least: int) -> Invariant:
    """No eviction of one that is well leaves fewer that are."""

    def check(world: World, step: Step) -> None:
        if not step.concerns(Pod.resource) or step.after is None or step.before is None:
            return
        if "deletionTimestamp" not in step.after["metadata"]:
            return
        if "deletionTimestamp" in step.before["metadata"]:
            return
        if conditions(step.before).get("Ready") != "True":
            return  # no budget keeps it
        well = sum(conditions(pod).get("Ready") == "True" for pod in alive(world))
        assert well >= least, f"{well} pods are left, {least} were promised"

    return check


async def _evict(user: User) -> None:
    body = {
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": labels("web")}},
    }
    await user.create(PodDisruptionBudget.resource, body)
    await user.create(ReplicaSet.resource, workload("web", replicas=5))
    for _ in range(12):
        await user.pause(10)
        if pods := user.world.all(Pod.resource):
            await user.evict(user.random.choice(pods)["metadata"]["name"])


BUDGET = Scenario(
    name="disruption-budget",
    controllers=_budget,
    script=_evict,
    final=lambda world: {
        "budget": [
            picked(
                item,
                "currentHealthy",
                "desiredHealthy",
                "disruptionsAllowed",
                "expectedPods",
                "disruptedPods",
            )
            | conditions(item)
            for item in world.all(PodDisruptionBudget.resource)
        ],
        "pods": len(alive(world)),
    },
    expected={
        "budget": [
            {
                "currentHealthy": 5,
                "desiredHealthy": 3,
                "disruptionsAllowed": 2,
                "expectedPods": 5,
                "disruptedPods": {},
                "DisruptionAllowed": "True SufficientPods",
            }
        ],
        "pods": 5,
    },
    invariants=(lambda: kept(3),),
)


NETWORK = (SERVED, MIRRORED, BUDGET)
