"""How many pods of a gang each rack holds, by the columns."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.scheduler.gangs.room import MOST_SHAPES, room
from argosy.scheduler.placing import Placer
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import pod
from tests.scheduler.gangs.kit import RACK, Racks, ranks


def held(world: Racks, pods: list[Pod]) -> tuple[list[float], list[float]]:
    """By rack, the most pods, and how many times over there is room for all."""
    nodes = world.state.nodes
    found = room(
        world.state,
        Placer(world.state, PLUGINS),
        pods,
        topology=nodes.topology(RACK),
        rows=nodes.live[: nodes.size],
        exempt=frozenset(it.metadata.uid for it in pods),
    )
    return found.most[1:].tolist(), found.times[1:].tolist()


def with_port(name: str) -> Pod:
    ports: list[dict[str, Any]] = [{"containerPort": 80, "hostPort": 80}]
    spec = {"containers": [{"name": "c", "image": "i", "ports": ports}]}
    return pod(name, gang="g", spec=spec)


@pytest.mark.parametrize(
    ("pods", "most", "times"),
    [
        (ranks(2, 2), [2, 1], [2, 0.5]),
        (ranks(4, 1), [4, 3], [2, 0.75]),
        (ranks(1, 9), [0, 0], [0, 0]),
        ([*ranks(2, 2), pod("x", requests={"cpu": 3})], [3, 2], [4, 1.5]),
        ([with_port(f"p{i}") for i in range(3)], [2, 1], [2 / 3, 1 / 3]),
        # What nobody can read is told when it is placed.
        ([pod("x", requests={"cpu": "much"})], [1, 1], [0, 0]),
    ],
)
def test_room(pods: list[Pod], most: list[float], times: list[float]) -> None:
    assert held(Racks({"a": [4, 4], "b": [3]}), pods) == (most, times)


def test_room_of_nominated_pods_is_none() -> None:
    world = Racks({"a": [4], "b": [3]})
    nominated = world.state.nodes.nominated
    nominated.put(pod("first", requests={"cpu": 2}, spec={"priority": 9}), "b-0")
    assert held(world, ranks(2, 1)) == ([2, 1], [2, 0.5])
    own = ranks(2, 1)
    nominated.put(own[0], "a-0")
    assert held(world, own) == ([2, 1], [2, 0.5])


def test_of_many_shapes_some_are_taken_to_fit() -> None:
    pods = [pod(f"p{i}", requests={"cpu": f"{100 + i}m"}) for i in range(MOST_SHAPES + 5)]
    most, _ = held(Racks({"a": [0], "b": [64]}), pods)
    assert most == [5, MOST_SHAPES + 5]
