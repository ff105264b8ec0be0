"""What may become of a field at an update, as tables: which changes the value at each path allows.

The counterpart of `fields`. Keys are names joined by dots, values are one change rule or several.
The texts are those of upstream's declarative rules, which never show the value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from argosy.api.validation.rule import IMMUTABLE, Json, Rule, at
from argosy.base.errors import FieldError, forbidden_field, invalid_value

Errors = Iterator[FieldError]
Change = Callable[[Any, Any, str], Iterable[FieldError]]
"""(the new value, the old one, their path) → what is wrong; None is a value that is absent."""


def at_update(part: str, change: Change) -> Rule:
    """A rule: the top-level `part` is changed only as `change` allows."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        return [] if old is None else list(change(new.get(part), old.get(part), part))

    return rule


def changes(table: Mapping[str, Change | tuple[Change, ...]]) -> Change:
    """A change rule: what stands at each path of `table` changes only as is said there."""

    def check(new: Any, old: Any, path: str) -> Errors:
        for key, allowed in table.items():
            after, before = at(new, key), at(old, key)
            if after == before:
                continue
            for change in allowed if isinstance(allowed, tuple) else (allowed,):
                yield from change(after, before, f"{path}.{key}")

    return check


def frozen(new: Any, old: Any, path: str) -> Errors:
    """It never changes."""
    if new != old:
        yield invalid_value(path, None, IMMUTABLE)


def never_set(new: Any, old: Any, path: str) -> Errors:
    """What was not there at creation never comes."""
    if old is None and new is not None:
        yield invalid_value(path, None, "field cannot be set once created")


def never_unset(new: Any, old: Any, path: str) -> Errors:
    """What is there once stays."""
    if new is None and old is not None:
        yield invalid_value(path, None, "field cannot be cleared once set")


def never_modified(new: Any, old: Any, path: str) -> Errors:
    """What is there once stays what it is, or goes."""
    if None not in (new, old) and new != old:
        yield invalid_value(path, None, "field cannot be modified once set")


def never_less(new: Any, old: Any, path: str) -> Errors:
    """A number that does not fall."""
    if None not in (new, old) and new < old:
        yield invalid_value(path, new, f"may not be decreased from {old}")


def same_items(change: Change | None = None, *, key: str = "name") -> Change:
    """A list whose items stay, each changed only as `change` allows."""

    def check(new: Any, old: Any, path: str) -> Errors:
        before = {item.get(key): item for item in old or ()}
        after = [item.get(key) for item in new or ()]
        added = [i for i, name in enumerate(after) if name not in before]
        yield from (forbidden_field(f"{path}[{i}]", "item may not be added") for i in added)
        removed = before.keys() - set(after)
        yield from (forbidden_field(path, "item may not be removed") for _ in removed)
        if change is None or added or removed:
            return
        for i, item in enumerate(new or ()):
            yield from change(item, before[item.get(key)], f"{path}[{i}]")

    return check


def matched_items(change: Change, *, key: str = "name") -> Change:
    """A list whose items come and go; one that stays is changed only as `change` allows."""

    def check(new: Any, old: Any, path: str) -> Errors:
        before = {item.get(key): item for item in old or ()}
        for i, item in enumerate(new or ()):
            if item.get(key) in before:
                yield from change(item, before[item.get(key)], f"{path}[{i}]")

    return check
