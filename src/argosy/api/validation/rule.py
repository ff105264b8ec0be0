"""What a rule is, and the ones that many kinds share."""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.base.errors import FieldError, invalid_value

Json = Mapping[str, Any]
Rule = Callable[[Json, Json | None], list[FieldError]]
"""(the new object, at an update the old one) → what is wrong. Both are structurally valid."""

IMMUTABLE = "field is immutable"


def immutable(path: str) -> Rule:
    """A rule: what stands at `path` never changes."""

    def rule(new: Json, old: Json | None) -> list[FieldError]:
        before, after = (at(obj, path) for obj in (old, new))
        if old is None or before == after:
            return []
        return [invalid_value(path, after, IMMUTABLE)]

    return rule


def at(obj: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj
