"""Conditions: the transition time moves when the status does, and only then."""

import pytest

from argosy.api.meta import Condition
from argosy.runtime.conditions import with_condition

OLD, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def ready(status: str, message: str = "", since: str | None = OLD) -> Condition:
    return Condition(
        type="Ready", status=status, reason="R", message=message, last_transition_time=since
    )


OTHER = Condition(type="Other", status="True", last_transition_time=OLD)
AFTER = Condition(type="After", status="True", last_transition_time=OLD)

CASES = {
    "first": ((), ready("True", since=None), (ready("True", since=NOW),)),
    "the same again": ((ready("True"),), ready("True", since=None), (ready("True"),)),
    "another message": ((ready("True"),), ready("True", "m", None), (ready("True", "m"),)),
    "flipped": ((ready("True"),), ready("False", since=None), (ready("False", since=NOW),)),
    "the time of the new one does not count": (
        (ready("True"),),
        ready("True", since="2030-01-01T00:00:00Z"),
        (ready("True"),),
    ),
    "others keep their place": (
        (OTHER, ready("True"), AFTER),
        ready("False", since=None),
        (OTHER, ready("False", since=NOW), AFTER),
    ),
    "a new one comes last": (
        (OTHER,),
        ready("True", since=None),
        (OTHER, ready("True", since=NOW)),
    ),
}


@pytest.mark.parametrize(("before", "new", "after"), CASES.values(), ids=CASES.keys())
def test_with_condition(
    before: tuple[Condition, ...], new: Condition, after: tuple[Condition, ...]
) -> None:
    assert with_condition(before, new, NOW) == after
