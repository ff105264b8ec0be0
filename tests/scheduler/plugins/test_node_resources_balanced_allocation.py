"""Equal shares of resources, against figures worked out by hand."""

from typing import Any

import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins.node_resources_balanced_allocation import Balance, configured
from argosy.scheduler.shape import shape_of
from argosy.scheduler.strategies import Weighed
from tests.scheduler.builders import node, occupant, pod

GPU = "x.io/gpu"
THREE = Balance((Weighed("cpu"), Weighed("memory"), Weighed(GPU)))


def score(balance: Balance, used: dict[str, Any], asked: dict[str, Any], **room: Any) -> int | None:
    nodes = Columns()
    nodes.put_node(node("other", allocatable={"cpu": 0}))
    nodes.put_node(node("n", allocatable=room))
    nodes.put_pod("n", occupant("there", requests=used))
    shape = shape_of(pod(requests=asked))
    nodes.vector(shape.request)
    if not balance.applies(shape):
        return None
    found = balance.score(nodes, shape, nodes.everything)
    rows = [balance.score_row(nodes, shape, row) for row in range(2)]
    assert found.tolist() == rows
    alone = balance.score(nodes, shape, slice(1, 2))
    assert alone.tolist() == rows[1:]
    return rows[1]


@pytest.mark.parametrize(
    ("used", "asked", "expected"),
    [
        # (1/4, 0) before and (1/4, 1/4) after: 87 to 100.
        ({"cpu": "1"}, {"memory": "2Gi"}, 50 + (50 + 100 - 87) // 2),
        ({}, {"cpu": "1"}, 50 + (50 + 87 - 100) // 2),
        ({}, {"cpu": "1", "memory": "2Gi"}, 75),
        # More than there is counts as all of it.
        ({"cpu": "9"}, {"memory": "8Gi"}, 50 + (50 + 100 - 50) // 2),
        # Containers that don't say count as nothing here, and pods that ask for nothing don't.
        ({}, {}, None),
        ({}, {"cpu": "0"}, None),
        ({}, {"ephemeral-storage": "1Gi"}, None),
    ],
)
def test_cpu_and_memory(used: dict[str, Any], asked: dict[str, Any], expected: int | None) -> None:
    assert score(Balance(), used, asked) == expected


@pytest.mark.parametrize(
    ("asked", "room", "expected"),
    [
        # Without the resource in the pod it does not count: two are left.
        ({"cpu": "1"}, {GPU: 4}, 50 + (50 + 87 - 100) // 2),
        # (1/4, 0, 1/2): mean 1/4, deviation sqrt((0 + 1/16 + 1/16) / 3) = 0.204.
        ({"cpu": "1", GPU: 2}, {GPU: 4}, 50 + (50 + 79 - 100) // 2),
        # A node without the resource is judged by the other two, or by the one that is left.
        ({"cpu": "1", GPU: 2}, {}, 50 + (50 + 87 - 100) // 2),
        ({"cpu": "1", GPU: 2}, {"memory": 0}, 75),
        ({"cpu": "1", GPU: 2}, {"memory": 0, "cpu": 0}, 75),
    ],
)
def test_three_resources(asked: dict[str, Any], room: dict[str, Any], expected: int) -> None:
    assert score(THREE, {}, asked, **room) == expected


def test_one_resource_is_always_balanced() -> None:
    assert score(Balance((Weighed("cpu"),)), {"cpu": "3"}, {"cpu": "1"}) == 75


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"resources": [{"name": "cpu", "weight": 2}]},
            "resources[0].weight: Invalid value: 2: mu",
        ),
        (
            {"resources": [{"name": "cpu"}, {"name": "cpu", "weight": 1}]},
            'resources[1].name: Duplicate value: "cpu"',
        ),
        ({"resources": 3}, "resources: Invalid value: expected array, got int"),
        ({"resources": [{"nam": "cpu"}]}, "resources[0].nam: unknown field"),
    ],
)
def test_nonsense_is_refused(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as refused:
        configured(args)
    assert str(refused.value).startswith(text)


def test_configured() -> None:
    plugin = configured({"resources": [{"name": GPU}]})
    assert plugin.applies
    assert plugin.applies(shape_of(pod(requests={GPU: 1})))
    assert not plugin.applies(shape_of(pod(requests={"cpu": 1})))
    by_default = configured({}).applies
    assert by_default
    assert by_default(shape_of(pod(requests={"cpu": 1})))
