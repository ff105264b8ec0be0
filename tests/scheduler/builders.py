"""Short ways to write the objects of the scheduler's tests."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.scheduling import PodGroup
from argosy.scheduler.occupants import Occupant, occupant_of

DRIVER = "gpu.argosy.dev"


def pod(name: str = "p", **options: Any) -> Pod:
    """A pod, with the options of `pod_body`."""
    return msgspec.json.decode(msgspec.json.encode(pod_body(name, **options)), type=Pod)


def pod_body(
    name: str = "p",
    *,
    requests: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    gang: str = "",
    claims: Mapping[str, str] | None = None,
    node: str = "",
) -> dict[str, Any]:
    """A pod as plain JSON; `claims` maps entries to claim names."""
    full: dict[str, Any] = {
        "containers": [{"name": "c", "image": "i", "resources": {"requests": requests or {}}}],
        **(spec or {}),
    }
    if gang:
        full["schedulingGroup"] = {"podGroupName": gang}
    if claims:
        full["resourceClaims"] = [
            {"name": entry, "resourceClaimName": claim} for entry, claim in claims.items()
        ]
    if node:
        full["nodeName"] = node
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, **(metadata or {})},
        "spec": full,
        "status": dict(status or {}),
    }


def occupant(name: str = "p", **options: Any) -> Occupant:
    """Such a pod as it counts on its node."""
    return occupant_of(pod(name, **options))


def node(
    name: str = "n1",
    *,
    allocatable: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Node:
    """A node with 4 cpus, 8Gi and room for 110 pods, unless told otherwise."""
    return msgspec.convert(
        {
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": dict(spec or {}),
            "status": {
                "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110", **(allocatable or {})}
            },
        },
        Node,
    )


def device_class(
    name: str = "gpu", expression: str = f'device.driver == "{DRIVER}"'
) -> DeviceClass:
    """A class of one driver's devices."""
    selectors = [{"cel": {"expression": expression}}] if expression else []
    return msgspec.convert(
        {"metadata": {"name": name}, "spec": {"selectors": selectors}}, DeviceClass
    )


def shared_gpu(name: str = "gpu-0", **capacity: Any) -> dict[str, Any]:
    """A device to be shared, with so much of each capacity (100 of compute by default)."""
    capacities = capacity or {"compute": {"value": "100"}}
    return {"name": name, "allowMultipleAllocations": True, "capacity": capacities}


def resource_slice(
    devices: list[dict[str, Any]],
    *,
    node: str = "n1",
    name: str = "",
    generation: int = 1,
    count: int = 1,
    driver: str = DRIVER,
) -> ResourceSlice:
    """A slice of the pool that is named after the node."""
    return msgspec.convert(
        {
            "metadata": {"name": name or f"{node}-{driver}"},
            "spec": {
                "driver": driver,
                "nodeName": node,
                "pool": {"name": node, "generation": generation, "resourceSliceCount": count},
                "devices": devices,
            },
        },
        ResourceSlice,
    )


def exactly(
    *, name: str = "r", count: int = 1, capacity: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A request for devices of class `gpu`."""
    request: dict[str, Any] = {"deviceClassName": "gpu", "count": count, **more}
    if capacity:
        request["capacity"] = {"requests": dict(capacity)}
    return {"name": name, "exactly": request}


def claim(
    name: str = "c",
    requests: list[dict[str, Any]] | None = None,
    *,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> ResourceClaim:
    """A claim with one request for one device, unless told otherwise."""
    devices = {"requests": [exactly()] if requests is None else requests, **(spec or {})}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "1"}
    body = {
        "metadata": {**meta, **(metadata or {})},
        "spec": {"devices": devices},
        "status": dict(status or {}),
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=ResourceClaim)


def allocated(
    device: str = "gpu-0", *, node: str = "n1", consumed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The status of a claim that has (a share of) one device."""
    result: dict[str, Any] = {"request": "r", "driver": DRIVER, "pool": node, "device": device}
    if consumed is not None:
        result |= {"shareID": "share", "consumedCapacity": dict(consumed)}
    return {"allocation": {"devices": {"results": [result]}}}


def group(name: str = "g", least: int | None = 2) -> PodGroup:
    """A pod group; `least` None: without a gang."""
    policy = {"gang": {"minCount": least}} if least is not None else {}
    return msgspec.convert(
        {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
            "spec": {"schedulingPolicy": policy},
        },
        PodGroup,
    )
