"""NodeVolumeLimits: how many volumes of a driver a node can have, and which count."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins.node_volume_limits import TOO_MANY, survey
from argosy.scheduler.state import State
from tests.scheduler.builders import pod
from tests.scheduler.volumes.kit import (
    DRIVER,
    attachment,
    claim,
    csi,
    csi_node,
    host,
    names,
    put,
    state_of,
    storage,
    user,
    volume,
)


def bound(*letters: str) -> list[Any]:
    """Claims with a volume of the driver each."""
    claims = [claim(letter, on=f"v{letter}") for letter in letters]
    volumes = [volume(f"v{letter}", owner=letter, **csi(f"h{letter}")) for letter in letters]
    return [*claims, *volumes]


def fitting(state: State, *claims: str) -> list[str]:
    found = survey(state, user("p", *claims))
    if found is None:
        return names(state, None)
    possible = names(state, found.mask)
    refused = [row for name, row in state.nodes.row_of.items() if name not in possible]
    assert found.explain(np.array(refused, dtype=np.intp)) == {TOO_MANY: len(refused)}
    return possible


@pytest.mark.parametrize(
    ("limits", "claims", "possible"),
    [
        ([], ["a"], ["n1", "n2", "n3"]),
        ([csi_node("n1", 1)], ["a"], ["n1", "n2", "n3"]),
        ([csi_node("n1", 1)], ["a", "b"], ["n2", "n3"]),
        ([csi_node("n1", 0), csi_node("n2", None)], ["a"], ["n2", "n3"]),
        ([csi_node("n1", 0, "else")], ["a"], ["n1", "n2", "n3"]),
        ([csi_node("n1", 1)], ["a", "a"], ["n1", "n2", "n3"]),
    ],
)
def test_the_volumes_of_the_pod(limits: list[Any], claims: list[str], possible: list[str]) -> None:
    assert fitting(state_of(*bound("a", "b"), *limits), *claims) == possible


@pytest.mark.parametrize(
    ("others", "claims", "possible"),
    [
        ([user("o", "a", node="n1")], ["b"], ["n2"]),
        ([user("o", "a", node="n1")], ["a"], ["n1", "n2"]),
        ([user("o", "a", node="n1"), user("q", "a", node="n1")], ["a"], ["n1", "n2"]),
        ([user("o", "a", node="n1"), user("q", "b", node="n2")], ["c"], []),
        ([user("o", "missing", node="n1")], ["a"], ["n1", "n2"]),
        ([attachment("va", "n1")], ["b"], ["n2"]),
        # as upstream: what is attached but unused counts beside the pod's own use of it
        ([attachment("va", "n1")], ["a"], ["n2"]),
        ([attachment("va", "n1"), user("o", "a", node="n1")], ["a"], ["n1", "n2"]),
        ([attachment("gone", "n1")], ["b"], ["n1", "n2"]),
    ],
)
def test_volumes_that_are_there_count_once(
    others: list[Any], claims: list[str], possible: list[str]
) -> None:
    limits = [csi_node("n1", 1), csi_node("n2", 1)]
    nodes = [host("n1"), host("n2")]
    state = state_of(*bound("a", "b", "c"), *limits, *others, nodes=nodes)
    assert fitting(state, *claims) == possible


def test_what_is_attached_and_used_counts_once() -> None:
    state = state_of(*bound("a", "b"), csi_node("n1", 2), nodes=[host("n1")])
    put(state, None, attachment("va", "n1"))
    put(state, None, user("o", "a", node="n1"))
    assert fitting(state, "b") == ["n1"]


@pytest.mark.parametrize(
    ("objects", "possible"),
    [
        ([storage("made", DRIVER), claim("x", storage="made")], ["n2", "n3"]),
        ([storage("made", "else"), claim("x", storage="made")], ["n1", "n2", "n3"]),
        ([claim("x", storage="none")], ["n1", "n2", "n3"]),
        ([storage("made", DRIVER), claim("x", storage="made", on="gone")], ["n2", "n3"]),
        ([claim("x", on="y"), volume("y")], ["n1", "n2", "n3"]),
    ],
)
def test_a_volume_that_is_not_there_yet_is_of_its_classs_driver(
    objects: list[Any], possible: list[str]
) -> None:
    assert fitting(state_of(*objects, csi_node("n1", 0)), "x") == possible


def test_counts_follow_what_changes() -> None:
    state = state_of(*bound("a", "b", "c"), csi_node("n1", 1), nodes=[host("n1"), host("n2")])
    put(state, None, user("o", "a", node="n1"))
    assert fitting(state, "b") == ["n2"]
    state.nodes.drop_pod("uid-o")
    assert fitting(state, "b") == ["n1", "n2"]
    put(state, None, attachment("va", "n1"))
    assert fitting(state, "b") == ["n2"]
    assert put(state, attachment("va", "n1"), None)
    assert fitting(state, "b") == ["n1", "n2"]
    put(state, None, user("q", "late", node="n1"))
    assert fitting(state, "b") == ["n1", "n2"]
    put(state, None, claim("late", on="vc"))
    assert fitting(state, "b") == ["n2"]
    put(state, volume("vc", owner="late", **csi("hc")), volume("vc", owner="late", **csi("hb")))
    put(state, claim("late", on="vc"), claim("late", on="vc", phase="Lost"))
    assert fitting(state, "b") == ["n1", "n2"]  # it is the same volume now
    assert put(state, csi_node("n1", 1), csi_node("n1", 2))
    assert fitting(state, "a") == ["n1", "n2"]
    assert not put(state, csi_node("n1", 2), csi_node("n1", 0))
    assert fitting(state, "a") == ["n2"]


def test_counts_follow_nodes_that_come_and_go() -> None:
    state = state_of(*bound("a", "b"), csi_node("n1", 1), csi_node("n4", 0), nodes=[host("n1")])
    put(state, None, user("o", "a", node="n1"))
    assert fitting(state, "b") == []
    state.nodes.drop_node("n1")
    state.nodes.put_node(host("n4"))
    assert fitting(state, "b") == []
    state.nodes.put_node(host("n1"))
    assert fitting(state, "b") == []
    state.nodes.drop_pod("uid-o")
    assert fitting(state, "b") == ["n1"]


def test_another_picture_of_the_nodes_has_its_own_counts() -> None:
    state = state_of(*bound("a", "b"), csi_node("n1", 1), nodes=[host("n1")])
    put(state, None, user("o", "a", node="n1"))
    limits, empty = state.volumes.limits, Columns()
    empty.put_node(host("n1"))
    assert [limits.taken(DRIVER, nodes).tolist() for nodes in (state.nodes, empty)] == [[1], [0]]


def test_a_claim_that_is_missing_is_named() -> None:
    state = state_of(csi_node("n1", 0))
    found = survey(state, user("p", "x"))
    assert found is not None and names(state, found.mask) == []
    why = 'looking up PVC default/x: persistentvolumeclaim "x" not found'
    assert found.explain(np.arange(3)) == {why: 3}


def test_other_volumes_cost_nothing() -> None:
    state = state_of(csi_node("n1", 0))
    assert survey(state, pod(spec={"volumes": [{"name": "v", "emptyDir": {}}]})) is None
