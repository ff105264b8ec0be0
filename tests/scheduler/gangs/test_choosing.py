"""Gangs in one domain of a topology label: the best one, or none."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.decide import Decision
from argosy.scheduler.gangs.within import ELSEWHERE
from tests.scheduler.builders import pod
from tests.scheduler.gangs.kit import RACK, Racks, near, racks_of, ranks


@pytest.mark.parametrize(
    ("racks", "count", "least", "where"),
    [
        ({"a": [4, 4], "b": [8]}, 5, 5, {"a", "b"}),
        # Neither alone has room.
        ({"a": [2, 2], "b": [2, 2]}, 5, 5, set()),
        # The fullest that has room for all.
        ({"a": [9, 9], "b": [2, 2], "c": [3, 3]}, 5, 5, {"c"}),
        # Most pods, though fewer would do.
        ({"a": [3], "b": [4], "c": [2]}, 5, 2, {"b"}),
        # A group without a gang stays together all the same.
        ({"a": [1, 1], "b": [1, 1, 1]}, 4, None, {"b"}),
        # Nodes without the label are in no domain.
        ({"": [9, 9], "b": [2]}, 2, 2, {"b"}),
    ],
)
def test_the_domain(
    racks: dict[str, list[int]], count: int, least: int | None, where: set[str]
) -> None:
    decision = Racks(racks).decide(*ranks(count), group=near(least=least))
    assert racks_of(decision) <= where
    assert len(racks_of(decision)) == min(1, len(where))


def refusal(decision: Decision) -> str:
    assert not decision.placements
    (message,) = {item.message for item in decision.refusals}
    return message


@pytest.mark.parametrize(
    ("racks", "message"),
    [
        (
            {"a": [2, 2], "b": [3, 1, 1], "c": [1]},
            f'gang "g": 5 of 6 pods can be placed in the best of 3 domains of "{RACK}": '
            f"0/6 nodes are available: 3 Insufficient cpu, 3 {ELSEWHERE}.",
        ),
        (
            {"a": [2]},
            f'gang "g": 2 of 6 pods can be placed in the only domain of "{RACK}": '
            "0/1 nodes are available: 1 Insufficient cpu.",
        ),
        ({"": [9]}, f'gang "g": no node has the label "{RACK}"'),
        ({}, f'gang "g": no node has the label "{RACK}"'),
    ],
)
def test_what_is_told(racks: dict[str, list[int]], message: str) -> None:
    world = Racks(racks)
    assert refusal(world.decide(*ranks(6), group=near(least=6))) == message
    assert not world.state.nodes.requested.any()


@pytest.mark.parametrize("key", ["", "nobody/has-it"])
def test_a_key_that_no_node_has(key: str) -> None:
    decision = Racks({"a": [9]}).decide(*ranks(2), group=near(key=key))
    assert refusal(decision) == f'gang "g": no node has the label "{key}"'


@pytest.mark.parametrize(
    ("places", "where", "message"),
    [
        (["a-0"], {"a"}, ""),
        (["b-0"], set(), f'gang "g": 3 of 4 pods can be placed in domain "b" of "{RACK}": '),
        (["a-0", "b-0"], set(), f'gang "g": its pods on nodes are not in one domain of "{RACK}": '),
        (["none-0"], set(), f'gang "g": its pods on nodes are in no domain of "{RACK}"'),
        (["gone"], set(), f'gang "g": its pods on nodes are in no domain of "{RACK}"'),
    ],
)
def test_bound_pods_fix_the_domain(places: list[str], where: set[str], message: str) -> None:
    world = Racks({"a": [4, 4], "b": [3], "c": [9]})
    world.put("none-0", 9, {})
    others = [pod(f"old{i}", gang="g", requests={"cpu": 1}) for i in range(len(places))]
    there = tuple(world.bind(one, place) for one, place in zip(others, places, strict=True))
    decision = world.decide(*ranks(3), group=near(least=4), bound=len(there), there=there)
    assert racks_of(decision) == where
    if message:
        assert refusal(decision).startswith(message)


def test_each_node_a_domain_of_its_own() -> None:
    """Thousands of domains, of which the last one alone has room."""
    world = Racks({f"r{i}": [1] for i in range(2000)})
    assert "in the best of 2000 domains" in refusal(world.decide(*ranks(2), group=near()))
    world.put("big-0", 2, {RACK: "big"})
    assert racks_of(world.decide(*ranks(2), group=near())) == {"big"}


def test_what_the_columns_do_not_show_is_found_by_trying() -> None:
    """Pods that keep away from each other: each node has room for all, and may have one."""
    term: dict[str, Any] = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "x"}},
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    world = Racks({})
    for rack, count in (("a", 1), ("b", 2), ("c", 3)):
        for i in range(count):
            name = f"{rack}-{i}"
            world.put(name, 9 - count, {RACK: rack, "kubernetes.io/hostname": name})
    pods = ranks(3, spec={"affinity": apart}, metadata={"labels": {"app": "x"}})
    assert racks_of(world.decide(*pods, group=near(least=3))) == {"c"}


def fits(nodes: list[int], pods: list[int]) -> bool:
    """Whether there is any way to place all of the pods."""
    for places in product(range(len(nodes)), repeat=len(pods)):
        left = list(nodes)
        for place, cpu in zip(places, pods, strict=True):
            left[place] -= cpu
        if min(left) >= 0:
            return True
    return False


racks = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3), min_size=1, max_size=4)


@settings(max_examples=40)
@given(racks, st.integers(1, 3), st.integers(1, 4))
def test_a_domain_that_has_room_is_found(sizes: list[list[int]], cpu: int, count: int) -> None:
    """For pods that are alike: the gang is placed if and only if it fits somewhere at all."""
    world = Racks({f"r{i}": nodes for i, nodes in enumerate(sizes)})
    decision = world.decide(*ranks(count, cpu), group=near(least=count))
    possible = any(fits(nodes, [cpu] * count) for nodes in sizes)
    assert len(decision.placements) == (count if possible else 0)
    assert len(racks_of(decision)) == possible


@settings(max_examples=40)
@given(racks, st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(1, 5))
def test_whole_and_together_or_absent(sizes: list[list[int]], cpus: list[int], least: int) -> None:
    world = Racks({f"r{i}": nodes for i, nodes in enumerate(sizes)})
    pods = [pod(f"g{i}", gang="g", requests={"cpu": cpu}) for i, cpu in enumerate(cpus)]
    decision = world.decide(*pods, group=near(least=least))
    assert not decision.placements or len(decision.placements) >= least
    assert len(racks_of(decision)) <= 1
    nodes = world.state.nodes
    assert (nodes.requested[: nodes.size] <= nodes.allocatable[: nodes.size]).all()
    placed = sum(cpus[int(item.pod.metadata.name[1:])] for item in decision.placements)
    assert nodes.requested[: nodes.size, 0].sum() == placed * 1000


def test_domains_that_there_was_no_time_for_come_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every rack looks the same to the columns; in the last one alone pods may be together."""
    monkeypatch.setattr("argosy.scheduler.gangs.choosing.MOST_PODS", 30)
    term = {"topologyKey": RACK, "labelSelector": {"matchLabels": {"app": "friend"}}}
    close = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    world = Racks({f"r{i}": [9] for i in range(12)})
    world.bind(pod("friend", metadata={"labels": {"app": "friend"}}), "r7-0")
    pods = ranks(2, spec={"affinity": close})
    decisions = [world.decide(*pods, group=near()) for _ in range(6)]
    first, *_ = decisions
    assert first.busy and not first.placements
    assert {frozenset(racks_of(it)) for it in decisions if it.placements} == {frozenset({"r7"})}


def test_a_domain_with_more_pods_takes_the_place_of_one_that_would_do() -> None:
    """Pods that keep away from each other: the smaller rack is tried first, and is left again."""
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "x"}},
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    world = Racks({})
    for name, cpu in (("a-0", 2), ("a-1", 2), ("b-0", 9), ("b-1", 9), ("b-2", 9)):
        world.put(name, cpu, {RACK: name[0], "kubernetes.io/hostname": name})
    pods = ranks(3, spec={"affinity": apart}, metadata={"labels": {"app": "x"}})
    decision = world.decide(*pods, group=near(least=2))
    assert sorted(it.node for it in decision.placements) == ["b-0", "b-1", "b-2"]
    assert world.state.nodes.requested[:5, 0].tolist() == [0, 0, 1000, 1000, 1000]
