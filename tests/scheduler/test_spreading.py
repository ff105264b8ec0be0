"""Constraints as JSON; whatever is none ends in a ValueError."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.spreading import constraints_of
from tests.scheduler.test_terms import json

STATED = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def test_what_is_left_out_has_its_default() -> None:
    (found,) = constraints_of([STATED])
    assert (found.key, found.skew, found.hard, found.least) == ("zone", 2, True, 1)
    assert found.of_affinity and not found.of_taints
    assert found.pods.selector is None


def test_all_that_may_be_said() -> None:
    (found,) = constraints_of(
        [
            {
                **STATED,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": "a"}},
                "minDomains": 3,
                "nodeAffinityPolicy": "Ignore",
                "nodeTaintsPolicy": "Honor",
                "matchLabelKeys": ["rev", "x"],
            }
        ]
    )
    assert (found.hard, found.least, found.of_affinity, found.of_taints) == (False, 3, False, True)
    chosen = found.selecting({"rev": "2", "app": "b"})
    assert chosen.matches({"app": "a", "rev": "2"})
    assert not chosen.matches({"app": "a", "rev": "3"})
    assert not chosen.matches({"rev": "2"})
    assert found.selecting({}) == found.pods
    assert chosen != found.selecting({"rev": "3"})


@pytest.mark.parametrize(
    "broken",
    [
        {**STATED, "maxSkew": None},
        {**STATED, "maxSkew": -1},
        {**STATED, "maxSkew": 2**40},
        {**STATED, "minDomains": 0},
        {**STATED, "topologyKey": None},
        {**STATED, "nodeTaintsPolicy": "honor"},
        {**STATED, "matchLabelKeys": "rev"},
        {**STATED, "labelSelector": {"matchLabels": ["a"]}},
        {"maxSkew": 1},
        {},
    ],
)
def test_broken_ones_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="topologySpreadConstraints|label selector"):
        constraints_of([broken])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*STATED, "labelSelector"]), json), max_size=2))
def test_any_json_gives_constraints_or_a_value_error(stated: list[dict[str, Any]]) -> None:
    try:
        assert len(constraints_of(stated)) == len(stated)
    except ValueError:
        pass
