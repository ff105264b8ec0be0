"""How many pods a rollout may stray, and how a change of scale is shared out."""

import pytest

from argosy.controllers.deployments.amounts import (
    annotated,
    fraction,
    max_surge,
    max_unavailable,
    saturated,
)
from tests.controllers.deployments.kit import DESIRED, MAXIMUM, deployment, replica_set, rolling


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (4, 0, 1, (0, 1)),
        (4, 0, 0, (0, 1)),
        (10, "0%", "0%", (0, 1)),
        (2, "1%", "99%", (1, 1)),
        (3, "0%", "33%", (0, 1)),
        (3, 1, 9, (1, 3)),
        (0, 2, 2, (2, 0)),
        (0, "50%", "50%", (0, 0)),
    ],
)
def test_limits(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    it = deployment(replicas=replicas, strategy=rolling(surge, unavailable))
    assert (max_surge(it), max_unavailable(it)) == expected


def test_a_recreated_one_has_none() -> None:
    it = deployment(replicas=4, strategy={"type": "Recreate"})
    assert (max_surge(it), max_unavailable(it)) == (0, 0)


def test_what_is_no_percentage() -> None:
    with pytest.raises(ValueError, match="not a percentage"):
        max_surge(deployment(strategy=rolling("many", 1)))


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4), ("", None), ("-1", None), ("x", None), ("2147483648", None), ("\u0664", None)],
)
def test_numbers_in_annotations(text: str, number: int | None) -> None:
    assert annotated({MAXIMUM: text}, MAXIMUM) == number
    assert annotated({}, MAXIMUM) is None


@pytest.mark.parametrize(
    ("replicas", "before", "there", "wanted", "expected"),
    [
        (5, "10", 0, 20, 5),
        (5, "10", 0, 0, -5),
        (5, "", 10, 20, 5),
        (5, "0", 10, 20, 5),
        (5, "", 0, 20, 0),
        (3, "10", 0, 5, -1),  # 1.5 is rounded up
        (7, "10", 0, 3, -5),
    ],
)
def test_fractions(replicas: int, before: str, there: int, wanted: int, expected: int) -> None:
    it = deployment(replicas=wanted, strategy=rolling(0, 1), status={"replicas": there})
    assert fraction(replicas, {MAXIMUM: before}, it) == expected


@pytest.mark.parametrize(
    ("replicas", "desired", "available", "expected"),
    [(3, "3", 3, True), (2, "3", 3, False), (3, "2", 3, False), (3, "3", 2, False)],
)
def test_saturated(replicas: int, desired: str, available: int, expected: bool) -> None:
    new = replica_set("new", replicas, available=available, annotations={DESIRED: desired})
    assert saturated(deployment(replicas=3), new) is expected
    assert not saturated(deployment(replicas=3), None)
