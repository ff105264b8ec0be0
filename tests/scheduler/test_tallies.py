"""Counts that are kept equal counts made anew, whatever comes and goes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.columns import Columns
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.tallies import Choice, Tally
from argosy.scheduler.terms import rules_of, selected
from tests.scheduler.builders import node, occupant

CHOICES = [
    Choice(frozenset(namespaces), selected(selector), leaving=leaving)
    for namespaces in (["default"], ["other", "default"], [])
    for selector in (
        None,
        {},
        {"matchLabels": {"app": "a"}},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]},
    )
    for leaving in (True, False)
]
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}}
        ]
    }
}
nodes = st.sampled_from(["n1", "n2", "n3"])
pods = st.integers(0, 5)
changes = st.one_of(
    st.tuples(st.just("node"), nodes),
    st.tuples(st.just("gone"), nodes),
    st.tuples(st.just("done"), pods),
    st.tuples(
        st.just("pod"),
        nodes,
        pods,
        st.sampled_from(["default", "other"]),
        st.sampled_from([{}, {"app": "a"}, {"app": "b"}]),
        st.booleans(),
        st.booleans(),
    ),
)


def made(uid: int, namespace: str, labels: dict[str, str], leaving: bool, apart: bool) -> Occupant:
    meta: dict[str, Any] = {"namespace": namespace, "labels": labels}
    if leaving:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ports = [{"containerPort": 80, "hostPort": 8000 + uid % 2}]
    spec = {"containers": [{"name": "c", "ports": ports}], "affinity": APART if apart else None}
    return occupant(f"p{uid}", metadata=meta, spec=spec)


@settings(max_examples=80, deadline=None)
@given(st.lists(changes, max_size=30), st.integers(0, 10))
def test_kept_counts_equal_counts_made_anew(events: list[tuple[Any, ...]], asked: int) -> None:
    columns = Columns()
    placed: dict[str, tuple[str, Occupant]] = {}
    for step, event in enumerate(events):
        match event:
            case ("node", name):
                columns.put_node(node(name))
            case ("gone", name):
                columns.drop_node(name)
            case ("done", uid):
                placed.pop(f"uid-p{uid}", None)
                columns.drop_pod(f"uid-p{uid}")
            case ("pod", name, uid, *rest):
                there = made(uid, *rest)
                placed[there.pod.metadata.uid] = (name, there)
                columns.put_pod(name, there)
        if step >= asked:
            check(columns, list(placed.values()))
    check(columns, list(placed.values()))


def check(columns: Columns, placed: list[tuple[str, Occupant]]) -> None:
    there = [(columns.row_of[name], item) for name, item in placed if name in columns.row_of]
    for choice in CHOICES:
        rows = [row for row, item in there if choice.matches(item.identity)]
        assert counts(columns.tallies.matching(choice), columns) == by_row(rows, columns)
    for room in ("apart", "port"):
        found = {
            key: counts(tally, columns) for key, tally in columns.tallies.carried(room).items()
        }
        marks = {mark.key for _, item in there for mark in item.marks if mark.room == room}
        assert found == {
            key: by_row([row for row, item in there if (room, key) in item.marks], columns)
            for key in marks
        }


def counts(tally: Tally, columns: Columns) -> list[int]:
    assert all(tally.rows.values())
    return list(tally.array(columns.size).tolist())


def by_row(rows: list[int], columns: Columns) -> list[int]:
    return [rows.count(row) for row in range(columns.size)]


def test_a_forgotten_selector_is_counted_anew() -> None:
    columns = Columns()
    columns.put_node(node("n1"))
    columns.put_pod("n1", occupant(metadata={"labels": {"app": "a"}}))
    choices = [
        Choice(frozenset(["default"]), selected({"matchLabels": {"app": "a", "x": str(i)}}))
        for i in range(300)
    ]
    first = Choice(frozenset(["default"]), selected({"matchLabels": {"app": "a"}}))
    assert columns.tallies.matching(first).rows == {0: 1}
    for choice in choices:
        assert columns.tallies.matching(choice).rows == {}
    columns.put_pod("n1", occupant("q", metadata={"labels": {"app": "a"}}))
    assert columns.tallies.matching(first).rows == {0: 2}


def test_terms_are_equal_by_what_they_say() -> None:
    one, other = rules_of("default", APART), rules_of("default", dict(APART))
    assert one == other
    assert hash(one.apart[0]) == hash(other.apart[0])
    assert rules_of("default", APART) != rules_of("elsewhere", APART)
    term = one.apart[0]
    assert term.covers("default", {})
    assert not term.covers("elsewhere", {})


def test_terms_that_nobody_carries_any_more_seek_nobody() -> None:
    columns = Columns()
    columns.put_node(node("n1"))
    columns.put_pod("n1", occupant("p", spec={"affinity": APART}))
    assert len(list(columns.tallies.seeking("default", {"app": "a"}))) == 1
    columns.drop_pod("uid-p")
    assert list(columns.tallies.seeking("default", {"app": "a"})) == []
