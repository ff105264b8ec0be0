"""Selectors of nodes over columns say what they say of nodes one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.labelselector import LabelSelector
from argosy.api.nodeaffinity import REQUIRED, matches
from argosy.api.storage import StorageClass
from argosy.scheduler.columns import Columns
from argosy.scheduler.volumes.reach import (
    Places,
    allowed,
    labels_match,
    near,
    reachable,
    rules_for,
)
from tests.scheduler.builders import node
from tests.scheduler.volumes.kit import decoded, storage, volume

KEYS, VALUES = ("zone", "disk", "size"), ("a", "b", "3", "10")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
some = st.lists(st.sampled_from((*VALUES, "none")), min_size=1, max_size=3)
key = st.sampled_from((*KEYS, "lacking"))
lines = st.one_of(
    st.builds(
        lambda k, o, v: {"key": k, "operator": o, "values": v},
        key,
        st.sampled_from(("In", "NotIn")),
        some,
    ),
    st.builds(
        lambda k, o: {"key": k, "operator": o}, key, st.sampled_from(("Exists", "DoesNotExist"))
    ),
)
numbers = st.builds(
    lambda k, o, v: {"key": k, "operator": o, "values": [v]},
    key,
    st.sampled_from(("Gt", "Lt")),
    st.sampled_from(("2", "3", "11")),
)
names = st.builds(
    lambda o, v: {"key": "metadata.name", "operator": o, "values": [v]},
    st.sampled_from(("In", "NotIn")),
    st.sampled_from(("n0", "n2", "gone")),
)
terms = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.lists(st.one_of(lines, numbers), max_size=2),
        "matchFields": st.lists(names, max_size=1),
    },
)


def columns(all_labels: list[dict[str, str]]) -> Columns:
    found = Columns()
    found.put_node(node("gone", labels={"zone": "a", "size": "3"}))
    for i, own in enumerate(all_labels):
        found.put_node(node(f"n{i}", labels=own))
    found.drop_node("gone")
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(labels, min_size=1, max_size=5), st.lists(terms, max_size=3))
def test_node_affinity_is_that_of_pods(
    all_labels: list[dict[str, str]], chosen: list[dict[str, Any]]
) -> None:
    selector = {"nodeSelectorTerms": chosen}
    asked = {"affinity": {"nodeAffinity": {REQUIRED: selector}}}
    nodes, rules = columns(all_labels), rules_for(volume(nodeAffinity={"required": selector}))
    expected = {
        nodes.row_of[f"n{i}"] for i, own in enumerate(all_labels) if matches(asked, f"n{i}", own)
    }
    live = set(nodes.row_of.values())
    assert set(np.flatnonzero(reachable(nodes, rules)).tolist()) & live == expected
    assert set(Places(nodes).rows(rules).tolist()) & live == expected
    assert {row for row in live if near(nodes, rules, row)} == expected


def test_a_volume_without_affinity_can_be_had_anywhere() -> None:
    nodes = columns([{}, {}])
    for free in (volume(), volume(nodeAffinity={})):
        rules = rules_for(free)
        assert reachable(nodes, rules).all() and near(nodes, rules, 0)
        assert Places(nodes).rows(rules).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [True, True, True]),
        ([[("zone", "a")]], [True, False, False]),
        ([[("zone", "a", "b")]], [True, True, False]),
        ([[("zone", "a"), ("disk", "b")]], [False, False, False]),
        ([[("zone", "a")], [("zone", "b")]], [True, True, False]),
        ([[]], [False, False, False]),
        ([[], [("zone", "b")]], [False, True, False]),
        ([[("zone",)]], [False, False, False]),
    ],
)
def test_topologies_of_a_class(lines: list[list[tuple[str, ...]]], expected: list[bool]) -> None:
    written = [
        {"matchLabelExpressions": [{"key": key, "values": values} for key, *values in term]}
        for term in lines
    ]
    made: StorageClass = storage(allowedTopologies=written)
    nodes = Columns()
    for i, own in enumerate([{"zone": "a"}, {"zone": "b"}, {}]):
        nodes.put_node(node(f"n{i}", labels=own))
    assert allowed(nodes, made.allowed_topologies).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(labels, min_size=1, max_size=4), labels, st.lists(lines, max_size=2))
def test_label_selectors(
    all_labels: list[dict[str, str]], equal: dict[str, str], chosen: list[dict[str, Any]]
) -> None:
    nodes = Columns()
    for i, own in enumerate(all_labels):
        nodes.put_node(node(f"n{i}", labels=own))
    selector = decoded_selector({"matchLabels": equal, "matchExpressions": chosen}).parsed
    expected = [selector.matches(own) for own in all_labels]
    assert labels_match(nodes, selector).tolist() == expected


def decoded_selector(body: dict[str, Any]) -> LabelSelector:
    return decoded(body, LabelSelector)
