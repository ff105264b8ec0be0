"""Results are remembered by content, for small values, and not for ever."""

from typing import Any

import pytest

from argosy.base.memo import IN_ALL, remembered


class Counted:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __call__(self, value: Any) -> int:
        self.asked.append(value)
        return len(self.asked)


def test_equal_values_are_asked_once() -> None:
    counted = Counted()
    known = remembered(counted)
    assert [known({"a": [1]}), known({"a": [1]}), known({"a": [2]})] == [1, 1, 2]


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (1, "1"), ({}, []), (None, "")])
def test_values_that_only_python_takes_for_equal_are_not(one: Any, other: Any) -> None:
    counted = Counted()
    known = remembered(counted)
    assert known([one]) != known([other])


def test_the_oldest_are_forgotten() -> None:
    counted = Counted()
    known = remembered(counted, most=2)
    for value in (1, 2, 3, 3, 2, 1):
        known(value)
    assert counted.asked == [1, 2, 3, 1]


def test_no_more_than_so_many_bytes_are_kept() -> None:
    counted = Counted()
    known = remembered(counted, longest=IN_ALL)
    half = "x" * (IN_ALL // 2 - 2)  # and two quotes
    for value in (half, half[1:], half, half[2:], half[1:], half):
        known(value)
    assert counted.asked == [half, half[1:], half[2:], half]


def test_long_values_are_not_kept() -> None:
    counted = Counted()
    known = remembered(counted, longest=8)
    assert [known("x" * 9), known("x" * 9)] == [1, 2]


def test_an_exception_is_no_result() -> None:
    counted = Counted()

    def failing(value: Any) -> int:
        counted(value)
        raise ValueError(value)

    known = remembered(failing)
    for _ in range(2):
        with pytest.raises(ValueError):
            known("a")
    assert len(counted.asked) == 2


def test_what_is_too_deep_to_encode_reaches_the_function() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert remembered(lambda value: len(value))(deep) == 1
