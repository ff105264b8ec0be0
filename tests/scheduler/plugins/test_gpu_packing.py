"""Pods gather where they strand the least, in decisions of the real scheduler."""

from dataclasses import replace
from typing import Any

import pytest

from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.plugins import dynamic_resources, gpu_packing, node_resources_fit
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod
from tests.scheduler.packing.test_live import add_node, asking, cluster

# Room, devices, and no score but that of packing.
FIT = node_resources_fit.PLUGIN


def decider(state: State, **args: Any) -> Decider:
    packing = gpu_packing.configured(args)
    return Decider(state, (replace(FIT, score=None), dynamic_resources.PLUGIN, packing))


def placed(it: Decider, state: State, name: str, *compute: int | None) -> tuple[str, list[str]]:
    [placement] = it.decide(Unit(pods=(asking(state, name, *compute),))).placements
    [grant] = placement.grants
    assert grant.allocation is not None
    return placement.node, [result.device for result in grant.allocation.devices.results]


def test_shares_gather_and_whole_devices_stay_whole() -> None:
    state = cluster(nodes=3, devices=2)
    it = decider(state)
    first = placed(it, state, "a", 50)
    assert placed(it, state, "b", 50) == first  # the same device, to the full
    others = [placed(it, state, f"whole-{at}", 100, 100) for at in range(2)]
    assert len({name for name, _ in others} | {first[0]}) == 3
    name, devices = placed(it, state, "last", 100)
    assert (name, set(devices) & set(first[1])) == (first[0], set())


def test_pods_without_gpus_leave_the_processors_to_those_with() -> None:
    state = cluster(nodes=2, devices=2)
    state.nodes.put_node(node("bare", allocatable={"cpu": "8"}))
    it = decider(state)
    placed(it, state, "a", 100)
    for at in range(4):
        [placement] = it.decide(Unit(pods=(pod(f"p{at}", requests={"cpu": 2}),))).placements
        assert placement.node == "bare"


def test_arguments() -> None:
    with pytest.raises(ValueError, match='^policy: Unsupported value: "best"'):
        gpu_packing.configured({"policy": "best"})
    assert gpu_packing.configured({"policy": "fgd"}).name == "GPUPacking"


def test_typical_pods_of_the_profile() -> None:
    """The first pod already spares the model that others will need."""
    state = cluster(nodes=1)
    add_node(state, "a", 2, model="T4")
    known = {"gpus": 1, "cpu": 1, "models": ["T4"], "share": 1}
    args = {"typicalPods": [known, {"gpus": 1, "cpu": 1, "share": 9}]}
    assert placed(decider(state, **args), state, "knows", 50)[0] == "n0"
    args = {"typicalPods": [{**known, "models": ["G2"]}, {"gpus": 1, "cpu": 1, "share": 9}]}
    assert placed(decider(state, **args), state, "other", 100)[0] == "a"
