"""What a rule is, and the ones that many kinds share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from argosy.base.errors import FieldError, invalid_value, not_supported

Json = Mapping[str, Any]
Errors = Iterator[FieldError]
Rule = Callable[[Json, Json | None], list[FieldError]]
"""(the new object, at an update the old one) → what is wrong. Both are structurally valid."""

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"


def immutable(*paths: str) -> Rule:
    """A rule: what stands at each of `paths` never changes."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        if old is None:
            return []
        return [
            invalid_value(path, after, IMMUTABLE)
            for path in paths
            if (after := at(new, path)) != at(old, path)
        ]

    return rule


def nonnegative(*paths: str) -> Rule:
    """A rule: the numbers at `paths` are not below zero."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        return [
            invalid_value(path, value, NEGATIVE)
            for path in paths
            if (value := at(new, path)) is not None and value < 0
        ]

    return rule


def at_most(limit: str, *paths: str, detail: str) -> Rule:
    """A rule: the numbers at `paths` are not above the one at `limit`; what is absent is zero."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        most = at(new, limit) or 0
        values = [(path, at(new, path) or 0) for path in paths]
        return [invalid_value(path, value, detail) for path, value in values if value > most]

    return rule


def never_less(path: str) -> Rule:
    """A rule: the number at `path` never falls and, once there, is never taken away."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        before, after = at(old, path), at(new, path)
        if before is None or (after is not None and after >= before):
            return []
        return [invalid_value(path, after or 0, "cannot be decremented")]

    return rule


def of_part(part: str, check: Callable[[Any, str], Iterable[FieldError]]) -> Rule:
    """A rule for a top-level part, such as `spec`: it is checked where it is new or changed.

    What was taken once stays valid: a write to another part is never refused because of it.
    """

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        value = new.get(part) or {}
        if old is not None and (old.get(part) or {}) == value:
            return []
        return list(check(value, part))

    return rule


def one_of(path: str, value: object, allowed: Sequence[str]) -> Errors:
    """`value`, if there is one, is among `allowed`."""
    if value is not None and value not in allowed:
        yield not_supported(path, value, allowed)


def at(obj: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj
