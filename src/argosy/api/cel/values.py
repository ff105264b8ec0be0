"""CEL's values as Python's: JSON's own types stand for themselves, the rest is here.

int, float, str, bytes, bool, None, list and dict are CEL's; a timestamp is an aware datetime
(microseconds, where upstream keeps nanoseconds). `equal` and `compare` are CEL's across types.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1


class CelError(Exception):
    """What an expression comes to where it has no value; `||` and `&&` can outweigh it."""


class BudgetExceeded(Exception):
    """The expression is dearer than it may be. No operator outweighs it."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class Budget:
    """What one evaluation may still cost, in CEL's cost units."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, cost: int) -> None:
        """Takes `cost`; raises BudgetExceeded where less is left."""
        self.left -= cost
        if self.left < 0:
            raise BudgetExceeded


class UInt(int):
    """An unsigned integer of 64 bits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time, in nanoseconds."""

    ns: int


class Defaulted(dict[str, Any]):
    """A map that has an empty map for each key that is not in it."""

    __slots__ = ()

    def __missing__(self, key: object) -> dict[str, Any]:
        return {}


class Message(dict[str, Any]):
    """A value that was made under a type's name."""

    __slots__ = ("name",)

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.name = name

    @property
    def cel_type(self) -> str:
        """Its type's name."""
        return self.name


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: what `type(x)` gives."""

    name: str


class Optional:
    """A value that may not be there."""

    __slots__ = ("_held",)

    def __init__(self, *held: Any) -> None:
        self._held = held

    @property
    def present(self) -> bool:
        """Whether there is a value."""
        return bool(self._held)

    @property
    def value(self) -> Any:
        """The value; CelError where there is none."""
        if not self._held:
            raise CelError("optional.none() dereference")
        return self._held[0]


NONE: Final = Optional()

_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    dict: "map",
    Defaulted: "map",
    Duration: "google.protobuf.Duration",
    datetime: "google.protobuf.Timestamp",
    TypeValue: "type",
    Optional: "optional_type",
}
TYPES: Final = {name: TypeValue(name) for name in _NAMES.values()}


def type_of(value: Any) -> TypeValue:
    """What `type(value)` gives; an opaque value's class names its type."""
    return TypeValue(_NAMES.get(type(value)) or str(getattr(value, "cel_type", "dyn")))


def no_overload() -> CelError:
    """No function takes operands of these types."""
    return CelError("no such overload")


_NUMBERS: Final = frozenset((int, float, UInt))


def equal(one: Any, other: Any, budget: Budget) -> bool:
    """CEL's `==`: numbers by value, lists and maps by content, other types never to each other."""
    kind, second = type(one), type(other)
    if kind in _NUMBERS and second in _NUMBERS:
        return bool(one == other)
    if kind is not second:
        return False
    if kind is list:
        budget.spend(min(len(one), len(other)))
        return len(one) == len(other) and all(
            equal(a, b, budget) for a, b in zip(one, other, strict=True)
        )
    if kind is dict:
        budget.spend(min(len(one), len(other)))
        return len(one) == len(other) and all(
            key in other and equal(value, other[key], budget) for key, value in one.items()
        )
    if kind is Optional:
        if not (one.present and other.present):
            return bool(one.present == other.present)
        return equal(one.value, other.value, budget)
    if kind is str or kind is bytes:
        budget.spend(min(len(one), len(other)) // 10)
    return bool(one == other)


_ORDERED: Final = frozenset((int, float, UInt, str, bytes, bool, Duration, datetime))


def ordered(one: Any, other: Any) -> bool:
    """Whether `<` can tell; raises CelError where not."""
    kind, second = type(one), type(other)
    if (kind is second and kind in _ORDERED) or (kind in _NUMBERS and second in _NUMBERS):
        return True
    raise no_overload()


def integer(value: int) -> int:
    """A result that must fit 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def unsigned(value: int) -> UInt:
    """An unsigned result that must fit 64 bits."""
    if 0 <= value < 2**64:
        return UInt(value)
    raise CelError("unsigned integer overflow")


_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> Duration:
    """Go's durations: `1h30m`, `-1.5s`, `0`."""
    bare = text[1:] if text[:1] in ("+", "-") else text
    total, at = 0, 0
    bare = bare if len(text) <= 64 else ""
    while bare not in ("", "0") and (found := _PART.match(bare, at)):
        whole, _, part = found[1].partition(".")
        unit = _UNITS[found[2]]
        total += int(whole or 0) * unit + (int(part) * unit // 10 ** len(part) if part else 0)
        at = found.end()
    if not bare or (bare != "0" and at != len(bare)) or total > INT_MAX:
        raise CelError(f'time: invalid duration "{text[:64]}"')
    return Duration(-total if text[0] == "-" else total)


_STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?"
)


def parse_timestamp(text: str) -> datetime:
    """RFC 3339's date-times, and dates for the midnight that begins them."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise CelError(f'parsing time "{text[:64]}" as RFC 3339')
    zone = (found[4] or "Z").upper()
    fraction = (found[3] or ".0")[:7]
    form = f"{found[1]}T{found[2] or '00:00:00'}{fraction:0<7}{'+00:00' if zone == 'Z' else zone}"
    try:
        return datetime.fromisoformat(form).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CelError(f'parsing time "{text[:64]}": {error}') from None


def decoded(text: str) -> bytes:
    """The bytes of a field of format byte."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CelError("illegal base64 data") from None


def after(moment: datetime, length: Duration) -> datetime:
    """`moment + length`; CelError beyond the years that there are."""
    try:
        return moment + timedelta(microseconds=length.ns // 1000)
    except OverflowError:
        raise CelError("timestamp overflow") from None


def shown_duration(length: Duration) -> str:
    """A duration as `string()` gives it: seconds."""
    whole, part = divmod(abs(length.ns), 1_000_000_000)
    sign = "-" if length.ns < 0 else ""
    digits = f"{part:09d}".rstrip("0")
    return f"{sign}{whole}{f'.{digits}' * bool(digits)}s"


def shown_timestamp(moment: datetime) -> str:
    """A timestamp as `string()` gives it: RFC 3339."""
    digits = f"{moment.microsecond:06d}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{digits}' * bool(digits)}Z"


CONVERSIONS: Final = {
    "double": (int, float),
    "timestamp": (str, parse_timestamp),
    "duration": (str, parse_duration),
    "bytes": (str, decoded),
}
"""How JSON becomes the type that a schema gives it: from which type, by which function."""
