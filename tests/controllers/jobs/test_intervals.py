"""Sets of indexes: checked against Python's own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.controllers.jobs.intervals import of, parse

SETS = st.sets(st.integers(0, 30), max_size=20)


@settings(max_examples=100)
@given(SETS, SETS, st.integers(0, 35), st.integers(0, 10))
def test_like_sets(one: set[int], other: set[int], below: int, count: int) -> None:
    left, right = of(one), of(other)
    assert len(left) == len(one)
    assert [item for item in range(35) if item in left] == sorted(one)
    assert left | right == of(one | other)
    assert left.shared(right) == len(one & other)
    assert parse(str(left), 31) == left
    assert parse(str(left), below) == of({item for item in one if item < below})
    missing = [item for item in range(below) if item not in one]
    assert left.missing(below, count) == missing[:count]


def test_as_text() -> None:
    assert str(of([])) == ""
    assert str(of([5])) == "5"
    assert str(of([3, 4])) == "3,4"
    assert str(of([0, 1, 2, 7, 9, 10])) == "0-2,7,9,10"


def test_what_cannot_be_read_is_left_out() -> None:
    assert parse("a,1,2-b,4-3,,5", 9) == of([1, 5])
