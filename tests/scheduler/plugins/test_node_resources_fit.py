"""Room on nodes and its scores, against figures worked out by hand."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.node_resources_fit import PLUGIN, Fit, configured
from argosy.scheduler.shape import shape_of
from tests.scheduler.builders import node, occupant, pod

FIT = Fit()
GPU = "x.io/gpu"


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
        # What nodes don't count can't be short.
        ({}, {"storage": "1Gi", "requests.cpu": 9}, []),
        ({}, {"hugepages-2Mi": "2Mi"}, ["Insufficient hugepages-2Mi"]),
    ],
)
def test_fits(used: dict[str, Any], asked: dict[str, Any], short: list[str]) -> None:
    nodes = columns(used)
    shape = shape_of(pod(requests=asked))
    assert FIT.fits(nodes, shape, nodes.everything).tolist() == [not short]
    assert FIT.fits_row(nodes, shape, 0) is (not short)
    assert FIT.explain(nodes, shape, nodes.everything) == dict.fromkeys(short, 1)


def test_a_node_has_room_for_so_many_pods() -> None:
    nodes = columns({}, pods="1")
    assert FIT.explain(nodes, shape_of(pod()), nodes.everything) == {"Too many pods": 1}


@pytest.mark.parametrize(
    ("args", "fits"),
    [
        ({}, False),
        ({"ignoredResources": [GPU]}, True),
        ({"ignoredResources": ["x.io/other"]}, False),
        ({"ignoredResourceGroups": ["x.io"]}, True),
        ({"ignoredResourceGroups": ["y.io"]}, False),
    ],
)
def test_what_is_ignored(args: dict[str, Any], fits: bool) -> None:
    nodes, shape = columns({}), shape_of(pod(requests={GPU: 1}))
    plugin = configured(args)
    assert plugin.filter and plugin.filter_row and plugin.explain
    assert plugin.filter(nodes, shape, nodes.everything).tolist() == [fits]
    assert plugin.filter_row(nodes, shape, 0) is fits
    assert plugin.explain(nodes, shape, nodes.everything) == (
        {} if fits else {f"Insufficient {GPU}": 1}
    )


def test_only_extended_resources_are_ignored() -> None:
    nodes, shape = columns({}), shape_of(pod(requests={"cpu": 9}))
    ignoring = configured({"ignoredResources": ["cpu"], "ignoredResourceGroups": ["cpu"]})
    assert ignoring.filter
    assert ignoring.filter(nodes, shape, nodes.everything).tolist() == [False]


def scored(plugin: Plugin, nodes: Columns, asked: dict[str, Any]) -> int:
    shape = shape_of(pod("asking", requests=asked))
    nodes.vector(shape.request)
    assert plugin.score and plugin.score_row
    found = plugin.score(nodes, shape, nodes.everything).tolist()
    assert found == [plugin.score_row(nodes, shape, row) for row in range(nodes.size)]
    assert found == plugin.score(nodes, shape, np.arange(nodes.size)).tolist()
    last: int = found[-1]
    return last


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
    assert scored(PLUGIN, columns(used), asked) == score


def test_a_node_without_anything_scores_nothing() -> None:
    assert scored(PLUGIN, columns({}, cpu="-3", memory="nonsense"), {}) == 0


def strategy(kind: str, *resources: tuple[str, int], **more: Any) -> dict[str, Any]:
    listed = [{"name": name, "weight": weight} for name, weight in resources]
    return {"scoringStrategy": {"type": kind, "resources": listed, **more}}


def ratio(*points: tuple[int, int]) -> dict[str, Any]:
    shape = [{"utilization": used, "score": score} for used, score in points]
    return {"requestedToCapacityRatio": {"shape": shape}}


PACKED = ratio((0, 0), (100, 10))


@pytest.mark.parametrize(
    ("args", "asked", "score"),
    [
        (strategy("LeastAllocated", ("cpu", 3), ("memory", 1)), {"cpu": 1, "memory": "4Gi"}, 50),
        (strategy("MostAllocated"), {"cpu": 1, "memory": "4Gi"}, 50),
        (strategy("MostAllocated", ("cpu", 3), ("memory", 1)), {"cpu": 1, "memory": "4Gi"}, 50),
        (strategy("MostAllocated", ("cpu", 0)), {"cpu": 3}, 100),
        (strategy("MostAllocated", ("cpu", 1)), {"cpu": 9}, 100),
        # A resource counts only for pods that ask for it, and on nodes that have it.
        (strategy("MostAllocated", ("cpu", 1), (GPU, 3)), {"cpu": 1}, 50),
        (strategy("MostAllocated", ("cpu", 1), (GPU, 3)), {"cpu": 1, GPU: 4}, 87),
        (strategy("MostAllocated", ("x.io/none", 1)), {"x.io/none": 4}, 0),
        (strategy("MostAllocated", ("cpu", 1), ("x.io/none", 9)), {"cpu": 1, "x.io/none": 4}, 50),
        (strategy("MostAllocated", ("pods", 1)), {}, 0),
        (strategy("RequestedToCapacityRatio", ("cpu", 1), **PACKED), {"cpu": 1}, 50),
        (strategy("RequestedToCapacityRatio", **ratio((0, 10), (100, 0))), {"cpu": 1}, 74),
        # What is worth nothing does not count, and the mean is rounded: (2 * 50 + 75) / 3.
        (
            strategy("RequestedToCapacityRatio", ("cpu", 2), (GPU, 1), ("memory", 5), **PACKED),
            {"cpu": 1, GPU: 3, "memory": 0},
            58,
        ),
        (strategy("RequestedToCapacityRatio", ("cpu", 1), **ratio((60, 7), (80, 2))), {}, 70),
        (strategy("RequestedToCapacityRatio", ("cpu", 1), **ratio((10, 7), (20, 2))), {}, 20),
    ],
)
def test_strategies(args: dict[str, Any], asked: dict[str, Any], score: int) -> None:
    nodes = columns({"cpu": "1", "memory": 0}, **{GPU: 4})
    assert scored(configured(args), nodes, asked) == score


def test_a_pod_that_asks_as_a_whole_is_scored_by_its_containers() -> None:
    """As kube-scheduler does; on its node it counts as a whole."""
    whole = pod(spec={"resources": {"requests": {"cpu": "2", "memory": "4Gi"}}})
    nodes, shape = columns({"cpu": 0, "memory": 0}), shape_of(whole)
    assert FIT.score(nodes, shape, nodes.everything).tolist() == [97]
    assert dict(shape.request.amounts) == {"cpu": 2000, "memory": 4 * 2**30, "pods": 1}
    assert shape.request.scored == (2000, 4 * 2**30)


TYPE = "scoringStrategy.type"
RATIO = "scoringStrategy.requestedToCapacityRatio"
TO_RATIO = "RequestedToCapacityRatio"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"scoringStrategy": {"type": "Best"}},
            f'{TYPE}: Unsupported value: "Best": supported values: "LeastAllocated", ',
        ),
        ({"scoringStrategy": {}}, f'{TYPE}: Unsupported value: ""'),
        ({"scoringStrategy": {"typo": 1}}, "scoringStrategy.typo: unknown field"),
        (
            strategy("LeastAllocated", ("cpu", 101)),
            "scoringStrategy.resources[0].weight: Invalid value: 101: "
            "resource weight of cpu not in valid range (0, 100]",
        ),
        (
            strategy("LeastAllocated", ("cpu", -1)),
            "scoringStrategy.resources[0].weight: Invalid value: -1",
        ),
        (strategy(TO_RATIO), f"{RATIO}: Required value: must be specified when type is"),
        (strategy("MostAllocated", **PACKED), f"{RATIO}: Forbidden: must be nil when type is not"),
        (strategy(TO_RATIO, **ratio()), f"{RATIO}.shape: Required value: at least one point must"),
        (
            strategy(TO_RATIO, **ratio((5, 1), (5, 2))),
            f"{RATIO}.shape[1].utilization: Invalid value: 5: values must be sorted in increasing",
        ),
        (
            strategy(TO_RATIO, **ratio((0, 1), (101, 2))),
            f"{RATIO}.shape[1].utilization: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            strategy(TO_RATIO, **ratio((0, 11))),
            f"{RATIO}.shape[0].score: Invalid value: 11: not in valid range [0, 10]",
        ),
        ({"ignoredResources": ["a b"]}, 'ignoredResources[0]: Invalid value: "a b"'),
        (
            {"ignoredResourceGroups": ["x.io/y"]},
            'ignoredResourceGroups[0]: Invalid value: "x.io/y": resource group name can\'t contain',
        ),
        ({"ignoredResources": "x"}, "ignoredResources: Invalid value: expected array, got str"),
    ],
)
def test_nonsense_is_refused(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as refused:
        configured(args)
    assert str(refused.value).startswith(text)
