"""Rules as tables: which checks the value at each path must pass.

A table's keys are paths below the object that it is about: names joined by dots, where `[]` stands
for each item of a list and `{}` for each entry of a map. Its values are one check or several, of
which the first that fails has the last word. What is absent passes every check but `Needed`, and so
does what stands below something absent. `fields` makes a check of a table, so tables nest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.validation.rule import Rule
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_long_text,
    too_many,
)

Check = Callable[[Any, str], Iterable[FieldError]]
Errors = Iterator[FieldError]
Table = Mapping[str, Check | tuple[Check, ...]]


@dataclass(frozen=True, slots=True)
class Needed:
    """The value must be there and, if it is a text, a list or a map, not be empty."""

    detail: str = ""

    def __call__(self, value: Any, path: str) -> Errors:
        if value is None or (isinstance(value, str | list | dict) and not value):
            yield required(path, self.detail)


NEEDED = Needed()


def fields(table: Table) -> Check:
    """A check: what stands at each path of `table` passes its checks."""
    rows = [
        (key.split("."), checks if isinstance(checks, tuple) else (checks,))
        for key, checks in table.items()
    ]

    def check(value: Any, path: str) -> Errors:
        for steps, checks in rows:
            for item, where in _reached(value, path, steps):
                yield from _first_failed(checks, item, where)

    return check


def _reached(value: Any, path: str, steps: list[str]) -> Iterator[tuple[Any, str]]:
    if not steps:
        yield value, path
        return
    step, rest = steps[0], steps[1:]
    name = step.rstrip("[]{}")
    child = value.get(name) if isinstance(value, Mapping) else None
    where = f"{path}.{name}" if path else name
    if step.endswith("[]"):
        for i, item in enumerate(child or ()):
            yield from _reached(item, f"{where}[{i}]", rest)
    elif step.endswith("{}"):
        for key, item in (child or {}).items():
            yield from _reached(item, f"{where}[{key}]", rest)
    elif child is not None or not rest:
        yield from _reached(child, where, rest)


def _first_failed(checks: tuple[Check, ...], value: Any, path: str) -> list[FieldError]:
    for check in checks:
        if value is None and not isinstance(check, Needed):
            continue
        if errors := list(check(value, path)):
            return errors
    return []


def checked(check: Check) -> Rule:
    """A rule: the object as a whole passes `check`, whenever it is written."""
    return lambda new, old: list(check(new, ""))


def together(*checks: Check) -> Check:
    """A check that gives the errors of all `checks`."""

    def check(value: Any, path: str) -> Errors:
        for one in checks:
            yield from one(value, path)

    return check


def each(check: Check) -> Check:
    """A check of a list: each of its items passes `check`."""

    def over(items: Any, path: str) -> Errors:
        for i, item in enumerate(items):
            yield from check(item, f"{path}[{i}]")

    return over


def unless_empty(check: Check) -> Check:
    """`check`, for a text that may be left blank."""
    return lambda value, path: check(value, path) if value else ()


def by_path(check: Callable[[str, Any], Iterable[FieldError]]) -> Check:
    """`check` with its path second."""
    return lambda value, path: check(path, value)


def one_of(*allowed: str) -> Check:
    """The value is among `allowed`, which are shown in this order."""
    return lambda value, path: () if value in allowed else (not_supported(path, value, allowed),)


def at_least(least: int, detail: str = "") -> Check:
    """A number that is not below `least`."""
    text = detail or f"must be greater than or equal to {least}"
    return lambda value, path: () if value >= least else (invalid_value(path, value, text),)


def at_most(most: int, detail: str = "") -> Check:
    """A number that is not above `most`."""
    text = detail or f"must be less than or equal to {most}"
    return lambda value, path: () if value <= most else (invalid_value(path, value, text),)


def between(least: int, most: int, detail: str = "") -> Check:
    """A number from `least` to `most`."""
    text = detail or f"must be between {least} and {most}, inclusive"
    return lambda value, path: () if least <= value <= most else (invalid_value(path, value, text),)


def bytes_at_most(most: int) -> Check:
    """A text of at most `most` bytes."""
    return lambda value, path: () if len(value.encode()) <= most else (too_long(path, most),)


def characters_at_most(most: int, detail: str = "") -> Check:
    """A text of at most `most` characters; where there is a `detail`, the error shows the text."""

    def check(value: Any, path: str) -> Errors:
        if len(value) > most:
            yield invalid_value(path, value, detail) if detail else too_long_text(path, most)

    return check


def items_at_most(most: int) -> Check:
    """A list or map of at most `most` entries."""
    return lambda value, path: () if len(value) <= most else (too_many(path, len(value), most),)


def unique(value: Any, path: str) -> Errors:
    """No item of a list stands there twice."""
    seen = set()
    for i, item in enumerate(value):
        if item in seen:
            yield duplicate(f"{path}[{i}]", item)
        seen.add(item)


def unique_by(*keys: str, at: str = "", entire: bool = False) -> Check:
    """No two items of a list agree in `keys`; the error stands at the item, or at its field `at`.

    It shows the key, or the `entire` item.
    """

    def check(value: Any, path: str) -> Errors:
        seen = set()
        for i, item in enumerate(value):
            found = tuple(item.get(key) for key in keys)
            if found in seen:
                shown = found[0] if len(keys) == 1 else dict(zip(keys, found, strict=True))
                yield duplicate(f"{path}[{i}]{f'.{at}' * bool(at)}", item if entire else shown)
            seen.add(found)

    return check


def exactly_one(*members: str) -> Check:
    """An object with one of `members`, and one only."""
    return _union(
        members, "must specify exactly one of", f"must specify one of: {_ticked(members)}"
    )


def _union(members: tuple[str, ...], many: str, none: str) -> Check:
    def check(value: Any, path: str) -> Errors:
        found = [name for name in members if value.get(name) not in (None, [])]
        if len(found) > 1:
            yield invalid_value(path, f"{{{', '.join(found)}}}", f"{many}: {_ticked(members)}")
        elif not found and none:
            yield invalid_value(path, "", none)

    return check


def _ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
