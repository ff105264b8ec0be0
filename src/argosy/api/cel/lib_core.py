"""CEL's own functions: arithmetic, conversions, sizes, times, optionals."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from argosy.api.cel.dispatch import Function, for_each, overloads
from argosy.api.cel.lib_net import Cidr, Ip
from argosy.api.cel.values import (
    NONE,
    Budget,
    CelError,
    Defaulted,
    Duration,
    Optional,
    UInt,
    after,
    equal,
    integer,
    no_overload,
    parse_duration,
    parse_timestamp,
    shown_duration,
    shown_timestamp,
    type_of,
    unsigned,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _divided(one: int, other: int) -> int:
    if other == 0:
        raise CelError("division by zero")
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: int, other: int) -> int:
    if other == 0:
        raise CelError("modulus by zero")
    return one - other * _divided(one, other)


def _ratio(one: float, other: float) -> float:
    if other == 0:
        return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one)
    return one / other


def _between(one: datetime, other: datetime) -> Duration:
    return Duration((one - other) // timedelta(microseconds=1) * 1000)


def _arithmetic(
    whole: Callable[[int, int], int], real: Callable[[float, float], float] | None
) -> list[tuple[tuple[type, ...], Callable[..., Any]]]:
    cases: list[tuple[tuple[type, ...], Callable[..., Any]]] = [
        ((int, int), lambda a, b: integer(whole(a, b))),
        ((UInt, UInt), lambda a, b: unsigned(whole(int(a), int(b)))),
    ]
    return cases if real is None else [*cases, ((float, float), real)]


def _added(budget: Budget, one: Any, other: Any) -> Any:
    if type(one) is str and type(other) is str:  # the commonest, and the one that can double
        budget.spend(1 + (len(one) + len(other)) // 10)
        return one + other
    return _OTHER_SUMS(budget, one, other)


_OTHER_SUMS: Final = overloads(
    *_arithmetic(lambda a, b: a + b, lambda a, b: a + b),
    ((bytes, bytes), lambda a, b: a + b),
    ((list, list), lambda a, b: a + b),
    ((datetime, Duration), after),
    ((Duration, datetime), lambda a, b: after(b, a)),
    ((Duration, Duration), lambda a, b: Duration(integer(a.ns + b.ns))),
)


def _int(value: float) -> int:
    if not math.isfinite(value) or not -(2.0**63) < value < 2.0**63:
        raise CelError("integer overflow")
    return int(value)


def _parsed(text: str, kind: Callable[[str], Any], name: str) -> Any:
    try:
        if len(text) > 400 or "_" in text or text != text.strip():
            raise ValueError
        return kind(text)
    except ValueError:
        raise CelError(f"strconv: parsing {text[:64]!r} as {name}: invalid syntax") from None


def _bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise CelError(f"Type conversion error from 'string' to 'bool': {text[:64]}")


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


def shown_double(value: float) -> str:
    """A double as `string()` gives it."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"


def _contained(budget: Budget, item: Any, holder: Any) -> bool:
    if type(holder) is list:
        budget.spend(1 + len(holder))
        if type(item) is str and len(item) < 200:  # equal to texts only, in Python as well
            return item in holder
        return any(equal(item, other, budget) for other in holder)
    if isinstance(holder, dict):
        budget.spend(1)
        if isinstance(item, list | dict):
            raise no_overload()
        return item in holder
    raise no_overload()


def _inserted(budget: Budget, made: dict[Any, Any], *entry: Any) -> dict[Any, Any]:
    """What `transformMap` does with its own accumulator: nobody else holds it."""
    budget.spend(1)
    pairs = [entry] if len(entry) == 2 else list(entry[0].items())
    for key, value in pairs:
        if key in made:
            raise CelError(f"insert failed: key {key} already exists")
        made[key] = value
    return made


def _zoned(moment: datetime, zone: str) -> datetime:
    try:
        if zone[:1] in ("+", "-") or zone[:1].isdigit():
            sign = -1 if zone[0] == "-" else 1
            hours, _, minutes = zone.lstrip("+-").partition(":")
            return moment + sign * timedelta(hours=int(hours), minutes=int(minutes))
        return moment.astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError, OSError, KeyError):
        raise CelError(f"unknown time zone {zone[:64]}") from None


def _part(read: Callable[[datetime], int], unit: int = 0) -> Function:
    cases: list[tuple[tuple[type, ...], Callable[..., Any]]] = [
        ((datetime,), read),
        ((datetime, str), lambda moment, zone: read(_zoned(moment, zone))),
    ]
    if unit:
        cases.append(((Duration,), lambda length: _divided(length.ns, unit)))
    return overloads(*cases)


def _millis(length: Duration) -> int:
    return _divided(length.ns, 1_000_000)


def _optional(test: Callable[[Optional], Any]) -> Function:
    return overloads(((Optional,), test))


def _non_zero(_: Budget, value: Any) -> Optional:
    empty = value is None or (isinstance(value, str | bytes | list | dict | int) and not value)
    return NONE if empty or value == 0.0 else Optional(value)


def _unwrapped(items: list[Any]) -> list[Any]:
    return [item.value for item in items if item.present]


def _negated(value: Any) -> Any:
    return integer(-value)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "_+_": _added,
    "_-_": overloads(
        *_arithmetic(lambda a, b: a - b, lambda a, b: a - b),
        ((datetime, datetime), _between),
        ((datetime, Duration), lambda a, b: after(a, Duration(-b.ns))),
        ((Duration, Duration), lambda a, b: Duration(integer(a.ns - b.ns))),
    ),
    "_*_": overloads(*_arithmetic(lambda a, b: a * b, lambda a, b: a * b)),
    "_/_": overloads(*_arithmetic(_divided, _ratio)),
    "_%_": overloads(*_arithmetic(_remainder, None)),
    "-_": overloads(((int,), _negated), ((float,), lambda a: -a)),
    "@in": _contained,
    "size": overloads(*for_each((str, bytes, list, dict, Defaulted), (), len)),
    "type": lambda _, value: type_of(value),
    "dyn": lambda _, value: value,
    "int": overloads(
        ((int,), lambda a: a),
        ((UInt,), lambda a: integer(int(a))),
        ((float,), _int),
        ((str,), lambda a: integer(_parsed(a, int, "int"))),
        ((datetime,), lambda a: (a - _EPOCH) // timedelta(seconds=1)),
        ((Duration,), lambda a: a.ns),
    ),
    "uint": overloads(
        ((int,), unsigned),
        ((UInt,), lambda a: a),
        ((float,), lambda a: unsigned(int(a) if math.isfinite(a) else -1)),
        ((str,), lambda a: unsigned(_parsed(a, int, "uint"))),
    ),
    "double": overloads(
        ((int,), float),
        ((UInt,), float),
        ((float,), lambda a: a),
        ((str,), lambda a: _parsed(a, float, "double")),
    ),
    "string": overloads(
        ((str,), lambda a: a),
        ((int,), str),
        ((UInt,), lambda a: str(int(a))),
        ((float,), shown_double),
        ((bool,), lambda a: "true" if a else "false"),
        ((bytes,), _utf8),
        ((datetime,), shown_timestamp),
        ((Duration,), shown_duration),
        ((Ip,), str),
        ((Cidr,), str),
    ),
    "bytes": overloads(((str,), str.encode), ((bytes,), lambda a: a)),
    "bool": overloads(((bool,), lambda a: a), ((str,), _bool)),
    "timestamp": overloads(
        ((str,), parse_timestamp),
        ((datetime,), lambda a: a),
        ((int,), lambda a: after(_EPOCH, Duration(integer(a * 1_000_000_000)))),
    ),
    "duration": overloads(((str,), parse_duration), ((Duration,), lambda a: a)),
    "getFullYear": _part(lambda a: a.year),
    "getMonth": _part(lambda a: a.month - 1),
    "getDate": _part(lambda a: a.day),
    "getDayOfMonth": _part(lambda a: a.day - 1),
    "getDayOfYear": _part(lambda a: a.timetuple().tm_yday - 1),
    "getDayOfWeek": _part(lambda a: a.isoweekday() % 7),
    "getHours": _part(lambda a: a.hour, 3_600_000_000_000),
    "getMinutes": _part(lambda a: a.minute, 60_000_000_000),
    "getSeconds": _part(lambda a: a.second, 1_000_000_000),
    "getMilliseconds": overloads(
        ((datetime,), lambda a: a.microsecond // 1000),
        ((datetime, str), lambda a, _: a.microsecond // 1000),
        ((Duration,), _millis),
    ),
    "cel.@mapInsert": _inserted,
    "optional.of": lambda _, value: Optional(value),
    "optional.ofNonZeroValue": _non_zero,
    "optional.none": lambda _: NONE,
    "hasValue": _optional(lambda a: a.present),
    "value": _optional(lambda a: a.value),
    "first": overloads(((list,), lambda a: Optional(a[0]) if a else NONE)),
    "last": overloads(((list,), lambda a: Optional(a[-1]) if a else NONE)),
    "optional.unwrap": overloads(((list,), _unwrapped)),
    "unwrapOpt": overloads(((list,), _unwrapped)),
}
