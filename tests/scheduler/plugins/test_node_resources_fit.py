"""Room on nodes and its scores, against figures worked out by hand."""

from typing import Any

import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins.node_resources_fit import explain, fits, least_allocated
from argosy.scheduler.shape import request_of, shape_of
from tests.scheduler.builders import node, occupant, pod


def columns(used: dict[str, Any], **allocatable: Any) -> Columns:
    nodes = Columns()
    nodes.put_node(node("n1", allocatable=allocatable))
    nodes.put_pod("n1", occupant(requests=used))
    return nodes


@pytest.mark.parametrize(
    ("used", "asked", "short"),
    [
        ({}, {"cpu": "4", "memory": "8Gi"}, []),
        ({"cpu": "1m"}, {"cpu": "4"}, ["Insufficient cpu"]),
        ({"memory": "8Gi"}, {"memory": 1}, ["Insufficient memory"]),
        ({}, {"ephemeral-storage": "1Gi"}, ["Insufficient ephemeral-storage"]),
        ({}, {"nvidia.com/gpu": 1}, ["Insufficient nvidia.com/gpu"]),
        # What isn't asked for is never short.
        ({"cpu": "9"}, {"memory": "1Gi"}, []),
        ({"cpu": "9"}, {"cpu": "0"}, []),
        ({"cpu": "9"}, {"cpu": 1, "memory": "9Gi"}, ["Insufficient cpu", "Insufficient memory"]),
        ({"cpu": "1e30"}, {"cpu": "1m"}, ["Insufficient cpu"]),
    ],
)
def test_fits(used: dict[str, Any], asked: dict[str, Any], short: list[str]) -> None:
    nodes = columns(used)
    shape = shape_of(pod(requests=asked))
    assert fits(nodes, shape, nodes.everything).tolist() == [not short]
    assert explain(nodes, shape, nodes.everything) == dict.fromkeys(short, 1)


@pytest.mark.parametrize(
    ("used", "asked", "score"),
    [
        ({"cpu": "1", "memory": "2Gi"}, {"cpu": "1", "memory": "2Gi"}, 50),
        ({"cpu": "1", "memory": "2Gi"}, {"cpu": "3", "memory": "6Gi"}, 0),
        # Pods that ask for nothing count as 100m and 200Mi: (3.8/4 + (8192-400)/8192) / 2.
        ({}, {}, 95),
        ({"cpu": "9", "memory": "2Gi"}, {"cpu": "0", "memory": "2Gi"}, 25),
    ],
)
def test_least_allocated(used: dict[str, Any], asked: dict[str, Any], score: int) -> None:
    nodes = columns(used)
    shape = shape_of(pod(requests=asked))
    assert least_allocated(nodes, shape, nodes.everything).tolist() == [score]


def test_a_node_without_anything_scores_nothing() -> None:
    nodes = columns({}, cpu="-3", memory="nonsense")
    assert least_allocated(nodes, shape_of(pod()), nodes.everything).tolist() == [0]


def test_a_request_is_the_containers_and_the_overhead() -> None:
    containers = [
        {"name": "a", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": 2, "memory": 9}}},
        {"name": "b", "resources": {"requests": {"cpu": "500m"}}},
    ]
    item = pod(spec={"containers": containers, "overhead": {"cpu": "250m"}})
    assert dict(request_of(item).amounts) == {"cpu": 1750, "memory": 9, "pods": 1}
