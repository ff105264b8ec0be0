"""How many rankings are kept: so many shapes, and fewer where there are many nodes."""

import pytest

from argosy.scheduler import ranking
from argosy.scheduler.columns import Columns
from argosy.scheduler.ranking import Rankings
from argosy.scheduler.shape import Shape, shape_of
from tests.scheduler.builders import node, pod


def shapes(number: int) -> list[Shape]:
    return [shape_of(pod(requests={"cpu": f"{n + 1}m"})) for n in range(number)]


@pytest.mark.parametrize(
    ("nodes", "most_rows", "kept"),
    [
        (1, 2**21, 1024),
        (5, 100, 20),
        (50, 100, 16),  # of a few shapes each, however many nodes there are
        (0, 100, 100),
    ],
)
def test_the_oldest_makes_room(
    nodes: int, most_rows: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "_MOST_ROWS", most_rows)
    columns = Columns()
    for number in range(nodes):
        columns.put_node(node(f"n{number}"))
    rankings = Rankings(columns, ())
    first, *others = shapes(kept + 1)
    known = rankings.of(first)
    for shape in others[:-1]:
        rankings.of(shape)
    assert rankings.of(first) is known
    for shape in others:
        rankings.of(shape)
    assert rankings.of(first) is not known
