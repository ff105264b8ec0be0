"""Conditions: set one, keep the others, and move the transition time only when the status flips."""

from collections.abc import Sequence

import msgspec

from argosy.api.meta import Condition


def with_condition(
    conditions: Sequence[Condition], new: Condition, now: str
) -> tuple[Condition, ...]:
    """`conditions` with `new` in its place (or at the end). `now` is an RFC 3339 timestamp."""
    old = next((item for item in conditions if item.type == new.type), None)
    flipped = old is None or old.status != new.status
    since = now if flipped else old.last_transition_time if old else now
    stamped = msgspec.structs.replace(new, last_transition_time=since)
    if old is None:
        return (*conditions, stamped)
    return tuple(stamped if item.type == new.type else item for item in conditions)
