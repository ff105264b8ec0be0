"""What `autoscaling/v1` says of autoscalers in annotations, read as strictly as fields are.

Whoever writes a v1 object may write anything into them: what is not as it should be is as none.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from argosy.api.labelselector import LabelSelector
from argosy.api.meta import View
from argosy.base import quantity
from argosy.base.clock import parse_timestamp

Json = dict[str, Any]
Notes = Mapping[str, Any]
T = TypeVar("T")
_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, BEHAVIOR, CURRENT, CONDITIONS = (
    f"{_PREFIX}{name}" for name in ("metrics", "behavior", "current-metrics", "conditions")
)
OURS = frozenset({METRICS, BEHAVIOR, CURRENT, CONDITIONS})
_Int = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_Amount = str | int | float | None


class _Reference(View, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    api_version: str = ""


class _Source(View, frozen=True, kw_only=True):
    """The fields of all sources, of targets and of what was measured."""

    name: str = ""
    container: str = ""
    metric_name: str = ""
    selector: LabelSelector | None = None
    metric_selector: LabelSelector | None = None
    target: _Reference | None = None
    target_average_utilization: _Int | None = None
    current_average_utilization: _Int | None = None
    target_value: _Amount = None
    target_average_value: _Amount = None
    average_value: _Amount = None
    current_value: _Amount = None
    current_average_value: _Amount = None

    def __post_init__(self) -> None:
        for amount in (
            self.target_value,
            self.target_average_value,
            self.average_value,
            self.current_value,
            self.current_average_value,
        ):
            if amount is not None:
                quantity.parse(amount)


class _Metric(View, frozen=True, kw_only=True):
    type: str = ""
    object: _Source | None = None
    pods: _Source | None = None
    resource: _Source | None = None
    container_resource: _Source | None = None
    external: _Source | None = None


class _Condition(View, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.last_transition_time is not None:
            parse_timestamp(self.last_transition_time)


class _Policy(View, frozen=True, kw_only=True):
    type: str = ""
    value: _Int = 0
    period_seconds: _Int = 0


class _Rules(View, frozen=True, kw_only=True):
    stabilization_window_seconds: _Int | None = None
    select_policy: str | None = None
    policies: tuple[_Policy, ...] | None = None
    tolerance: _Amount = None

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            quantity.parse(self.tolerance)


class _Behavior(View, frozen=True, kw_only=True):
    scale_up: _Rules | None = None
    scale_down: _Rules | None = None


_BEHAVIOR_NAMES = {
    name.lower(): name
    for kind in (_Behavior, _Rules, _Policy)
    for name in kind.__struct_encode_fields__
}


def metrics(notes: Notes, name: str) -> list[Json] | None:
    """The metrics in annotation `name`, of a spec or of a status; None where there are none."""
    return _read(notes, name, _metrics)


def behavior(notes: Notes) -> Json | None:
    """The behaviour, in v2's names."""
    return _read(notes, BEHAVIOR, _behavior)


def conditions(notes: Notes) -> list[Json] | None:
    """The conditions."""
    return _read(notes, CONDITIONS, _conditions)


def _read(notes: Notes, name: str, read: Callable[[str], T]) -> T | None:
    text = notes.get(name)
    try:
        return read(text) if isinstance(text, str) else None
    except (msgspec.DecodeError, RecursionError):
        return None


def _metrics(text: str) -> list[Json]:
    found = msgspec.json.decode(text, type=tuple[_Metric, ...])
    return [_plain(one) for one in found]


def _conditions(text: str) -> list[Json]:
    found = msgspec.json.decode(text, type=tuple[_Condition, ...])
    return [{"type": one.type, "status": one.status, **_plain(one)} for one in found]


def _behavior(text: str) -> Json:
    plain = _named(msgspec.json.decode(text))
    found = _plain(msgspec.convert(plain, _Behavior))
    for rules in found.values():
        for policy in rules.get("policies") or ():
            for name, empty in (("type", ""), ("value", 0), ("periodSeconds", 0)):
                policy.setdefault(name, empty)
    return found


def _plain(view: View) -> Json:
    """As JSON has it: with lists, where views have tuples."""
    found: Json = msgspec.json.decode(msgspec.json.encode(view))
    return found


def _named(value: Any) -> Any:
    """With the names of v2, however they are spelled, and without nulls."""
    if isinstance(value, dict):
        return {
            _BEHAVIOR_NAMES.get(name.lower(), name): _named(item)
            for name, item in value.items()
            if item is not None
        }
    return [_named(item) for item in value] if isinstance(value, list) else value
