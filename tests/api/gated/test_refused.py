"""Values that a closed gate refuses."""

import pytest

from argosy.api.gated.refused import refused
from argosy.api.gates import Gates

KIND = "HorizontalPodAutoscaler"
WRONG = "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"


@pytest.mark.parametrize(
    "gates, least, before, expected",
    [
        (Gates("1.36"), 0, None, [WRONG]),
        (Gates("1.36"), 1, None, []),
        (Gates("1.36"), None, None, []),
        (Gates("1.36"), 0, 0, []),
        (Gates("1.36"), 0, 1, [WRONG]),
        (Gates("1.36", {"HPAScaleToZero": True}), 0, None, []),
        (Gates("1.37"), 0, None, []),
        (Gates("1.37", {"HPAScaleToZero": False}), 0, None, [WRONG]),
    ],
)
def test_no_autoscaler_to_zero(
    gates: Gates, least: int | None, before: int | None, expected: list[str]
) -> None:
    new = {"spec": {} if least is None else {"minReplicas": least}}
    old = None if before is None else {"spec": {"minReplicas": before}}
    assert [str(error) for error in refused(KIND, gates, new, old)] == expected


def test_other_kinds_have_none() -> None:
    assert refused("Pod", Gates("1.36"), {"spec": {"minReplicas": 0}}, None) == []
