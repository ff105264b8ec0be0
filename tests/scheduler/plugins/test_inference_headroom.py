"""Room to grow for pods that answer requests; training leaves a node's last to them."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.plugins import inference_headroom
from argosy.scheduler.state import State
from tests.scheduler.builders import node, occupant, pod

SERVED = {"labels": {"serving.kserve.io/inferenceservice": "chat"}}
GPU = "example.com/gpu"


def cluster(**used: int) -> State:
    """Nodes of ten processors and eight GPUs, of which so many are used."""
    state = State()
    for name, gpus in used.items():
        state.nodes.put_node(node(name, allocatable={"cpu": 10, GPU: 8}))
        state.nodes.put_pod(name, occupant(f"on-{name}", requests={GPU: gpus}))
    return state


def scores(state: State, item: Any, **args: Any) -> list[int] | None:
    survey = inference_headroom.configured(args).survey
    assert survey
    found = survey(state, item)
    if found is None:
        return None
    assert found.mask is None
    given = found.score(np.ones(state.nodes.size, dtype=np.bool_))
    return None if given is None else given.tolist()


@pytest.mark.parametrize(
    ("gpus", "args", "expected"),
    [
        (1, {}, [100, 100, 66, 33, 0]),
        (1, {"burstPods": 4}, [100, 100, 50, 25, 0]),
        (2, {}, [100, 33, 0, 0, 0]),
        (1, {"burstPods": 1}, [100, 100, 100, 100, 0]),
    ],
)
def test_the_more_fit_beside_it_the_better(
    gpus: int, args: dict[str, Any], expected: list[int]
) -> None:
    state = cluster(a=0, b=3, c=5, d=6, e=7)
    item = pod(requests={GPU: gpus}, metadata=SERVED)
    assert scores(state, item, **args) == expected


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(20, [100, 100, 100, 62, 0]), (10, [100, 100, 100, 100, 0]), (100, [87, 50, 25, 12, 0])],
)
def test_training_leaves_the_last_of_a_node(percent: int, expected: list[int]) -> None:
    item = pod(requests={GPU: 1}, gang="g")
    state = cluster(a=0, b=3, c=5, d=6, e=7)
    assert scores(state, item, reservePercent=percent) == expected


def test_the_scarcest_of_what_it_asks_for_says() -> None:
    state = cluster(a=0, b=0)
    state.nodes.put_pod("a", occupant("p", requests={"cpu": 8}))
    item = pod(requests={GPU: 1, "cpu": 1}, gang="g")
    assert scores(state, item) == [50, 100]
    assert scores(state, pod(requests={GPU: 1}, gang="g")) == [100, 100]
    assert scores(state, pod(gang="g")) == [100, 100]  # asks for nothing


@pytest.mark.parametrize(
    ("item", "args", "expected"),
    [
        (pod(requests={GPU: 1}), {}, None),
        (pod(requests={GPU: 1}, gang="g"), {}, [100, 0]),
        (pod(requests={GPU: 1}, gang="g", metadata=SERVED), {}, [100, 0]),
        (pod(requests={GPU: 1}, metadata=SERVED), {"latencyCriticalLabels": []}, None),
        (
            pod(requests={GPU: 1}, metadata={"labels": {"tier": "front"}}),
            {"latencyCriticalLabels": ["tier"]},
            [100, 0],
        ),
        (
            pod(requests={GPU: 1}, spec={"priority": 1000}),
            {"latencyCriticalPriority": 1000},
            [100, 0],
        ),
        (
            pod(requests={GPU: 1}, spec={"priority": 999}),
            {"latencyCriticalPriority": 1000},
            None,
        ),
    ],
)
def test_whom_it_concerns(item: Any, args: dict[str, Any], expected: list[int] | None) -> None:
    assert scores(cluster(a=0, b=7), item, **args) == expected


def test_who_answers_requests_does_not_count_as_training() -> None:
    state = cluster(a=0, b=4)
    both = pod(requests={GPU: 1}, gang="g", metadata=SERVED)
    assert scores(state, both, burstPods=7) == [100, 42]
    assert scores(state, pod(requests={GPU: 1}, gang="g"), burstPods=7) == [100, 100]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"burstPods": 0}, "burstPods: Invalid value: 0: not in valid range [1, 100]"),
        ({"reservePercent": 101}, "reservePercent: Invalid value: 101: not in valid range [1, 10"),
        ({"latencyCriticalLabels": ["a", "/"]}, 'latencyCriticalLabels[1]: Invalid value: "/": '),
        ({"latencyCriticalPriority": 2**31}, "latencyCriticalPriority: Invalid value: expected"),
        ({"burst": 2}, "burst: unknown field"),
    ],
)
def test_arguments(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        inference_headroom.configured(args)
    assert str(caught.value).startswith(text)
