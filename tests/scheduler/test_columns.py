"""Columns and rankings: what is kept row by row equals what is built anew."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node
from argosy.scheduler.columns import ChangeLog, Columns
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.plugins.taint_toleration import tolerated
from argosy.scheduler.ranking import Ranking, Rankings
from argosy.scheduler.shape import BASE, LARGEST, request_of, shape_of
from tests.scheduler.builders import node, occupant, pod


def test_pods_count_before_their_node_is_known_and_after_it_came_back() -> None:
    nodes = Columns()
    nodes.put_pod("n1", occupant(requests={"cpu": "1", "x.io/y": 2}))
    nodes.put_node(node("n1", allocatable={"x.io/y": 3}))
    column = nodes.resources["x.io/y"]
    assert (nodes.requested[0, 0], nodes.requested[0, column]) == (1000, 2)
    assert nodes.allocatable[0, column] == 3
    nodes.drop_node("n1")
    nodes.put_node(node("other"))
    assert nodes.requested[0, 0] == 0
    nodes.put_node(node("n1"))
    assert nodes.requested[nodes.row_of["n1"], 0] == 1000


def test_a_resource_gets_its_column_when_a_pod_asks_for_it() -> None:
    nodes = Columns()
    nodes.put_node(node("n1", allocatable={"x.io/y": 3}))
    assert "x.io/y" not in nodes.resources
    vector = nodes.vector(request_of(pod(requests={"x.io/y": 1})))
    column = nodes.resources["x.io/y"]
    assert vector[column] == 1
    assert nodes.allocatable[0, column] == 3


def test_what_no_node_offers_has_no_column_until_one_does() -> None:
    nodes = Columns()
    nodes.put_node(node("n1"))
    width = len(nodes.resources)
    wanted = request_of(pod(requests={f"x.io/r{number}": number + 1 for number in range(1000)}))
    assert nodes.vector(wanted)[nodes.column("x.io/r0")] == 1000
    assert nodes.allocatable.shape[1] == len(nodes.resources) == width
    assert not nodes.allocatable[:, nodes.column("x.io/r0")].any()
    nodes.put_node(node("n1", allocatable={"x.io/r7": 9}))
    vector = nodes.vector(wanted)
    column = nodes.resources["x.io/r7"]
    assert (vector[column], nodes.allocatable[0, column]) == (8, 9)
    assert len(nodes.resources) == width + 1
    nodes.drop_node("n1")
    assert nodes.column("x.io/r8") == nodes.column("x.io/r9") != column


def test_pods_on_a_node_count_for_what_it_offers_only_later() -> None:
    nodes = Columns()
    nodes.put_node(node("n1"))
    nodes.put_pod("n1", occupant(requests={"x.io/y": 2}))
    nodes.put_node(node("n1", allocatable={"x.io/y": 3}))
    column = nodes.resources["x.io/y"]
    assert (nodes.requested[0, column], nodes.allocatable[0, column]) == (2, 3)
    nodes.drop_pod("uid-p")
    assert nodes.requested[0, column] == 0


def test_a_pod_moves_and_goes() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_node(node("b"))
    nodes.put_pod("a", occupant(requests={"cpu": "1"}))
    nodes.put_pod("b", occupant(requests={"cpu": "1"}))
    assert nodes.requested[:2, 0].tolist() == [0, 1000]
    assert nodes.drop_pod("uid-p")
    assert not nodes.drop_pod("uid-p")
    assert not nodes.requested.any()


def test_a_heartbeat_is_no_change() -> None:
    nodes = Columns()
    assert nodes.put_node(node("a"))
    assert not nodes.put_node(node("a"))
    assert nodes.put_node(node("a", labels={"x": "y"}))
    assert nodes.put_node(node("a", spec={"unschedulable": True}))


def test_nonsense_capacities_count_as_nothing_or_as_the_most() -> None:
    nodes = Columns()
    strange: dict[str, Any] = {"cpu": "-4", "memory": "1e300", "pods": "many"}
    nodes.put_node(node("a", allocatable=strange))
    assert nodes.allocatable[0, : len(BASE)].tolist() == [0, LARGEST, 0, 0]


def test_taints_that_come_and_go_are_not_kept_for_ever() -> None:
    nodes, shape = Columns(), shape_of(pod())
    nodes.put_node(node("b", spec={"taints": [{"key": "k", "effect": "NoExecute"}]}))
    for i in range(1000):
        taint = {"key": "k", "value": f"v{i}", "effect": "NoSchedule" if i % 2 else "Other"}
        nodes.put_node(node("a", spec={"taints": [taint]}))
    assert len(nodes.taint_sets) < 200
    assert tolerated(nodes, shape, nodes.everything).tolist() == [False, False]
    nodes.put_node(node("a"))
    assert tolerated(nodes, shape, nodes.everything).tolist() == [False, True]


def test_many_nodes() -> None:
    nodes = Columns()
    for i in range(300):
        nodes.put_node(node(f"n{i}", labels={"i": str(i)}))
    assert nodes.labelled("i", "299", nodes.everything).nonzero()[0].tolist() == [299]
    nodes.put_node(node("late", labels={"i": "299"}))
    assert nodes.labelled("i", "299", nodes.everything).sum() == 2
    nodes.put_node(node("late"))
    assert nodes.labelled("i", "299", nodes.everything).sum() == 1
    assert nodes.count == 301


def test_a_log_forgets_what_is_long_ago() -> None:
    changes = ChangeLog()
    for row in range(5000):
        changes.add(row % 7)
    recent = changes.since(changes.position - 3)
    assert recent is not None
    assert sorted(recent) == [0, 1, 6] == sorted((4997 + i) % 7 for i in range(3))
    assert changes.since(0) is None


WISH = {
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 2, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
        {
            "weight": 3,
            "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
        },
    ]
}
PORT = {"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}]}]}
CROWDED = Plugin(
    name="Crowded",
    score=lambda nodes, shape, rows: nodes.requested[:, BASE.index("pods")][rows],
    normalize="down",
    usage=True,
)
SHAPES = [
    shape_of(pod(requests={"cpu": "1"})),
    shape_of(pod(requests={"x.io/y": "1"}, spec={"nodeSelector": {"a": "b"}})),
    shape_of(pod(spec={"tolerations": [{"operator": "Exists"}]})),
    shape_of(pod(requests={"cpu": "1"}, spec={"affinity": {"nodeAffinity": WISH}})),
    shape_of(pod(requests={"cpu": "1"}, spec=PORT)),
]
taints = st.sampled_from(
    [[], [{"key": "k", "effect": "NoSchedule"}], [{"key": "k", "effect": "PreferNoSchedule"}]]
)
names = st.sampled_from("abcde")
changes = st.one_of(
    st.tuples(
        st.just("node"),
        st.builds(
            lambda name, cpu, taints, cordoned, labels: node(
                name,
                allocatable={"cpu": cpu, "x.io/y": cpu},
                spec={"taints": taints, "unschedulable": cordoned},
                labels=labels,
            ),
            names,
            st.integers(0, 4),
            taints,
            st.booleans(),
            st.sampled_from([{}, {"a": "b"}, {"a": "c"}]),
        ),
    ),
    st.tuples(st.just("gone"), names),
    st.tuples(st.just("pod"), names, st.integers(0, 5), st.integers(0, 3)),
    st.tuples(st.just("done"), st.integers(0, 5)),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(changes, max_size=25))
def test_a_kept_ranking_equals_a_fresh_one(events: list[tuple[Any, ...]]) -> None:
    nodes = Columns()
    kept = {plugins: Rankings(nodes, plugins) for plugins in (PLUGINS, (*PLUGINS, CROWDED))}
    for event in events:
        happen(nodes, event)
        for shape, (plugins, rankings) in product(SHAPES, kept.items()):
            fresh = Ranking(nodes, plugins, shape)
            known = rankings.of(shape)
            assert known.best() == fresh.best()
            assert list(known.ordered()) == list(fresh.ordered())
            odd = np.arange(1, nodes.size, 2)
            assert list(known.ordered(odd)) == [row for row in fresh.ordered() if row % 2]
            assert known.explain() == fresh.explain()
            assert known.mendable().tolist() == fresh.mendable().tolist()


def test_many_changes_at_once_and_few() -> None:
    nodes = Columns()
    for i in range(40):
        nodes.put_node(node(f"n{i}", labels={"a": "b"} if i % 3 else {}))
    kept = Rankings(nodes, PLUGINS)
    for step in range(12):
        for i in range(0, 40, 1 + step):
            nodes.put_pod(f"n{i}", occupant(f"u{step}-{i}", requests={"cpu": step % 3}))
        for shape in SHAPES:
            known, fresh = kept.of(shape), Ranking(nodes, PLUGINS, shape)
            assert known.best() == fresh.best()
            assert list(known.ordered()) == list(fresh.ordered())
            assert known.explain() == fresh.explain()


def happen(nodes: Columns, event: tuple[Any, ...]) -> None:
    match event:
        case ("node", Node() as item):
            nodes.put_node(item)
        case ("gone", str(name)):
            nodes.drop_node(name)
        case ("pod", str(name), int(uid), int(cpu)):
            asked = {"cpu": cpu, "x.io/y": cpu}
            spec = PORT if uid == 0 else None
            nodes.put_pod(name, occupant(f"u{uid}", requests=asked, spec=spec))
        case ("done", int(uid)):
            nodes.drop_pod(f"uid-u{uid}")
