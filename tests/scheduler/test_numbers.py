"""Label values as numbers."""

import pytest

from argosy.scheduler.numbers import Numbers, number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("", None),
        ("7.5", None),
        ("1_0", None),
        (" 7", None),
        ("٣", None),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("-9223372036854775808", -(2**63)),
        ("0" * 40 + "9", 9),
        ("9" * 100_000, None),
    ],
)
def test_number(text: str, expected: int | None) -> None:
    assert number(text) == expected


def test_values_are_read_as_they_come() -> None:
    numbers, ids = Numbers(), {"a": 1, "5": 2}
    values, there = numbers.by_id(ids)
    assert (values.tolist(), there.tolist()) == ([0, 0, 5], [False, False, True])
    ids["-3"] = 3
    values, there = numbers.by_id(ids)
    assert (values.tolist(), there.tolist()) == ([0, 0, 5, -3], [False, False, True, True])
