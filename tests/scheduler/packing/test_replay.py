"""Replays: nothing is given twice, what fits is placed, and the outcome is what is left."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.packing.columns import MILLI, Demand, GpuNode
from argosy.scheduler.packing.fragments import Fragments
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.replay import Replay, outcome
from argosy.scheduler.packing.traces import arrivals, typical
from tests.scheduler.packing.kit import node, part, some_nodes, some_pods, whole

EVERY = [*POLICIES, "random"]


def replay(nodes: list[GpuNode], pods: list[Demand], policy: str, seed: int = 1) -> Replay:
    return Replay(nodes, typical(pods), POLICIES.get(policy), Random(seed))


@pytest.mark.parametrize("policy", EVERY)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_nothing_is_given_twice_and_what_fits_is_placed(policy: str, seed: int) -> None:
    random = Random(seed)
    nodes, pods = some_nodes(random, 6), some_pods(random, 60)
    it = replay(nodes, pods, policy)
    ordered = sorted(nodes, key=lambda one: one.name)
    cpu = {one.name: one.cpu for one in nodes}
    used = 0
    for demand in pods:
        free = [list(gpus) for gpus in it.columns.gpu]
        could = [
            row
            for row, one in enumerate(ordered)
            if cpu[one.name] >= demand.cpu
            and (not demand.models or not demand.gpus or one.model in demand.models)
            and sum(milli >= demand.milli for milli in free[row]) >= demand.gpus
        ]
        row = it.place(demand)
        assert (row in could) if could else row == -1
        if row >= 0:
            cpu[ordered[row].name] -= demand.cpu
            used += demand.total
    assert (it.columns.gpu >= 0).all() and (it.columns.cpu >= 0).all()
    assert it.columns.used == used


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_neither_names_nor_order_decide(seed: int) -> None:
    """Of `argosy`: the same nodes under other names, in another order, come to the same."""
    random = Random(seed)
    nodes, pods = some_nodes(random, 8), some_pods(random, 120)
    names = [one.name for one in nodes]
    random.shuffle(names)
    others = [replace(one, name=name) for one, name in zip(nodes, names, strict=True)]
    random.shuffle(others)
    first, second = replay(nodes, pods, "argosy"), replay(others, pods, "argosy")
    for demand in pods:
        assert (first.place(demand) >= 0) == (second.place(demand) >= 0)
        assert states(first) == states(second)


def states(it: Replay) -> list[tuple[int, ...]]:
    """All nodes as they are, in no order."""
    columns = it.columns
    return sorted(
        (int(columns.kind[row]), int(columns.cpu[row]), *sorted(map(int, columns.gpu[row])))
        for row in range(len(columns.names))
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_remembered_is_as_good_as_looking_anew(policy: str) -> None:
    random = Random(7)
    nodes, pods = some_nodes(random, 8), some_pods(random, 150)
    it = replay(nodes, pods, policy)
    for demand in pods:
        fresh = replay(nodes, pods, policy)
        for name in ("cpu", "memory", "gpu"):
            setattr(fresh.columns, name, getattr(it.columns, name).copy())
        assert it.place(demand) == fresh.place(demand)


def test_a_share_fills_the_device_that_is_open() -> None:
    pods = [part(470)] * 10
    for policy in ("bestfit", "dotprod"):
        it = replay([node("a", gpus=2)], pods, policy)
        it.place(pods[0])
        it.place(pods[0])
        assert sorted(it.columns.gpu[0]) == [60, MILLI], policy


def test_argosy_leaves_a_rare_model_to_those_who_need_it() -> None:
    nodes = [node("a", model="T4"), node("b", model="G2")]
    pods = [whole(1, 1_000, "T4")] * 8 + [whole(1, 1_000)] * 8
    it = replay(nodes, pods, "argosy")
    assert [it.place(demand) for demand in reversed(pods)] == [1] * 8 + [0] * 8
    other = replay(nodes, pods, "bestfit")
    assert -1 in [other.place(demand) for demand in reversed(pods)]


def test_argosy_puts_pods_that_need_many_processors_where_there_are_some() -> None:
    nodes = [node("a", cpu=200_000, gpus=3), node("b", cpu=39_000, gpus=3)]
    heavy, light = whole(1, 40_000), whole(1, 12_000)
    pods = [light] * 3 + [heavy] * 3
    it = replay(nodes, pods, "argosy")
    assert [it.place(demand) for demand in pods] == [1] * 3 + [0] * 3


def test_the_outcome_counts_what_nobody_has() -> None:
    nodes, pods = [node("a", gpus=2)], [whole(1)]
    assert outcome(nodes, pods, POLICIES["fgd"], 1) == {100: 0.0, 130: 0.0}
    found = outcome(nodes, [part(600)], None, 1)
    assert found[130] == pytest.approx(40)


def test_arrivals_ask_for_less_than_the_load_and_as_much_as_fits_into_it() -> None:
    random = Random(3)
    pods = some_pods(random, 50)
    for capacity in (4_000, 20_000, 200_000):
        found = arrivals(pods, capacity, Random(5))
        asked = sum(demand.total for demand in found)
        assert asked <= 1.3 * capacity + 8 * MILLI
        assert asked >= 1.3 * capacity - 8 * MILLI
        assert found == arrivals(pods, capacity, Random(5))
        assert found != arrivals(pods, capacity, Random(6))


def test_decisions_are_whole_numbers() -> None:
    """Sums of floats would depend on the order of rows."""
    random = Random(1)
    nodes, pods = some_nodes(random, 5), some_pods(random, 30)
    it = replay(nodes, pods, "argosy")
    rows = np.arange(5)
    fragments = Fragments(it.columns, typical(pods))
    worth, _ = POLICIES["argosy"](it.columns, fragments, part(110, 1_000), rows)
    assert all(one.dtype == np.int64 for one in worth)
