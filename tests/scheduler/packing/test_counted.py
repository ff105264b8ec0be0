"""GPUs that are counted as an extended resource: once, and no more than can be kept."""

from typing import Any

import pytest

from argosy.scheduler.packing.live import MOST_DEVICES, Live
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State
from tests.scheduler.builders import node, occupant, pod, resource_slice

GPU = "nvidia.com/gpu"


@pytest.mark.parametrize(
    ("counted", "devices", "there", "free"),
    [
        ("4", 0, 4, 3),
        ("4", 2, 2, 2),  # the same GPUs, told twice
        (str(10**12), 0, MOST_DEVICES, MOST_DEVICES),
        ("-3", 0, 0, 0),
    ],
)
def test_each_gpu_counts_once(counted: Any, devices: int, there: int, free: int) -> None:
    state = State()
    state.nodes.put_node(node("n1", allocatable={GPU: counted}))
    offers = [{"name": f"gpu-{number}"} for number in range(devices)]
    state.devices.put_slice(None, resource_slice(offers))
    state.nodes.vector(request_of(pod(requests={GPU: 1})))
    live = Live(state, POLICIES["argosy"])
    assert int(live.free().devices[0]) == there
    state.nodes.put_pod("n1", occupant(requests={GPU: 1}))
    assert int((live.free().gpu[0] > 0).sum()) == free
