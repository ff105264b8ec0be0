"""Sets of completion indexes as their compressed text: `0,3-5,7`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indexes:
    """A set of indexes: ranges, first and last, in order, with gaps between them."""

    ranges: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __contains__(self, index: int) -> bool:
        low, high = 0, len(self.ranges)
        while low < high:
            middle = (low + high) // 2
            if self.ranges[middle][1] >= index:
                high = middle
            else:
                low = middle + 1
        return low < len(self.ranges) and self.ranges[low][0] <= index

    def __str__(self) -> str:
        return ",".join(_text(*item) for item in self.ranges)

    def __or__(self, other: "Indexes") -> "Indexes":
        return Indexes(tuple(_joined(sorted((*self.ranges, *other.ranges)))))

    def shared(self, other: "Indexes") -> int:
        """How many indexes are in both."""
        count = i = j = 0
        while i < len(self.ranges) and j < len(other.ranges):
            (first, last), (start, end) = self.ranges[i], other.ranges[j]
            count += max(0, min(last, end) - max(first, start) + 1)
            i, j = i + (last <= end), j + (end <= last)
        return count

    def missing(self, below: int, count: int) -> list[int]:
        """The first `count` indexes less than `below` that are not here."""
        found: list[int] = []
        candidate = 0
        for first, last in (*self.ranges, (below, below)):
            stop = min(first, below, candidate + count - len(found))
            found += range(candidate, stop)
            candidate = max(candidate, last + 1)
        return found


NONE = Indexes()


def of(indexes: Iterable[int]) -> Indexes:
    """The set of these."""
    return Indexes(tuple(_joined((item, item) for item in sorted(indexes))))


def parse(text: str, below: int) -> Indexes:
    """Read the text; indexes from `below` on are left out, and so is what can't be read."""
    ranges = (_range(part, below) for part in text.split(",") if part)
    return Indexes(tuple(_joined(item for item in ranges if item is not None)))


def _range(part: str, below: int) -> tuple[int, int] | None:
    first, dash, last = part.partition("-")
    try:
        start, end = int(first), int(last) if dash else int(first)
    except ValueError:
        return None
    end = min(end, below - 1)
    return (start, end) if 0 <= start <= end else None


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges in order of their beginnings, without overlaps and neighbours."""
    current: tuple[int, int] | None = None
    for first, last in ranges:
        if current is not None and first <= current[1] + 1:
            current = (current[0], max(current[1], last))
            continue
        if current is not None:
            yield current
        current = (first, last)
    if current is not None:
        yield current


def _text(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}{',' if last == first + 1 else '-'}{last}"
