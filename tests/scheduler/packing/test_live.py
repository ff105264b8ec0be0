"""A real cluster as packing sees it: kept rows equal rows made anew; demands read from pods."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.packing.columns import MILLI, Demand
from argosy.scheduler.packing.demands import History, demand_of
from argosy.scheduler.packing.live import Live, ranks
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.worths import Known
from argosy.scheduler.placement import Placement
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State
from tests.scheduler.builders import (
    claim,
    device_class,
    exactly,
    node,
    occupant,
    pod,
    resource_slice,
    shared_gpu,
)
from tests.scheduler.packing.kit import part, whole

MODEL = 'device.attributes["gpu.argosy.dev"].model == "T4"'


def cluster(nodes: int = 3, devices: int = 2) -> State:
    state = State()
    state.devices.put_class(None, device_class())
    for at in range(nodes):
        add_node(state, f"n{at}", devices)
    return state


def add_node(state: State, name: str, devices: int, model: str = "G2") -> None:
    attributes = {"model": {"string": model}}
    offers = [{**shared_gpu(f"gpu-{i}"), "attributes": attributes} for i in range(devices)]
    state.devices.put_slice(None, resource_slice(offers, node=name))
    state.nodes.put_node(node(name, allocatable={"cpu": "8", "nvidia.com/gpu": "2"}))


def asking(state: State, name: str, *compute: int | None, **options: Any) -> Any:
    """A pod with a claim of one request for each."""
    requests = [
        exactly(name=f"r{at}", capacity={"compute": part} if part else None)
        for at, part in enumerate(compute)
    ]
    state.devices.put_claim(None, claim(name, requests))
    return pod(name, claims={"c": name}, requests={"cpu": "1", "memory": "10Mi"}, **options)


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        ((), Demand(1000, 10)),
        ((20,), Demand(1000, 10, 1, 200)),
        ((None,), Demand(1000, 10, 1, MILLI)),
        ((100, 100), Demand(1000, 10, 2, MILLI)),
        ((7, 33), Demand(1000, 10, 2, 330)),
    ],
)
def test_what_a_pod_asks_for(compute: tuple[int, ...], expected: Demand) -> None:
    state = cluster()
    kinds = {"gpu.argosy.dev/G2": state.devices.inventory.on("n0")[0]}
    asked = asking(state, "p", *compute) if compute else pod(requests={"cpu": 1, "memory": "10Mi"})
    assert demand_of(asked, request_of(asked), state.devices, kinds) == expected


def test_a_model_that_is_asked_for_and_gpus_that_are_counted() -> None:
    state = cluster()
    add_node(state, "t4", 1, "T4")
    kinds = {
        "gpu.argosy.dev/G2": state.devices.inventory.on("n0")[0],
        "gpu.argosy.dev/T4": state.devices.inventory.on("t4")[0],
    }
    chosen = [exactly(selectors=[{"cel": {"expression": MODEL}}])]
    state.devices.put_claim(None, claim("c", chosen))
    asked = pod(claims={"c": "c"})
    found = demand_of(asked, request_of(asked), state.devices, kinds)
    assert found == Demand(0, 0, 1, MILLI, frozenset(["gpu.argosy.dev/T4"]))
    counted = pod(requests={"nvidia.com/gpu": 3})
    found = demand_of(counted, request_of(counted), state.devices, kinds)
    assert found == Demand(0, 0, 3, MILLI)


actions = st.one_of(
    st.tuples(st.just("place"), st.integers(0, 4), st.lists(st.sampled_from([20, 60, None]))),
    st.tuples(st.just("counted"), st.integers(0, 4), st.integers(0, 2)),
    st.tuples(st.just("done"), st.integers(0, 4), st.just(0)),
    st.tuples(st.just("node"), st.integers(2, 4), st.integers(0, 3)),
    st.tuples(st.just("gone"), st.integers(1, 4), st.just(0)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(actions, max_size=12))
def test_kept_rows_equal_rows_made_anew(events: list[tuple[str, int, Any]]) -> None:
    state = cluster()
    decider = Decider(state, PLUGINS)
    kept = Live(state, POLICIES["argosy"])
    placed: dict[int, Placement] = {}
    probe = pod("probe", requests={"cpu": "1"})
    for number, event in enumerate(events):
        happen(state, decider, placed, event, number)
        fresh = Live(state, POLICIES["argosy"])
        kept.look(probe, request_of(probe))
        fresh.look(probe, request_of(probe))
        for name in ("cpu", "memory", "gpu", "kind", "devices"):
            mine, other = (getattr(one._columns, name) for one in (kept, fresh))
            assert np.array_equal(mine, other), name


def happen(
    state: State,
    decider: Decider,
    placed: dict[int, Placement],
    event: tuple[str, int, Any],
    number: int,
) -> None:
    match event:
        case ("place", at, compute) if at not in placed and compute:
            asked = asking(state, f"p{number}", *compute[:3])
            decision = decider.decide(Unit(pods=(asked,)))
            placed.update((at, placement) for placement in decision.placements)
        case ("counted", at, gpus):
            state.nodes.put_pod(f"n{at}", occupant(f"o{at}", requests={"nvidia.com/gpu": gpus}))
        case ("done", at, _) if at in placed:
            state.retract(placed.pop(at))
        case ("node", at, devices):
            if f"n{at}" not in state.nodes.row_of and at < 3:
                state.nodes.put_node(node(f"n{at}", allocatable={"cpu": "8"}))
            elif f"n{at}" not in state.nodes.row_of:
                add_node(state, f"n{at}", devices)
        case ("gone", at, _):
            state.nodes.drop_node(f"n{at}")


def test_without_gpus_there_is_nothing_to_say() -> None:
    state = State()
    state.nodes.put_node(node("a"))
    asked = pod()
    assert Live(state, POLICIES["argosy"]).look(asked, request_of(asked)) is None


def test_ranks() -> None:
    known = Known(
        np.ones(5, np.bool_), (np.array([1, 3, 3, 2, 3]), np.array([9, 0, 7, 5, 7])), np.arange(5)
    )
    assert ranks(known, np.arange(5)).tolist() == [3, 1, 0, 2, 0]
    assert ranks(known, np.array([0, 3])).tolist() == [1, 0]


def test_the_latest_pods_are_typical() -> None:
    history = History()
    assert history.typical() == ()
    history.note("a", part(110))
    history.note("a", whole(8))
    assert [one.demand.milli for one in history.typical()] == [110]
    for at in range(100):
        history.note(f"b{at}", whole(2))
    assert [(one.demand.gpus, one.demand.milli) for one in history.typical()] == [(2, MILLI)]
