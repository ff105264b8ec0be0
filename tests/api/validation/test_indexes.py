"""Lists of indexes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.validation.indexes import index_count, overlap


@pytest.mark.parametrize("text, count", [("", 0), ("0", 1), ("0-2,4", 4), ("1,3-5,7", 5)])
def test_counts(text: str, count: int) -> None:
    assert index_count(text, 8) == count


@pytest.mark.parametrize(
    "text, fault",
    [
        ("8", 'too large index: "8"'),
        ("a", 'cannot convert string to integer for index: "a"'),
        ("1-2-3", "at most two parts separated by '-'"),
        ("3-3", "non-increasing order, previous: 3, current: 3"),
        ("1,1", "non-increasing order, previous: 1, current: 1"),
        ("1,", 'cannot convert string to integer for index: ""'),
    ],
)
def test_faults(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="^.*" + fault.replace("-", "-")):
        index_count(text, 8)


def written(indexes: set[int]) -> str:
    """The list as intervals."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


SETS = st.sets(st.integers(0, 30))


@given(SETS, SETS)
def test_overlaps_are_those_of_the_sets(one: set[int], other: set[int]) -> None:
    assert index_count(written(one), 31) == len(one)
    assert overlap(written(one), written(other), 31) == min(one & other, default=None)
