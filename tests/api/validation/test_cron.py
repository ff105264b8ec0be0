"""Schedules."""

import pytest

from argosy.api.validation.cron import schedule_fault


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "0 0 1 1 0",
        "*/15 0-5/2 ? jan-mar MON,fri",
        "5/10 * * * *",
        "@yearly",
        "@every 1h30m",
        "@every 0.5s",
        "TZ=UTC 0 0 * * *",
    ],
)
def test_what_is_understood(text: str) -> None:
    assert schedule_fault(text) == ""


@pytest.mark.parametrize(
    "text, fault",
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        (
            "@every soon",
            'failed to parse duration @every soon: time: invalid duration "soon"',
        ),
    ],
)
def test_what_is_not(text: str, fault: str) -> None:
    assert schedule_fault(text) == fault
