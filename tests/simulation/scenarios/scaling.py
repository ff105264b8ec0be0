"""Autoscalers, by what a server behind the API server measures."""

from collections.abc import Sequence

import msgspec

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.core import ConfigMap
from argosy.api.replicas import ReplicaSet
from argosy.api.resource import Resource
from argosy.base.clock import timestamp
from argosy.controllers.autoscaling.autoscaler import horizontal_pod_autoscalers
from argosy.controllers.replicasets import replica_sets
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from tests.simulation.actors import User, ready
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, conditions, workload
from tests.simulation.world import Invariant, Json, Step, World

FEWEST, MOST = 2, 6
EACH = 100
"""What a pod shall use."""


def _scale(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(replica_sets(manager))
    manager.add(horizontal_pod_autoscalers(manager))


def _measured(world: World, request: Request) -> Response | None:
    """The pods' use: together all the load that there is, which a ConfigMap tells."""
    if not request.path.startswith("/apis/metrics.k8s.io/"):
        return None
    load = int((world.get(ConfigMap.resource, "load") or {}).get("data", {}).get("all", 0))
    pods = [pod for pod in alive(world) if ready(pod)]
    items = [
        {
            "metadata": {"name": pod["metadata"]["name"], "namespace": "default"},
            "timestamp": timestamp(world.clock.now()),
            "window": "30s",
            "containers": [{"name": "c", "usage": {"memory": str(load // len(pods))}}],
        }
        for pod in pods
    ]
    body = {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": items}
    return Response(200, {"content-type": "application/json"}, msgspec.json.encode(body))


def bounded() -> Invariant:
    """Never fewer, nor more, than the autoscaler allows."""

    def check(world: World, step: Step) -> None:
        if step.concerns(ReplicaSet.resource) and step.after is not None:
            replicas = step.after["spec"]["replicas"]
            assert FEWEST <= replicas <= MOST, f"{replicas} replicas"

    return check


async def _load(user: User) -> None:
    await user.create(
        ConfigMap.resource,
        {"metadata": {"name": "load", "namespace": "default"}, "data": {"all": "300"}},
    )
    await user.create(ReplicaSet.resource, workload("web", replicas=3))
    target = {"type": "AverageValue", "averageValue": str(EACH)}
    spec: Json = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"},
        "minReplicas": FEWEST,
        "maxReplicas": MOST,
        "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    }
    await user.create(
        HorizontalPodAutoscaler.resource,
        {"metadata": {"name": "web", "namespace": "default"}, "spec": spec},
    )
    for load, replicas in ((2000, 6), (0, 2), (400, 4)):
        await user.pause(60)
        await user.merge(ConfigMap.resource, "load", {"data": {"all": str(load)}})
        if user.random.random() < 0.7:
            await user.until(lambda wanted=replicas: _wants(user.world) == wanted)  # type: ignore[misc]


def _wants(world: World) -> int | None:
    found = world.get(ReplicaSet.resource, "web")
    return found["spec"]["replicas"] if found is not None else None


SCALED = Scenario(
    name="autoscaler",
    controllers=_scale,
    script=_load,
    answer=_measured,
    final=lambda world: {
        "wanted": _wants(world),
        "ready": len([pod for pod in alive(world) if ready(pod)]),
        "told": [
            [item["status"].get("desiredReplicas"), conditions(item).get("ScalingActive")]
            for item in world.all(HorizontalPodAutoscaler.resource)
        ],
    },
    expected={"wanted": 4, "ready": 4, "told": [[4, "True ValidMetricFound"]]},
    invariants=(bounded,),
    writes=400,
)

SCALING = (SCALED,)
