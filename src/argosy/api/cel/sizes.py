"""Ranges of sizes and costs that stop at 2^64 - 1 rather than overflow."""

import math
from dataclasses import dataclass
from typing import Final

MOST: Final = 2**64 - 1
TRAVERSAL: Final = 0.1
"""The cost of a character that is read."""
PATTERN: Final = 0.25
"""The cost of a character of a regular expression: each expression has about four."""


def scaled(number: int, factor: float) -> int:
    """`number * factor`, rounded up."""
    product = number * factor
    return MOST if product >= MOST else math.ceil(product)


@dataclass(frozen=True, slots=True)
class Range:
    """A smallest and a largest value."""

    least: int
    most: int

    def __add__(self, other: "Range") -> "Range":
        return Range(min(MOST, self.least + other.least), min(MOST, self.most + other.most))

    def __mul__(self, other: "Range") -> "Range":
        return Range(min(MOST, self.least * other.least), min(MOST, self.most * other.most))

    def scaled(self, factor: float) -> "Range":
        """Times a factor, rounded up."""
        return Range(scaled(self.least, factor), scaled(self.most, factor))

    def union(self, other: "Range") -> "Range":
        """The range that holds both."""
        return Range(min(self.least, other.least), max(self.most, other.most))


ZERO: Final = Range(0, 0)
ONE: Final = Range(1, 1)
UNKNOWN: Final = Range(0, MOST)
EMPTY: Final = Range(MOST, 0)
"""Of which the union with another is that other."""
