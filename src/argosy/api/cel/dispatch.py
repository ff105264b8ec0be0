"""How a library's function is found by the types of its operands, and paid for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from argosy.api.cel.values import Budget, no_overload

Function = Callable[..., Any]

_SIZED: Final = frozenset((str, bytes, list, dict))


def overloads(*cases: tuple[tuple[type, ...], Callable[..., Any]]) -> Function:
    """A function of several signatures. Reading its operands is what it costs."""
    table: Mapping[tuple[type, ...], Callable[..., Any]] = dict(cases)

    def function(budget: Budget, *operands: Any) -> Any:
        chosen = table.get(tuple(map(type, operands)))
        if chosen is None:
            raise no_overload()
        budget.spend(1 + sum(len(item) for item in operands if type(item) in _SIZED) // 10)
        return chosen(*operands)

    return function


def for_each(
    kinds: Iterable[type], rest: tuple[type, ...], chosen: Callable[..., Any]
) -> list[tuple[tuple[type, ...], Callable[..., Any]]]:
    """The same implementation for several first operands."""
    return [((kind, *rest), chosen) for kind in kinds]
