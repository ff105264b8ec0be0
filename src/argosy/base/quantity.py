"""Kubernetes' quantities: `500m`, `2Gi`, `1e3`, exactly.

Source: the grammar in the Kubernetes API reference, "Quantity".
"""

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** (i + 1) for i, letter in enumerate("kMGTPE")},
    **{f"{letter}i": Decimal(1024) ** (i + 1) for i, letter in enumerate("KMGTPE")},
}
_PATTERN = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE][+-]?[0-9]{1,3})|([KMGTPE]i|[numkMGTPE]))?"
)
_LONGEST = 64
BINARY = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")


def parse(text: str | int | float) -> Decimal:
    """The exact value of a quantity.

    Raises ValueError, in Kubernetes' words, for anything that is none.
    """
    return _parse(str(text))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Decimal:
    """Objects of a cluster repeat few quantities many times."""
    match = _PATTERN.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, exponent, suffix = match.groups()
    return Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]


def whole(text: str | int | float) -> int:
    """The value in whole units, rounded up as Kubernetes' `Value()` does."""
    return int(parse(text).to_integral_value(ROUND_CEILING))


def milli(text: str | int | float) -> int:
    """The value in thousandths, rounded up as Kubernetes' `MilliValue()` does."""
    return int((parse(text) * 1000).to_integral_value(ROUND_CEILING))


def binary(amount: int) -> str:
    """`amount` bytes with the largest binary suffix that loses nothing."""
    for i, suffix in enumerate(BINARY):
        unit = 1024 ** (len(BINARY) - i)
        if amount and amount % unit == 0:
            return f"{amount // unit}{suffix}"
    return str(amount)


def decimal(value: Decimal) -> str:
    """`value` in plain units, or in thousandths where it is no whole number."""
    if value == value.to_integral_value():
        return str(int(value))
    return f"{int((value * 1000).to_integral_value(ROUND_CEILING))}m"
