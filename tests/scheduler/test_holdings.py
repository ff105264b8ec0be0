"""What pods hold, slot by slot; nominations, which are held apart; budgets."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.columns import Columns
from argosy.scheduler.holdings import UNTOUCHABLE
from tests.scheduler.builders import node, occupant, pod
from tests.scheduler.preemption.kit import ranked


def ranked_occupant(name: str, priority: int, **options: Any) -> Any:
    return occupant(name, spec={"priority": priority}, **options)


def held(nodes: Columns, priority: int) -> dict[str, int]:
    """What pods below a priority hold of processors, by node."""
    slots = nodes.holdings.below(priority)
    cpu = nodes.resources["cpu"]
    found: dict[str, int] = {}
    for slot in slots:
        name = nodes.names[int(nodes.holdings.rows[slot])]
        found[name] = found.get(name, 0) + int(nodes.holdings.amounts[cpu, slot])
    return found


def test_pods_below_a_priority_hold_so_much() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_node(node("b"))
    for i in range(100):  # more than there are slots to begin with
        name = "a" if i % 2 else "b"
        nodes.put_pod(name, ranked_occupant(f"p{i}", i % 3, requests={"cpu": "1m"}))
    assert nodes.holdings.lowest == 0
    assert held(nodes, 0) == {}
    assert held(nodes, 1) == {"a": 17, "b": 17}
    assert held(nodes, 9) == {"a": 50, "b": 50}
    for i in range(0, 100, 3):
        nodes.drop_pod(f"uid-p{i}")
    assert nodes.holdings.lowest == 1
    assert sum(held(nodes, 9).values()) == 66


def test_pods_of_a_node_that_is_gone_hold_nothing() -> None:
    nodes = Columns()
    nodes.put_pod("a", ranked_occupant("p", 1, requests={"cpu": 1}))
    assert nodes.holdings.lowest == UNTOUCHABLE
    nodes.put_node(node("a"))
    assert held(nodes, 2) == {"a": 1000}
    nodes.drop_node("a")
    assert held(nodes, 2) == {}
    nodes.drop_pod("uid-p")
    nodes.put_node(node("a"))
    assert held(nodes, 2) == {}


def test_a_resource_that_comes_later_has_its_place() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_pod("a", ranked_occupant("p", 1, requests={"cpu": 1}))
    nodes.nominated.put(ranked("n", 1), "a")
    nodes.put_pod("a", ranked_occupant("q", 1, requests={"x.io/y": 2}))
    column = nodes.resources["x.io/y"]
    assert int(nodes.holdings.amounts[column].sum()) == 2
    assert nodes.nominated.waiting.amounts.shape[0] == column + 1


def test_when_a_pod_started_is_known_though_nothing_else_is_new() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_pod("a", occupant("p"))
    assert np.isinf(nodes.holdings.started[0])
    nodes.put_pod("a", occupant("p", status={"startTime": "1970-01-01T00:01:00Z"}))
    assert nodes.holdings.started[0] == 60
    (only,) = nodes.pods_on("a")
    assert only.pod.status.start_time
    nodes.put_pod("a", occupant("p", status={"startTime": "long ago"}))
    assert np.isinf(nodes.holdings.started[0])


def claimed(nodes: Columns, priority: int, *exempt: str) -> int:
    """What nominated pods of at least this priority claim of processors."""
    found = nodes.nominated.claims(priority, exempt)
    return 0 if found is None else int(found.amounts[nodes.resources["cpu"]].sum())


def test_a_nominated_pod_counts_until_it_is_placed() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    pod = ranked("p", 5, 2)
    nodes.nominated.put(pod, "a")
    assert [claimed(nodes, priority) for priority in (4, 5, 6)] == [2000, 2000, 0]
    assert claimed(nodes, 5, "uid-p") == 0
    nodes.put_pod("a", occupant("p", requests={"cpu": 2}))
    assert claimed(nodes, 5) == 0
    nodes.drop_pod("uid-p")  # the binding failed
    assert claimed(nodes, 5) == 2000
    nodes.nominated.drop("uid-p")
    assert claimed(nodes, 5) == 0
    assert not nodes.nominated


def test_a_nomination_outlives_its_node() -> None:
    nodes = Columns()
    nodes.nominated.put(ranked("p", 5, 2), "a")
    assert claimed(nodes, 5) == 0
    nodes.put_node(node("a"))
    assert claimed(nodes, 5) == 2000
    nodes.drop_node("a")
    assert claimed(nodes, 5) == 0
    nodes.put_node(node("b"))  # takes the row
    assert claimed(nodes, 5) == 0
    nodes.put_node(node("a"))
    assert claimed(nodes, 5) == 2000


def nominated(name: str, **more: Any) -> Any:
    return ranked("p", 5, 2, status={"nominatedNodeName": name}, **more)


@pytest.mark.parametrize(
    ("old", "new", "node_name"),
    [
        (None, nominated("a"), "a"),
        (nominated("a"), nominated("b"), "b"),
        (nominated("a"), nominated(""), ""),
        (nominated("a"), nominated("a"), "decided"),
        (nominated(""), nominated("", metadata={"labels": {"x": "y"}}), "decided"),
        (nominated("a"), None, ""),
        (nominated("a"), nominated("a", node="n9"), ""),
        (
            nominated("a"),
            nominated("a", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
            "",
        ),
    ],
)
def test_nominations_follow_the_api(old: Any, new: Any, node_name: str) -> None:
    nodes = Columns()
    if old is not None:
        nodes.nominated.put(old, "decided")
    nodes.nominated.follow(old, new)
    assert nodes.nominated.node_of("uid-p") == node_name


turns = st.one_of(
    st.tuples(st.just("nominate"), st.integers(0, 8), st.integers(0, 90), st.integers(0, 3)),
    st.tuples(st.just("drop"), st.integers(0, 8)),
    st.tuples(st.just("place"), st.integers(0, 8)),
    st.tuples(st.just("fail"), st.integers(0, 8)),
    st.tuples(st.just("gone"), st.integers(0, 90)),
    st.tuples(st.just("ask"), st.integers(0, 4), st.integers(0, 8)),
)


@settings(max_examples=30, deadline=None)
@given(story=st.lists(turns, max_size=30))
def test_claims_are_what_the_nominated_pods_of_a_row_ask_for(story: list[tuple[Any, ...]]) -> None:
    nodes = Columns()
    for i in range(91):
        nodes.put_node(node(f"n{i}"))
    for what, *of in [("ask", 0, 8), *story, ("ask", 0, 8), ("ask", 2, 0)]:
        if what == "nominate":
            name, where, level = of
            wants = {"cpu": name, "example.com/gpu": 1} if name > 6 else {"cpu": name}
            view = pod(f"p{name}", requests=wants, spec={"priority": level})
            nodes.nominated.put(view, f"n{where}")
        elif what == "drop":
            nodes.nominated.drop(f"uid-p{of[0]}")
        elif what == "place":
            nodes.put_pod("n0", occupant(f"p{of[0]}"))
        elif what == "fail":
            nodes.drop_pod(f"uid-p{of[0]}")
        elif what == "gone":
            nodes.drop_node(f"n{of[0]}")
        else:
            priority, exempt = of[0], f"uid-p{of[1]}"
            assert summed(nodes, priority, exempt) == plainly(nodes, priority, exempt)


def summed(nodes: Columns, priority: int, exempt: str) -> dict[int, list[int]]:
    found = nodes.nominated.claims(priority, (exempt,))
    if found is None:
        return {}
    return dict(zip(found.rows.tolist(), found.amounts.T.tolist(), strict=True))


def plainly(nodes: Columns, priority: int, exempt: str) -> dict[int, list[int]]:
    """The same from the pods one by one."""
    found: dict[int, Any] = {}
    for name, row in nodes.row_of.items():
        for item in nodes.nominated.before(name, priority, (exempt,)):
            found[row] = found.get(row, 0) + nodes.vector(item.request)
    return {row: amounts.tolist() for row, amounts in found.items()}
