"""Which kinds count their changes."""

from typing import Any

import pytest

from argosy.api.generation import COUNTED, first, following
from argosy.api.kinds import PREFERRED

OLD = {"metadata": {"generation": 3, "annotations": {"a": "1"}}, "spec": {"x": 1}, "status": {}}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Event", "Namespace", "Node", "Service"])
def test_most_have_none(kind: str) -> None:
    assert first(kind, own=False) is None
    assert following(kind, {**OLD, "spec": {}}, OLD, own=False) is None


@pytest.mark.parametrize(
    "kind, changed, expected",
    [
        ("Pod", {"spec": {"x": 2}}, 4),
        ("Pod", {"status": {"phase": "Running"}}, 3),
        ("Pod", {"metadata": {"labels": {"a": "b"}}}, 3),
        ("Deployment", {"metadata": {"annotations": {"a": "2"}}}, 4),
        ("Deployment", {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "1"}}}, 3),
        ("EndpointSlice", {"metadata": {"labels": {"a": "b"}}}, 4),
        ("PriorityClass", {"value": 5}, 4),
    ],
)
def test_changes(kind: str, changed: dict[str, Any], expected: int) -> None:
    assert following(kind, {**OLD, **changed}, OLD, own=False) == expected


def test_own_kinds_count() -> None:
    assert first("TrainJob", own=True) == 1
    assert following("TrainJob", {**OLD, "spec": {}}, OLD, own=True) == 4


def test_a_driver_begins_to_count_with_its_first_change() -> None:
    old = {"metadata": {}, "spec": {"a": 1}}
    assert first("CSIDriver", own=False) is None
    assert following("CSIDriver", {"metadata": {}, "spec": {}}, old, own=False) == 1
    assert following("CSIDriver", old, old, own=False) is None


def test_the_kinds_are_there() -> None:
    assert COUNTED.keys() <= PREFERRED.keys()
