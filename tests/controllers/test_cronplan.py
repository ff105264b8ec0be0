"""What was missed, and what of it is made up for."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from argosy.controllers.cronplan import PADDING, Due, due, pause
from argosy.controllers.schedules import parse
from argosy.testing.clock import EPOCH

ZONE = ZoneInfo("UTC")


def at(hours: float) -> datetime:
    return EPOCH + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "now", "moment", "missed"),
    [
        ("0 * * * *", 0.5, None, 0),
        ("0 * * * *", 1, 1, 0),
        ("0 * * * *", 1.5, 1, 0),
        ("0 * * * *", 7.5, 7, 7),
        ("0 * * * *", 200.5, 200, 200),
        ("@every 90m", 10, 9, 6),
        ("30 6-16/4 * * *", 14.7, 14.5, 3),
        ("30 6-16/4 * * *", 20, None, 4),  # as upstream: its estimate goes too far
    ],
)
def test_the_last_time_that_was_due(
    text: str, now: float, moment: float | None, missed: int
) -> None:
    found = due(EPOCH, at(now), parse(text, ZONE))
    assert found == Due(EPOCH, None if moment is None else at(moment), missed)


def test_a_schedule_that_never_is() -> None:
    with pytest.raises(ValueError, match="less than 1 second"):
        due(EPOCH, at(1), parse("0 0 31 2 *", ZONE))


@pytest.mark.parametrize(("now", "wait"), [(0.25, 0.75), (1, 1), (9.5, 0.5)])
def test_when_to_look_again(now: float, wait: float) -> None:
    found = pause(EPOCH, at(now), parse("0 * * * *", ZONE))
    assert found == pytest.approx(wait * 3600 + PADDING)
