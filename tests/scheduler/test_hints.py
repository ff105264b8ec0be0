"""Which changes of pods wake whom."""

from typing import Any

import pytest

from argosy.scheduler.hints import heeds_others, relabelled, stirs
from tests.scheduler.builders import pod

CONSTRAINT = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, False),
        ({"topologySpreadConstraints": [CONSTRAINT]}, True),
        ({"affinity": {"podAffinity": {"x": []}}}, True),
        ({"affinity": {"podAntiAffinity": {"x": []}}}, False),
        ({"affinity": {"nodeAffinity": {"x": []}}}, False),
    ],
)
def test_who_heeds_others(spec: dict[str, Any], expected: bool) -> None:
    assert heeds_others(pod(spec=spec)) is expected


def test_landing_and_leaving_stir() -> None:
    waiting, there = pod(), pod(node="n1")
    leaving = pod(node="n1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert stirs(None, there)
    assert stirs(waiting, there)
    assert stirs(there, leaving)
    assert not stirs(None, waiting)
    assert not stirs(there, there)
    assert not stirs(leaving, leaving)


def test_other_labels_on_a_node() -> None:
    there, other = pod(node="n1"), pod(node="n1", metadata={"labels": {"a": "b"}})
    assert relabelled(there, other)
    assert not relabelled(there, there)
    assert not relabelled(None, there)
    assert not relabelled(pod(), other)
