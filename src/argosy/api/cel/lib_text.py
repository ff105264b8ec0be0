"""Strings and regular expressions. Patterns are RE2's: linear in the text."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from argosy.api.cel import regex
from argosy.api.cel.dispatch import Function, overloads
from argosy.api.cel.lib_core import shown_double
from argosy.api.cel.values import (
    Budget,
    CelError,
    Duration,
    TypeValue,
    UInt,
    no_overload,
    shown_duration,
    shown_timestamp,
)

_PATTERN_COST: Final = 20_000
"""For a pattern that is compiled: an expression's own are before, those of an object are not."""
_LONGEST_PRECISION: Final = 1000
_FOUND_COST: Final = 8
"""A match takes as long as this many steps of a loop."""


def _bounded(text: str, at: int) -> int:
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return at


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else _bounded(text, end)
    if _bounded(text, start) > stop:
        raise CelError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def _replaced(budget: Budget, text: Any, old: Any, new: Any, count: Any = -1) -> str:
    if not (type(text) is type(old) is type(new) is str and type(count) is int):
        raise no_overload()
    found = text.count(old) if count < 0 else min(count, text.count(old))
    budget.spend(1 + len(text) // 5 + found * len(new) // 10)  # before it grows
    return text.replace(old, new, count)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def _joined(budget: Budget, items: Any, separator: Any = "") -> str:
    if type(items) is not list or type(separator) is not str:
        raise no_overload()
    if not all(type(item) is str for item in items):
        raise no_overload()
    budget.spend(1 + (sum(map(len, items)) + len(separator) * len(items)) // 5)
    return str(separator).join(items)


_ASCII_LOWER: Final = str.maketrans({c: c + 32 for c in range(65, 91)})
_ASCII_UPPER: Final = str.maketrans({c: c - 32 for c in range(97, 123)})
_ESCAPES: Final = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)
_VERB: Final = re.compile(r"%(?:%|(?:\.(\d+))?([sdfebxXo]))")


def _formatted(budget: Budget, text: Any, values: Any) -> str:
    if type(text) is not str or type(values) is not list:
        raise no_overload()
    parts, at, used = [], 0, 0
    for found in re.finditer(r"%", text):
        if found.start() < at:
            continue
        verb = _VERB.match(text, found.start())
        if verb is None:
            raise CelError("could not parse formatting clause: unrecognized formatting clause")
        parts.append(text[at : found.start()])
        at = verb.end()
        if verb.group() == "%%":
            parts.append("%")
            continue
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        parts.append(_clause(budget, verb, values[used]))
        used += 1
        budget.spend(1 + len(parts[-1]) // 10)
    parts.append(text[at:])
    budget.spend(1 + len(text) // 10)
    return "".join(parts)


def _clause(budget: Budget, verb: re.Match[str], value: Any) -> str:
    precision = int(verb[1]) if verb[1] and len(verb[1]) < 5 else 6
    if precision > _LONGEST_PRECISION:
        raise CelError("precision is too large")
    kind = verb[2]
    if kind == "s":
        return _shown(budget, value)
    number = isinstance(value, int) and type(value) is not bool
    if kind == "d" and number:
        return str(int(value))
    if kind in "fe" and (number or type(value) is float):
        return f"{value:.{precision}{kind}}"
    if kind in "bo" and (number or (kind == "b" and type(value) is bool)):
        return f"{int(value):{kind}}"
    if kind in "xX":
        return _hexadecimal(value, kind)
    raise CelError(f"error during formatting: %{kind} can't be used with this value")


def _hexadecimal(value: Any, kind: str) -> str:
    if isinstance(value, int) and type(value) is not bool:
        return f"{value:{kind}}"
    data = value.encode() if type(value) is str else value
    if type(data) is not bytes:
        raise CelError(f"error during formatting: %{kind} can't be used with this value")
    return data.hex() if kind == "x" else data.hex().upper()


def _shown(budget: Budget, value: Any) -> str:
    simple: dict[type, Callable[[Any], str]] = {
        str: lambda item: item,
        bool: lambda item: "true" if item else "false",
        int: str,
        UInt: lambda item: str(int(item)),
        float: shown_double,
        type(None): lambda _: "null",
        bytes: lambda item: item.decode(errors="replace"),
        datetime: shown_timestamp,
        Duration: shown_duration,
        TypeValue: lambda item: item.name,
    }
    if (show := simple.get(type(value))) is not None:
        return show(value)
    if type(value) is list:
        budget.spend(1 + len(value))
        return f"[{', '.join(_shown(budget, item) for item in value)}]"
    if type(value) is dict:
        budget.spend(1 + len(value))
        pairs = (f"{_shown(budget, key)}: {_shown(budget, value[key])}" for key in sorted(value))
        return f"{{{', '.join(pairs)}}}"
    raise CelError("error during formatting: string clause can only be used on strings, bools …")


def _matching_cost(budget: Budget, text: Any, pattern: Any) -> None:
    if type(text) is not str or type(pattern) is not str:
        raise no_overload()
    budget.spend(1 + ((len(text) + 10) // 10) * ((len(pattern) + 3) // 4))
    if regex.new(pattern):
        budget.spend(_PATTERN_COST)


def _matches(budget: Budget, text: Any, pattern: Any) -> bool:
    _matching_cost(budget, text, pattern)
    return regex.matches(text, pattern)


def _find(budget: Budget, text: Any, pattern: Any) -> str:
    _matching_cost(budget, text, pattern)
    return next(regex.find_all(text, pattern), "")


def _find_all(budget: Budget, text: Any, pattern: Any, limit: Any = -1) -> list[str]:
    _matching_cost(budget, text, pattern)
    made: list[str] = []
    for found in regex.find_all(text, pattern):
        if 0 <= limit <= len(made):
            break
        budget.spend(_FOUND_COST)
        made.append(found)
    return made


FUNCTIONS: Final[Mapping[str, Function]] = {
    "startsWith": overloads(((str, str), str.startswith)),
    "endsWith": overloads(((str, str), str.endswith)),
    "contains": overloads(((str, str), lambda a, b: b in a)),
    "charAt": overloads(((str, int), lambda a, at: a[_bounded(a, at) : at + 1])),
    "lowerAscii": overloads(((str,), lambda a: a.translate(_ASCII_LOWER))),
    "upperAscii": overloads(((str,), lambda a: a.translate(_ASCII_UPPER))),
    "trim": overloads(((str,), str.strip)),
    "substring": overloads(((str, int), _substring), ((str, int, int), _substring)),
    "replace": _replaced,
    "split": overloads(((str, str), _split), ((str, str, int), _split)),
    "join": _joined,
    "format": _formatted,
    "matches": _matches,
    "find": _find,
    "findAll": _find_all,
    "jsonpatch.escapeKey": overloads(
        ((str,), lambda a: a.replace("~", "~0").replace("/", "~1")),
    ),
    "strings.quote": overloads(((str,), lambda a: f'"{a.translate(_ESCAPES)}"')),
}
