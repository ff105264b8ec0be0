"""How cells read the object and put things into words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from argosy.base.clock import parse_timestamp

Cell = str | int | bool | None
Json = Mapping[str, Any]

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"
SHOWN = 3
"""Of a long list, this many are shown."""


def at(obj: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj


def items(obj: Json, path: str) -> Sequence[Any]:
    """The list at a dotted path; empty where there is none."""
    return at(obj, path) or ()


def condition(obj: Json, kind: str, field: str = "status") -> str:
    """A field of the condition of type `kind`; empty where it was not observed."""
    for found in items(obj, "status.conditions"):
        if found.get("type") == kind:
            return str(found.get(field) or "")
    return ""


def joined(values: Iterable[object], *, empty: str = NONE) -> str:
    """Values with commas between; `empty` for none."""
    return ",".join(str(value) for value in values) or empty


def shortened(values: Sequence[str], *, shown: int = SHOWN, gap: str = ",", empty: str) -> str:
    """The first values, and how many more there are."""
    text = gap.join(values[:shown]) or empty
    more = len(values) - shown
    return f"{text} + {more} more..." if more > 0 else text


def pairs(values: Json | None) -> str:
    """A map as `a=1,b=2`."""
    return joined(f"{key}={value}" for key, value in sorted((values or {}).items()))


def label_selector(selector: Json | None, *, empty: str = NONE) -> str:
    """A label selector in the form that `kubectl get -l` takes."""
    selector = selector or {}
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    terms += [(item["key"], _term(item)) for item in selector.get("matchExpressions") or ()]
    return joined((text for _, text in sorted(terms)), empty=empty)


def _term(item: Json) -> str:
    key = str(item["key"])
    operator = str(item["operator"])
    values = ",".join(sorted(item.get("values") or ()))
    forms = {"Exists": key, "DoesNotExist": f"!{key}"}
    return forms.get(operator) or f"{key} {operator.lower()} ({values})"


def age(since: object, now: datetime) -> str:
    """How long ago, in the short form that kubectl shows: `5s`, `3m20s`, `2d`."""
    try:
        seconds = int((now - parse_timestamp(str(since))).total_seconds())
    except ValueError:
        return UNKNOWN
    return duration(max(seconds, 0))


def duration(seconds: int) -> str:
    """A span of time with one or two units, fewer as it grows."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(much: int, unit: str, rest: int, smaller: str) -> str:
    return f"{much}{unit}" + (f"{rest}{smaller}" if rest else "")
