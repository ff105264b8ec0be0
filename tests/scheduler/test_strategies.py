"""Worths and means: arrays and single nodes say the same, on any numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.strategies import (
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
    Strategy,
    line_through,
)

STRATEGIES: tuple[Strategy, ...] = (
    LeastAllocated(),
    MostAllocated(),
    RequestedToCapacityRatio(line_through([(0, 0), (30, 90), (70, 20), (100, 50)])),
)
amounts = st.one_of(st.integers(0, 12), st.integers(0, 2**52))
resources = st.tuples(st.integers(1, 100), amounts, amounts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(resources, min_size=3, max_size=3), min_size=1, max_size=4))
def test_one_by_one_and_together(nodes: list[list[tuple[int, int, int]]]) -> None:
    weights = [weight for weight, _, _ in nodes[0]]
    for strategy in STRATEGIES:
        parts = []
        for place, weight in enumerate(weights):
            used = np.array([node[place][1] for node in nodes])
            room = np.array([node[place][2] for node in nodes])
            parts.append((weight, strategy.worths(used, room), room))
        alone = [
            strategy.mean(
                [
                    (weight, strategy.worth(used, room))
                    for weight, (_, used, room) in zip(weights, node, strict=True)
                    if room
                ]
            )
            for node in nodes
        ]
        assert strategy.means(parts).tolist() == alone
        assert all(0 <= score <= 100 for score in alone)


@pytest.mark.parametrize(
    ("points", "percent", "expected"),
    [
        ([(0, 10), (100, 90)], 50, 50),
        ([(0, 10), (100, 90)], 0, 10),
        ([(0, 10), (100, 90)], 100, 90),
        ([(20, 10), (80, 90)], 5, 10),
        ([(20, 10), (80, 90)], 95, 90),
        # Cut towards zero, up and down.
        ([(0, 0), (3, 10)], 1, 3),
        ([(0, 10), (3, 0)], 1, 7),
        ([(50, 40)], 7, 40),
    ],
)
def test_line(points: list[tuple[int, int]], percent: int, expected: int) -> None:
    assert line_through(points)[percent] == expected
