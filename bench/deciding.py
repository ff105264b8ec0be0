"""What the scheduler's decision alone costs: no API, no store, no binding.

For synthetic nodes: the first pod of a shape, each next one, and pods a second; then the same for
pods with a claim for half of a device each.
"""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State

SHAPES = 20
PODS_A_SHAPE = 100
DRIVER = "gpu.argosy.dev"
ALLOCATABLE = {"cpu": "64", "memory": "512Gi", "pods": "110"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds: the median first pod of a shape, the median next one; and pods a second."""

    first: float
    following: float
    rate: float


def make_state(nodes: int) -> State:
    """A cluster of equal nodes in 10 zones, each with 8 devices to share."""
    state = State()
    selector = {"cel": {"expression": f'device.driver == "{DRIVER}"'}}
    gpu = {"metadata": {"name": "gpu"}, "spec": {"selectors": [selector]}}
    state.devices.put_class(None, msgspec.convert(gpu, DeviceClass))
    capacity = {"compute": {"value": "100"}}
    devices = [
        {"name": f"gpu-{i}", "allowMultipleAllocations": True, "capacity": capacity}
        for i in range(8)
    ]
    for i in range(nodes):
        state.nodes.put_node(msgspec.convert(_node(i), Node))
        pool = {"name": f"node-{i}", "generation": 1, "resourceSliceCount": 1}
        spec = {"driver": DRIVER, "nodeName": f"node-{i}", "pool": pool, "devices": devices}
        offer = {"metadata": {"name": f"slice-{i}"}, "spec": spec}
        state.devices.put_slice(None, msgspec.convert(offer, ResourceSlice))
    return state


def plain_pod(state: State, shape: int, number: int) -> Pod:
    """A pod of a shape: some milli-cpus, any node."""
    return make_pod(shape, number, {})


def claiming_pod(state: State, shape: int, number: int) -> Pod:
    """The same with a claim for half of a device."""
    name = f"c-{shape}-{number}"
    capacity = {"requests": {"compute": 50}}
    exactly = {"deviceClassName": "gpu", "capacity": capacity}
    claim = {
        "metadata": {"name": name, "namespace": "b", "uid": name, "resourceVersion": "1"},
        "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}},
    }
    state.devices.put_claim(None, msgspec.convert(claim, ResourceClaim))
    return make_pod(shape, number, {"resourceClaims": [{"name": "c", "resourceClaimName": name}]})


def make_pod(shape: int, number: int, spec: dict[str, Any]) -> Pod:
    """A pod that asks for 100 milli-cpus and as many as its shape's number."""
    requests = {"cpu": f"{100 + shape}m", "memory": "500Mi"}
    container = {"name": "c", "resources": {"requests": requests}}
    name = f"p-{shape}-{number}"
    meta = {"name": name, "namespace": "b", "uid": name}
    return msgspec.convert({"metadata": meta, "spec": {"containers": [container], **spec}}, Pod)


def measure(nodes: int, make: Callable[[State, int, int], Pod]) -> Figures:
    """Place all pods, shape after shape."""
    state = make_state(nodes)
    decider = Decider(state, PLUGINS)
    # The inventory is read when it is first asked for: not part of a decision.
    state.devices.inventory.nodes()
    first: list[float] = []
    following: list[float] = []
    for shape in range(SHAPES):
        pods = [make(state, shape, number) for number in range(PODS_A_SHAPE)]
        for number, pod in enumerate(pods):
            started = time.perf_counter()
            decision = decider.decide(Unit(pods=(pod,)))
            took = time.perf_counter() - started
            assert decision.placements, decision.refusals
            (following if number else first).append(took)
    total = sum(first) + sum(following)
    return Figures(median(first), median(following), SHAPES * PODS_A_SHAPE / total)


def memory(nodes: int) -> float:
    """Bytes that the scheduler's picture of one node takes, without devices; the node's own object
    is the informer's."""
    made = [msgspec.convert(_node(i), Node) for i in range(nodes)]
    tracemalloc.start()
    state = State()
    for node in made:
        state.nodes.put_node(node)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / nodes


def _node(i: int) -> dict[str, Any]:
    meta = {"name": f"node-{i}", "labels": {"zone": str(i % 10)}}
    return {"metadata": meta, "status": {"allocatable": ALLOCATABLE}}
