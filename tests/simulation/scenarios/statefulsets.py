"""StatefulSets: who comes after whom, and never two of one name."""

from collections.abc import Sequence

from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, collect, conditions, image, picked, workload
from tests.simulation.world import Invariant, Json, Step, World

STATUS = (
    "replicas",
    "readyReplicas",
    "availableReplicas",
    "currentReplicas",
    "updatedReplicas",
)


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(stateful_sets(manager))
    collect(manager, Pod.resource, PersistentVolumeClaim.resource, StatefulSet.resource)


def _final(world: World) -> Json:
    sets = world.all(StatefulSet.resource)
    claims = world.all(PersistentVolumeClaim.resource)
    return {
        "sets": {
            item["metadata"]["name"]: picked(item, *STATUS)
            | {"seen": item["status"].get("observedGeneration") == item["metadata"]["generation"]}
            for item in sets
        },
        "pods": {pod["metadata"]["name"]: image(pod) for pod in world.all(Pod.resource)},
        "claims": [item["metadata"]["name"] for item in claims],
    }


def in_order() -> Invariant:
    """A pod is made only once all before it are ready (or going)."""

    def check(world: World, step: Step) -> None:
        if not step.concerns(Pod.resource) or step.before is not None or step.after is None:
            return
        stem, _, ordinal = step.after["metadata"]["name"].rpartition("-")
        for before in range(int(ordinal)):
            pod = world.get(Pod.resource, f"{stem}-{before}")
            assert pod is not None, f"{ordinal} came before {before}"
            going = "deletionTimestamp" in pod["metadata"]
            ready = conditions(pod).get("Ready") == "True"
            assert ready or going, f"{ordinal} came before {before} was ready"

    return check


def one_at_a_time() -> Invariant:
    """A roll takes one pod at a time: the others stay ready, where they were."""

    def check(world: World, step: Step) -> None:
        if not step.concerns(Pod.resource) or step.after is None or step.before is None:
            return
        meta = step.after["metadata"]
        if "deletionTimestamp" in meta and "deletionTimestamp" not in step.before["metadata"]:
            wanted = world.all(StatefulSet.resource)[0]["spec"]["replicas"]
            going = [
                pod["metadata"]["name"]
                for pod in world.all(Pod.resource)
                if "deletionTimestamp" in pod["metadata"]
                and int(pod["metadata"]["name"].rpartition("-")[2]) < wanted
            ]
            assert len(going) <= 1, f"{going} go at once"

    return check


def _update(image: str) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}


async def _ordered(user: User) -> None:
    await user.create(StatefulSet.resource, workload("db", replicas=3, serviceName="db"))
    await user.pause()
    await user.merge(StatefulSet.resource, "db", _update("two"))
    await user.pause()
    await user.merge(StatefulSet.resource, "db", {"spec": {"replicas": 4}})
    await user.pause()
    await user.merge(StatefulSet.resource, "db", _update("three"))
    await user.pause()
    await user.merge(StatefulSet.resource, "db", {"spec": {"replicas": 3}})


def _well(name: str, count: int, image: str, claims: Sequence[str] = ()) -> Json:
    return {
        "sets": {name: dict.fromkeys(STATUS, count) | {"seen": True}},
        "pods": {f"{name}-{number}": image for number in range(count)},
        "claims": list(claims),
    }


ORDERED = Scenario(
    name="statefulset-ordered",
    controllers=_run,
    script=_ordered,
    final=_final,
    expected=_well("db", 3, "three"),
    invariants=(in_order,),
)


async def _rolled(user: User) -> None:
    await user.create(StatefulSet.resource, workload("db", replicas=3, serviceName="db"))
    await user.until(lambda: len(alive(user.world)) == 3)
    for wanted in ("two", "three", "one"):
        await user.pause()
        await user.merge(StatefulSet.resource, "db", _update(wanted))


ROLLED = Scenario(
    name="statefulset-rolling",
    controllers=_run,
    script=_rolled,
    final=_final,
    expected=_well("db", 3, "one"),
    invariants=(in_order, one_at_a_time),
)


async def _parallel(user: User) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    body = workload(
        "par",
        replicas=5,
        serviceName="par",
        podManagementPolicy="Parallel",
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Delete"},
        volumeClaimTemplates=[claim],
    )
    await user.create(StatefulSet.resource, body)
    await user.pause()
    await user.merge(StatefulSet.resource, "par", {"spec": {"replicas": 2}})
    await user.pause()
    await user.merge(StatefulSet.resource, "par", {"spec": {"replicas": 4}})
    await user.pause()
    for pod in user.world.all(Pod.resource)[:2]:
        await user.delete(Pod.resource, pod["metadata"]["name"])


PARALLEL = Scenario(
    name="statefulset-parallel",
    controllers=_run,
    script=_parallel,
    final=lambda world: _final(world) | {"claims": None},
    expected=_well("par", 4, "one") | {"claims": None},
)

STATEFUL_SETS = (ORDERED, ROLLED, PARALLEL)
