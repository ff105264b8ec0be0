"""Lists and sets of values."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from argosy.api.cel.dispatch import Function
from argosy.api.cel.values import (
    Budget,
    CelError,
    Duration,
    UInt,
    equal,
    integer,
    no_overload,
    ordered,
    unsigned,
)


def _listed(value: Any, budget: Budget) -> list[Any]:
    if type(value) is not list:
        raise no_overload()
    budget.spend(1 + len(value))
    return value


def _is_sorted(budget: Budget, items: Any) -> bool:
    held = _listed(items, budget)
    return all(ordered(one, two) and one <= two for one, two in zip(held, held[1:], strict=False))


def _sum(budget: Budget, items: Any) -> Any:
    held = _listed(items, budget)
    if all(type(item) is Duration for item in held) and held:
        return Duration(integer(sum(item.ns for item in held)))
    if not all(type(item) in (int, UInt, float) for item in held):
        raise no_overload()
    total = sum(held)
    if isinstance(total, float):
        return total
    return unsigned(total) if held and type(held[0]) is UInt else integer(total)


def _extreme(name: str, better: Callable[[Any, Any], bool]) -> Function:
    def function(budget: Budget, items: Any) -> Any:
        held = _listed(items, budget)
        if not held:
            raise CelError(f"{name} called on empty list")
        best = held[0]
        for item in held[1:]:
            if ordered(item, best) and better(item, best):
                best = item
        return best

    return function


def _position(*, last: bool) -> Function:
    def function(budget: Budget, holder: Any, item: Any, start: Any = None) -> int:
        if type(holder) is str and type(item) is str:
            budget.spend(1 + len(holder) // 10)
            return _text_position(holder, item, start, last=last)
        held = _listed(holder, budget)
        places = range(len(held) - 1, -1, -1) if last else range(len(held))
        return next((at for at in places if equal(held[at], item, budget)), -1)

    return function


def _text_position(text: str, part: str, start: int | None, *, last: bool) -> int:
    if start is not None and not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    if last:
        return text.rfind(part, 0, None if start is None else start + len(part))
    return text.find(part, start or 0)


def _includes(budget: Budget, items: Any, item: Any) -> bool:
    if type(items) is not list:  # a single value includes itself
        return equal(items, item, budget)
    return any(equal(other, item, budget) for other in _listed(items, budget))


def _flattened(budget: Budget, items: Any, depth: Any = 1) -> list[Any]:
    if type(depth) is not int or depth < 0:
        raise CelError("level must be non-negative")
    made: list[Any] = []
    for item in _listed(items, budget):
        if type(item) is list and depth > 0:
            made.extend(_flattened(budget, item, depth - 1))
        else:
            made.append(item)
    return made


def _range(budget: Budget, count: Any) -> list[int]:
    if type(count) is not int:
        raise no_overload()
    budget.spend(1 + max(0, count))
    return list(range(count))


def _slice(budget: Budget, items: Any, start: Any, end: Any) -> list[Any]:
    held = _listed(items, budget)
    if not 0 <= start <= end <= len(held):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(held)}")
    return held[start:end]


def _distinct(budget: Budget, items: Any) -> list[Any]:
    made: list[Any] = []
    seen: set[Any] = set()
    for item in _listed(items, budget):
        if type(item) is str:
            if item not in seen:
                seen.add(item)
                made.append(item)
        elif not _holds(budget, made, item):
            made.append(item)
    return made


def _holds(budget: Budget, items: list[Any], item: Any) -> bool:
    budget.spend(1 + len(items))
    return any(equal(other, item, budget) for other in items)


def _reversed(budget: Budget, items: Any) -> list[Any]:
    return _listed(items, budget)[::-1]


def _by_keys(budget: Budget, items: Any, keys: Any) -> list[Any]:
    held, by = _listed(items, budget), _listed(keys, budget)
    if len({type(key) for key in by}) > 1:
        raise CelError("list elements must have the same type")
    for one, two in zip(by, by[1:], strict=False):
        ordered(one, two)
    budget.spend(len(held) * max(1, len(held).bit_length()))
    return [held[at] for at in sorted(range(len(held)), key=by.__getitem__)]


def _sorted(budget: Budget, items: Any) -> list[Any]:
    return _by_keys(budget, items, items)


def _contains_all(budget: Budget, items: Any, others: Any) -> bool:
    held = _listed(items, budget)
    return all(_holds(budget, held, item) for item in _listed(others, budget))


def _equivalent(budget: Budget, items: Any, others: Any) -> bool:
    return _contains_all(budget, items, others) and _contains_all(budget, others, items)


def _intersects(budget: Budget, items: Any, others: Any) -> bool:
    held = _listed(items, budget)
    return any(_holds(budget, held, item) for item in _listed(others, budget))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "isSorted": _is_sorted,
    "sum": _sum,
    "min": _extreme("min", lambda one, best: one < best),
    "max": _extreme("max", lambda one, best: one > best),
    "indexOf": _position(last=False),
    "lastIndexOf": _position(last=True),
    "includes": _includes,
    "flatten": _flattened,
    "lists.range": _range,
    "slice": _slice,
    "distinct": _distinct,
    "reverse": _reversed,
    "sort": _sorted,
    "@sortByAssociatedKeys": _by_keys,
    "sets.contains": _contains_all,
    "sets.equivalent": _equivalent,
    "sets.intersects": _intersects,
}
