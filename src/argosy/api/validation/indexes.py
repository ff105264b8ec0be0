"""Lists of indexes as indexed jobs write them: `1,3-5,7`."""

import re
from collections.abc import Iterator


def intervals(text: str, completions: int) -> Iterator[tuple[int, int]]:
    """The intervals, first and last index each. Raises ValueError."""
    for part in text.split(",") if text else ():
        ends = part.split("-")
        if len(ends) > 2:
            raise ValueError(
                f'the fragment "{part}" violates the requirement that an index interval can have '
                "at most two parts separated by '-'"
            )
        first, last = _index(ends[0], completions), _index(ends[-1], completions)
        if len(ends) == 2 and first >= last:
            raise ValueError(f"non-increasing order, previous: {first}, current: {last}")
        yield first, last


def index_count(text: str, completions: int) -> int:
    """How many indexes a list has, which must be in order. Raises ValueError."""
    total, previous = 0, None
    for first, last in intervals(text, completions):
        if previous is not None and previous >= first:
            raise ValueError(f"non-increasing order, previous: {previous}, current: {first}")
        total += last - first + 1
        previous = last
    return total


def overlap(one: str, other: str, completions: int) -> int | None:
    """The first index that is in both lists; None where there is none, or a list is wrong."""
    try:
        left, right = (list(intervals(text, completions)) for text in (one, other))
    except ValueError:
        return None
    i = j = 0
    while i < len(left) and j < len(right):
        (first, last), (begin, end) = left[i], right[j]
        if first <= end and begin <= last:
            return max(first, begin)
        if first <= begin:
            i += 1
        else:
            j += 1
    return None


def _index(text: str, completions: int) -> int:
    if not re.fullmatch("[0-9]{1,10}", text):
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise ValueError(f'too large index: "{text}"')
    return int(text)
