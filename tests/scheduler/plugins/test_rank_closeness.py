"""Ranks gather where the labels say that nodes are close, and start where all of them fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from argosy.scheduler.plugins import rank_closeness
from argosy.scheduler.state import State
from tests.scheduler.builders import group, node, occupant, pod

ZONE, RACK, HOST = "zone", "rack", "host"
Place = tuple[str, str, int]
"""A node's zone and rack ("" for none) and its processors."""


def cluster(places: Mapping[str, Place], *, least: int = 0) -> State:
    state = State()
    for name, (zone, rack, cpu) in places.items():
        told = {ZONE: zone, RACK: rack, HOST: name}
        labels = {key: value for key, value in told.items() if value}
        state.nodes.put_node(node(name, labels=labels, allocatable={"cpu": cpu}))
    if least:
        state.put_group(None, group("g", least))
    return state


def rank(name: str = "p", gang: str = "g", **options: Any) -> Any:
    return pod(name, gang=gang, requests={"cpu": 1}, **options)


def put(state: State, *names: str, gang: str = "g") -> None:
    for number, name in enumerate(names):
        uid = f"{gang}-{number}"
        state.nodes.put_pod(name, occupant(uid, gang=gang, requests={"cpu": 1}))


def scores(
    state: State,
    item: Any,
    keys: Sequence[str] = (ZONE, RACK, HOST),
    but: Sequence[str] = (),
) -> list[int] | None:
    """By row; the rows of `but` are not feasible."""
    survey = rank_closeness.configured({"topologyKeys": keys}).survey
    assert survey
    found = survey(state, item)
    if found is None:
        return None
    assert found.mask is None
    feasible = state.nodes.live[: state.nodes.size].copy()
    feasible[[state.nodes.row_of[name] for name in but]] = False
    given = found.score(feasible)
    return None if given is None else given.tolist()


RACKS: Mapping[str, Place] = {
    "a1": ("x", "a", 4),
    "a2": ("x", "a", 4),
    "b1": ("x", "b", 4),
    "c1": ("y", "c", 4),
}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        # With the other one (1, and again as both are all) at so many levels, else alone (1/2).
        (["a1"], [100, 450 // 6, 300 // 6, 150 // 6]),
        (["c1"], [25, 25, 25, 100]),
        # Parts of four: 3 + 3 + 2 at best, 3 + 1 + 1 in the zone of two, 2 + 2 + 2 with the third.
        (["a1", "a2", "c1"], [100, 100, 500 // 8, 600 // 8]),
        # Two on one node: 3 + 3 + 3, 3 + 3 + 1, 3 + 1 + 1, 2 + 2 + 2.
        (["a1", "a1", "c1"], [100, 700 // 9, 500 // 9, 600 // 9]),
    ],
)
def test_the_nearer_to_its_team_the_better(there: list[str], expected: list[int]) -> None:
    state = cluster(RACKS)
    put(state, *there)
    assert scores(state, rank()) == expected


def test_who_is_no_rank_does_not_care() -> None:
    state = cluster(RACKS)
    put(state, "a1")
    assert scores(state, pod()) is None
    assert scores(cluster({"n": ("", "", 4)}), rank(), keys=["none"]) is None


def test_nodes_that_are_all_alike_are_not_told_apart() -> None:
    state = cluster({"a1": ("x", "a", 4), "b1": ("x", "b", 4)}, least=2)
    assert scores(state, rank()) is None
    assert scores(state, rank(), but=["a1", "b1"]) is None


def test_other_teams_do_not_count() -> None:
    state = cluster(RACKS)
    put(state, "c1", gang="other")
    put(state, "a1")
    found = scores(state, rank())
    assert found is not None and found.index(100) == 0 and found[3] == min(found)


WIDE: Mapping[str, Place] = {
    "a1": ("x", "a", 3),
    "b1": ("x", "b", 2),
    "b2": ("x", "b", 2),
    "c1": ("y", "c", 1),
    "c2": ("y", "c", 1),
}


@pytest.mark.parametrize(
    ("least", "best"),
    [
        (1, None),  # it needs nobody near
        (2, ["a1", "b1", "b2"]),
        (3, ["a1"]),
        (4, ["b1", "b2"]),  # rather all in a rack than three on one node
        (0, ["a1"]),  # how many they are is not told: the node for most, in the widest zone
    ],
)
def test_the_first_one_goes_where_the_team_fits(least: int, best: list[str] | None) -> None:
    state = cluster(WIDE, least=least)
    found = scores(state, rank())
    if best is None:
        assert found is None
        return
    assert found is not None
    assert [name for name, score in zip(WIDE, found, strict=True) if score == 100] == best


def test_room_that_the_pod_cannot_have_does_not_count() -> None:
    state = cluster(WIDE, least=4)
    found = scores(state, rank(), but=["b2"])
    assert found is not None and found[0] == 100
    assert found[2] == 0


def test_the_rest_counts_where_the_others_have_no_room_left() -> None:
    """One is in a full rack: three more are better off together elsewhere than torn."""
    state = cluster({"a1": ("x", "a", 1), "a2": ("x", "a", 1), "b1": ("x", "b", 3)}, least=4)
    put(state, "a1")
    found = scores(state, rank(), but=["a1"])
    assert found is not None and found[1] < found[2] == 100


def test_a_rack_is_one_of_its_zone() -> None:
    """Two racks of one name, each in its zone, are two."""
    places = {"a": ("x", "r", 4), "b": ("x", "s", 4), "c": ("y", "r", 4), "d": ("y", "r", 4)}
    state = cluster(places)
    put(state, "c")
    assert scores(state, rank(), keys=[ZONE, RACK]) == [25, 25, 100, 100]


def test_a_node_without_labels_is_nobodys_neighbour() -> None:
    state = cluster({"a": ("", "", 4), "b": ("", "", 4), "c": ("y", "c", 4)})
    put(state, "a")
    assert scores(state, rank(), keys=[ZONE, RACK]) is None
    put(state, "a", "c")
    assert scores(state, rank(), keys=[ZONE, RACK]) == [50, 50, 100]


def test_it_follows_nodes_that_change() -> None:
    state = cluster(RACKS)
    put(state, "a1")
    survey = rank_closeness.configured({"topologyKeys": [RACK]}).survey
    assert survey

    def told() -> list[int]:
        found = survey(state, rank())
        given = found.score(state.nodes.live[: state.nodes.size]) if found else None
        return [] if given is None else given.tolist()

    assert told() == [100, 100, 25, 25]
    state.nodes.put_node(node("c1", labels={RACK: "a"}))
    assert told() == [100, 100, 25, 100]
    state.nodes.drop_node("a2")
    state.nodes.put_node(node("new", labels={RACK: "b"}))
    assert told() == [100, 25, 25, 100]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"topologyKeys": []}, "topologyKeys: Required value: at least one label must be named"),
        ({"topologyKeys": ["a", "b", "a"]}, 'topologyKeys[2]: Duplicate value: "a"'),
        ({"topologyKeys": ["a", "b c"]}, 'topologyKeys[1]: Invalid value: "b c": name part'),
        ({"topologyKeys": [f"k{i}" for i in range(17)]}, "topologyKeys: Too many: 17: must have"),
        ({"topologyKeys": "zone"}, "topologyKeys: Invalid value: expected array, got str"),
        ({"keys": ["a"]}, "keys: unknown field"),
    ],
)
def test_arguments(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        rank_closeness.configured(args)
    assert str(caught.value).startswith(text)
