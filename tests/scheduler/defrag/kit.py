"""Small clusters with pods in the wrong places."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.dra import ResourceClaim, ResourceSlice
from argosy.api.meta import Object
from argosy.scheduler.defrag.plan import Plan, plan
from argosy.scheduler.explain.snapshot import snapshot_of
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import (
    allocated,
    claim,
    exactly,
    node,
    pod,
    resource_slice,
    shared_gpu,
)

GPU = "nvidia.com/gpu"
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"app": "web"}},
            }
        ]
    }
}


def owner(kind: str = "ReplicaSet", name: str = "web") -> dict[str, Any]:
    """A controller, as its pods name it."""
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": True}


def host(name: str, *, gpus: int = 0, cpu: str = "8", **options: Any) -> Node:
    """A node with so many GPUs that are counted."""
    allocatable = {"cpu": cpu, **({GPU: str(gpus)} if gpus else {})}
    return node(name, allocatable=allocatable, labels={"kubernetes.io/hostname": name}, **options)


def runs(
    name: str,
    on: str,
    *,
    gpus: int = 0,
    cpu: str = "1",
    kind: str = "ReplicaSet",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **options: Any,
) -> Pod:
    """A pod of a controller (none where `kind` is empty) on a node."""
    metadata = {
        "labels": dict(labels or {"app": "web"}),
        "annotations": dict(annotations or {}),
        **({"ownerReferences": [owner(kind)]} if kind else {}),
    }
    requests = {"cpu": cpu, **({GPU: str(gpus)} if gpus else {})}
    return pod(name, node=on, requests=requests, metadata=metadata, **options)


def sharing(name: str, on: str, device: str, compute: int) -> tuple[Pod, ResourceClaim]:
    """A pod with a share of a device, in hundredths."""
    asked = {"compute": str(compute)}
    status = allocated(device, node=on, consumed=asked)
    status["reservedFor"] = [{"resource": "pods", "name": name, "uid": f"uid-{name}"}]
    return (
        runs(name, on, cpu="100m", claims={"gpu": name}),
        claim(name, [exactly(capacity=asked)], status=status),
    )


def devices(on: str, count: int) -> ResourceSlice:
    """Devices of a node that can be shared."""
    return resource_slice([shared_gpu(f"gpu-{at}") for at in range(count)], node=on)


def budget(
    allowed: int, selector: Mapping[str, Any] | None, name: str = "pdb", **meta: Any
) -> PodDisruptionBudget:
    """A budget that allows so many evictions."""
    body = {
        "metadata": {"name": name, "namespace": "default", **meta},
        "spec": {"selector": selector, "maxUnavailable": 1},
        "status": {"disruptionsAllowed": allowed, "observedGeneration": 1},
    }
    return msgspec.convert(body, PodDisruptionBudget)


def planned(*objects: Object, most: int = 100) -> Plan:
    """The plan for a cluster of these objects."""
    return plan(snapshot_of(objects), PLUGINS, most)


def moved(found: Plan) -> list[tuple[str, str, str]]:
    """Pod, from, to, in order."""
    return [
        (step.occupant.pod.metadata.name, step.source, step.placement.node)
        for goal in found.goals
        for step in goal.steps
    ]
