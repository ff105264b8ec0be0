"""The arguments of DefaultPreemption."""

from typing import Any

import pytest

from argosy.scheduler.framework import PreemptionTerms
from argosy.scheduler.plugins.default_preemption import configured


@pytest.mark.parametrize(
    ("args", "nodes", "number"),
    [
        ({}, 50, 100),
        ({}, 5000, 500),
        ({"minCandidateNodesPercentage": 50}, 5000, 2500),
        ({"minCandidateNodesAbsolute": 7, "minCandidateNodesPercentage": 0}, 5000, 7),
        ({"minCandidateNodesAbsolute": 0}, 50, 5),
        ({"minCandidateNodesAbsolute": 0}, 5, 1),
        ({"minCandidateNodesAbsolute": None}, 50, 100),
    ],
)
def test_so_many_nodes_are_compared(args: dict[str, Any], nodes: int, number: int) -> None:
    terms = configured(args).preemption
    assert isinstance(terms, PreemptionTerms)
    assert terms.number(nodes) == number


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"minCandidateNodesPercentage": 101},
            "minCandidateNodesPercentage: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            {"minCandidateNodesPercentage": -1},
            "minCandidateNodesPercentage: Invalid value: -1: not in valid range [0, 100]",
        ),
        (
            {"minCandidateNodesAbsolute": -1},
            "minCandidateNodesAbsolute: Invalid value: -1: not in valid range [0, inf)",
        ),
        (
            {"minCandidateNodesAbsolute": 0, "minCandidateNodesPercentage": 0},
            "minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as "
            "minCandidateNodesAbsolute",
        ),
        (
            {"minCandidateNodesAbsolute": "many"},
            "minCandidateNodesAbsolute: Invalid value: 'many': must be a whole number",
        ),
        (
            {"minCandidateNodesAbsolute": True},
            "minCandidateNodesAbsolute: Invalid value: True: must be a whole number",
        ),
    ],
)
def test_what_is_refused(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        configured(args)
    assert str(caught.value) == text
