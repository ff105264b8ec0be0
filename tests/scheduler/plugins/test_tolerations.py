"""Which tolerations cover which taints, and what the taint plugin makes of it."""

import msgspec
import numpy as np
import pytest

from argosy.api.core import Taint, Toleration
from argosy.api.tolerations import tolerates
from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins import taint_toleration
from argosy.scheduler.plugins.node_unschedulable import schedulable
from argosy.scheduler.shape import shape_of
from tests.scheduler.builders import node, pod

TAINT = Taint(key="k", value="v", effect="NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "w"}, False),
        ({"key": "x", "value": "v"}, False),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "x", "operator": "Exists"}, False),
        ({"key": "k", "operator": "", "value": "v"}, True),
        ({"key": "k", "operator": "Gt", "value": "v"}, False),
        ({"value": "v"}, False),
    ],
)
def test_tolerates(toleration: dict[str, str], expected: bool) -> None:
    assert tolerates(msgspec.convert(toleration, Toleration), TAINT) is expected


def test_unwanted_taints_lower_the_score_and_forbidding_ones_filter() -> None:
    nodes = Columns()
    effects: tuple[list[str], ...] = (
        [],
        ["PreferNoSchedule"],
        ["PreferNoSchedule"] * 2,
        ["NoExecute"],
    )
    for i, given in enumerate(effects):
        taints = [{"key": f"k{j}", "effect": effect} for j, effect in enumerate(given)]
        nodes.put_node(node(f"n{i}", spec={"taints": taints}))
    plain = shape_of(pod())
    everything = nodes.everything
    assert taint_toleration.tolerated(nodes, plain, everything).tolist() == [True] * 3 + [False]
    assert taint_toleration.unwanted(nodes, plain, everything).tolist() == [0, 1, 2, 0]
    tolerant = shape_of(pod(spec={"tolerations": [{"key": "k0", "operator": "Exists"}]}))
    assert taint_toleration.unwanted(nodes, tolerant, everything).tolist() == [0, 0, 1, 0]
    assert taint_toleration.tolerated(nodes, tolerant, everything).all()


def test_cordoned_nodes_are_for_those_who_tolerate_it() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_node(node("b", spec={"unschedulable": True}))
    rows = np.array([0, 1])
    assert schedulable(nodes, shape_of(pod()), rows).tolist() == [True, False]
    every = shape_of(pod(spec={"tolerations": [{"operator": "Exists"}]}))
    assert schedulable(nodes, every, rows).tolist() == [True, True]
