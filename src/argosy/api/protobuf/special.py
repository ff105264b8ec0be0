"""Messages that are something else than an object in JSON: times, quantities, choices.

Both ways go through the message's own fields, a dict as any other message's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from argosy.api.protobuf.scalars import wrong
from argosy.api.protobuf.wire import ProtobufError
from argosy.base.clock import parse_timestamp

Fields = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -62135596800  # the year 1: Go's zero time, which is no time at all
_LAST = 253402300799  # the year 9999
_SECOND, _MINUTE, _HOUR = 10**9, 60 * 10**9, 3600 * 10**9
_UNITS = {"h": _HOUR, "m": _MINUTE, "s": _SECOND, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_DURATION = re.compile(r"[-+]?(?:0|(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+)", re.ASCII)
_PART = re.compile(r"([0-9]+)(?:\.([0-9]*))?(ns|us|µs|ms|s|m|h)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Special:
    """A message's other form: `to_json` from its fields, `from_json` to them.

    `simple`: the JSON form is no dict and no list. Such values repeat, and codecs remember them.
    """

    to_json: Callable[[Fields], Any]
    from_json: Callable[[Any], Fields]
    simple: bool = False


def _stamp(seconds: int, micros: int, precision: str) -> str | None:
    """RFC 3339 in UTC; None for the zero time."""
    if (seconds, micros) == (_FIRST, 0):
        return None
    if not _FIRST <= seconds <= _LAST:
        raise ProtobufError("a time is outside of the years 1 to 9999")
    moment = _EPOCH + timedelta(seconds=seconds, microseconds=micros)
    return f"{moment.replace(tzinfo=None).isoformat(timespec=precision)}Z"


def _time(fields: Fields) -> str | None:
    """Fractions are passed over, as upstream does."""
    return _stamp(fields.get("seconds", 0), 0, "seconds") if fields else None


def _micro_time(fields: Fields) -> str | None:
    if not fields:
        return None
    nanos = fields.get("nanos", 0)
    if not 0 <= nanos < _SECOND:
        raise ProtobufError("a time has more than a second of nanoseconds")
    return _stamp(fields.get("seconds", 0), nanos // 1000, "microseconds")


def _since_epoch(text: str) -> tuple[int, int]:
    """Seconds and microseconds."""
    try:
        passed = parse_timestamp(text) - _EPOCH
    except (ValueError, OverflowError):
        raise ProtobufError("a time is not in the form of RFC 3339") from None
    return passed.days * 86400 + passed.seconds, passed.microseconds


def _from_time(value: Any) -> Fields:
    if not isinstance(value, str):
        raise wrong("a time", value)
    seconds, _ = _since_epoch(value)
    return {} if seconds == _FIRST else {"seconds": seconds, "nanos": 0}


def _from_micro_time(value: Any) -> Fields:
    if not isinstance(value, str):
        raise wrong("a time", value)
    seconds, micros = _since_epoch(value)
    return {} if (seconds, micros) == (_FIRST, 0) else {"seconds": seconds, "nanos": micros * 1000}


def _duration(fields: Fields) -> str:
    """As Go prints one: `1h0m1.5s`, `250ms`, `0s`."""
    total: int = fields.get("duration", 0)
    sign, rest = "-" * (total < 0), abs(total)
    if rest < _SECOND:
        for unit in ("ms", "µs", "ns"):
            if rest >= _UNITS[unit]:
                return f"{sign}{_decimal(rest, _UNITS[unit])}{unit}"
        return "0s"
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    larger = f"{hours}h{minutes}m" if hours else f"{minutes}m" * bool(minutes)
    return f"{sign}{larger}{_decimal(rest, _SECOND)}s"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    return f"{whole}.{str(unit + rest)[1:]}".rstrip("0").rstrip(".") if rest else str(whole)


def _from_duration(value: Any) -> Fields:
    if not isinstance(value, str) or len(value) > 200 or not _DURATION.fullmatch(value):
        raise wrong("a duration", value)
    total = 0
    for whole, fraction, unit in _PART.findall(value):
        total += int(whole + fraction) * _UNITS[unit] // 10 ** len(fraction)
    return {"duration": -total if value.startswith("-") else total}


def _quantity(fields: Fields) -> Any:
    return fields.get("string", "0")


def _from_quantity(value: Any) -> Fields:
    """JSON may have it as a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong("a quantity", value)
    return {"string": str(value)}


def _int_or_string(fields: Fields) -> Any:
    match fields.get("type", 0):
        case 0:
            return fields.get("intVal", 0)
        case 1:
            return fields.get("strVal", "")
    raise ProtobufError("an integer or string is neither")


def _from_int_or_string(value: Any) -> Fields:
    if isinstance(value, str):
        return {"type": 1, "intVal": 0, "strVal": value}
    return {"type": 0, "intVal": value, "strVal": ""}


def _schema_or_list(fields: Fields) -> Any:
    return fields.get("jSONSchemas") or fields.get("schema")


def _from_schema_or_list(value: Any) -> Fields:
    return {"jSONSchemas": value} if isinstance(value, list) else {"schema": value}


def _schema_or_bool(fields: Fields) -> Any:
    return fields.get("schema", fields.get("allows", False))


def _from_schema_or_bool(value: Any) -> Fields:
    if isinstance(value, bool):
        return {"allows": value}
    return {"allows": True, "schema": value}


def _schema_or_strings(fields: Fields) -> Any:
    return fields.get("property") or fields.get("schema")


def _from_schema_or_strings(value: Any) -> Fields:
    return {"property": value} if isinstance(value, list) else {"schema": value}


def _items(fields: Fields) -> Any:
    return fields.get("items", [])


def _from_items(value: Any) -> Fields:
    return {"items": value}


def _raw(fields: Fields) -> Any:
    return fields.get("raw")


def _from_raw(value: Any) -> Fields:
    return {"raw": value}


_SCHEMAS = ("apiextensions.v1", "apiextensions.v1beta1")
_NAMED_LISTS = (
    "authentication.v1.AttestationValue",
    "authentication.v1.ExtraValue",
    "authentication.v1beta1.ExtraValue",
    "authorization.v1.ExtraValue",
    "authorization.v1beta1.ExtraValue",
    "certificates.v1.ExtraValue",
    "certificates.v1beta1.ExtraValue",
    "meta.v1.Verbs",
)
_RAW = ("meta.v1.FieldsV1", "runtime.RawExtension", *(f"{package}.JSON" for package in _SCHEMAS))

SPECIAL: Mapping[str, Special] = {
    "intstr.IntOrString": Special(_int_or_string, _from_int_or_string, simple=True),
    "meta.v1.Duration": Special(_duration, _from_duration, simple=True),
    "meta.v1.MicroTime": Special(_micro_time, _from_micro_time, simple=True),
    "meta.v1.Time": Special(_time, _from_time, simple=True),
    "quantity.Quantity": Special(_quantity, _from_quantity, simple=True),
    **{name: Special(_items, _from_items) for name in _NAMED_LISTS},
    **{name: Special(_raw, _from_raw) for name in _RAW},
    **{
        f"{package}.JSONSchemaPropsOrArray": Special(_schema_or_list, _from_schema_or_list)
        for package in _SCHEMAS
    },
    **{
        f"{package}.JSONSchemaPropsOrBool": Special(_schema_or_bool, _from_schema_or_bool)
        for package in _SCHEMAS
    },
    **{
        f"{package}.JSONSchemaPropsOrStringArray": Special(
            _schema_or_strings, _from_schema_or_strings
        )
        for package in _SCHEMAS
    },
}
