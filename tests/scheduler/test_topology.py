"""Domains of a label, and counts summed over them."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.columns import Columns
from argosy.scheduler.tallies import Tally
from argosy.scheduler.topology import Sums
from tests.scheduler.builders import node

changes = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["", "a", "b", "c", "gone"])), max_size=15
)


@settings(max_examples=60, deadline=None)
@given(changes, st.lists(st.integers(0, 3), min_size=6, max_size=6), st.booleans())
def test_sums_by_domain_whatever_came_before(
    events: list[tuple[int, str]], numbers: list[int], each: bool
) -> None:
    columns, zones = Columns(), dict[str, str]()
    for i, zone in events:
        name = f"n{i}"
        if zone == "gone":
            zones.pop(name, None)
            columns.drop_node(name)
        else:
            zones[name] = zone
            columns.put_node(node(name, labels={"zone": zone} if zone else {}))
        if each:
            columns.topology("zone")
    counts = np.zeros(columns.size, dtype=np.int32)
    for name, row in columns.row_of.items():
        counts[row] = numbers[int(name[1:])]
    place = columns.topology("zone")
    totals: Counter[str] = Counter()
    for name, zone in zones.items():
        totals[zone] += numbers[int(name[1:])]
    rows = columns.row_of
    labelled = {name for name, zone in zones.items() if zone}
    assert {name for name in zones if place.labelled[rows[name]]} == labelled
    assert int(place.labelled.sum()) == place.size == len(labelled)
    assert place.count == len({zone for zone in zones.values() if zone})
    assert place.single == (place.count == len(labelled))
    found = place.by_row(counts)
    for name, zone in zones.items():
        assert found[rows[name]] == (totals[zone] if zone else 0)
    present = place.present(counts > 0)[1:]
    having = {zone for name, zone in zones.items() if zone and numbers[int(name[1:])]}
    assert int(present.sum()) == len(having)


def test_many_rows_and_few_are_summed_alike() -> None:
    columns = Columns()
    for i in range(200):
        columns.put_node(node(f"n{i}", labels={"zone": f"z{i % 3}"} if i else {}))
    tallies = []
    for count in (3, 100, 150):
        tallies.append(Tally())
        for row in range(count):
            tallies[-1].add(row, row + 1)
    sums, expected = Sums(columns.topology("zone")), Counter[int]()
    for tally, weight in zip(tallies, (100, -7, 1), strict=True):
        sums.add(tally, weight)
        for row, number in tally.rows.items():
            expected[row % 3] += weight * number if row else 0
    found = sums.by_row()
    assert found[0] == 0
    assert [int(found[row]) for row in (3, 1, 2)] == [expected[i] for i in range(3)]
    assert not Sums(columns.topology("zone")).by_row().any()


def test_labels_that_nobody_asks_for_any_more_are_forgotten() -> None:
    columns = Columns()
    columns.put_node(node("n", labels={"zone": "a"}))
    first = columns.topology("zone")
    assert columns.topology("zone") is first
    for i in range(3000):
        assert columns.topology(f"k{i}").size == 0
    columns.put_node(node("n", labels={"zone": "a"}, spec={"unschedulable": True}))
    assert columns.topology("zone").size == 1
    assert len(columns._labels) <= 1024


def test_a_node_that_is_gone_is_in_no_domain() -> None:
    columns = Columns()
    columns.put_node(node("n1", labels={"zone": "a"}))
    columns.put_node(node("n2", labels={"zone": "b"}))
    assert columns.topology("zone").count == 2
    columns.drop_node("n1")
    assert columns.topology("zone").count == columns.topology("zone").size == 1
    assert not columns.topology("zone").labelled[0]
