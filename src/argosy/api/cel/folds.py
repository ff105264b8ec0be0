"""The loops that the common macros become: `all`, `exists`, `exists_one`, `map`, `filter`.

Each iteration pays the budget before it works. What the macros share is recognized in the tree,
so that a quantifier stops early and a list grows in place.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from argosy.api.cel import nodes
from argosy.api.cel.nodes import Node
from argosy.api.cel.values import BudgetExceeded, CelError, no_overload

Run = Callable[[list[Any]], Any]


def elements(value: Any, pairs: bool) -> Iterable[tuple[Any, Any]]:
    """What a loop runs over: a list's item or a map's key; with `pairs`, key and value."""
    if type(value) is list:
        return enumerate(value) if pairs else ((item, None) for item in value)
    if isinstance(value, dict):
        return value.items()
    raise no_overload()


def _each(value: Any, frame: list[Any], slots: tuple[int, int]) -> Iterator[None]:
    """Puts one element after another into the variables, and pays for each."""
    budget = frame[0]
    first, second = slots
    if second:
        for one, two in elements(value, True):
            budget.spend(1)
            frame[first], frame[second] = one, two
            yield
        return
    if type(value) is not list and not isinstance(value, dict):
        raise no_overload()
    for one in value:
        budget.left -= 1
        if budget.left < 0:
            raise BudgetExceeded
        frame[first] = one
        yield


def truth(value: Any) -> bool:
    """A condition's value, which must be a bool."""
    if value is True or value is False:
        return bool(value)
    raise no_overload()


def _is_accumulator(node: Node, fold: nodes.Fold) -> bool:
    return isinstance(node, nodes.Ident) and node.name == fold.accu


def quantifier(fold: nodes.Fold) -> Node | None:
    """The predicate of `all` and `exists`."""
    step = fold.step
    if not isinstance(fold.init, nodes.Const) or not isinstance(step, nodes.Call):
        return None
    operator = {True: "_&&_", False: "_||_"}
    value = fold.init.value
    if type(value) is not bool or step.function != operator[value]:
        return None
    plain = _is_accumulator(step.args[0], fold) and _is_accumulator(fold.result, fold)
    return step.args[1] if plain else None


def quantified(over: Run, test: Run, slots: tuple[int, int], *, stop: bool) -> Run:
    """`exists` where `stop`, `all` where not: errors count only if nothing decides."""
    other = not stop

    def run(frame: list[Any]) -> Any:
        failure = None
        for _ in _each(over(frame), frame, slots):
            try:
                value = test(frame)
            except CelError as error:
                failure = error
                continue
            if value is stop:
                return stop
            if value is not other:
                failure = no_overload()
        if failure is not None:
            raise failure
        return other

    return run


def single(fold: nodes.Fold) -> Node | None:
    """The predicate of `exists_one`."""
    step = fold.step
    if not isinstance(fold.init, nodes.Const) or type(fold.init.value) is not int:
        return None
    if not isinstance(step, nodes.Call) or step.function != "_?_:_":
        return None
    counts = isinstance(step.args[1], nodes.Call) and step.args[1].function == "_+_"
    result = fold.result
    once = isinstance(result, nodes.Call) and result.function == "_==_"
    return step.args[0] if counts and once and _is_accumulator(step.args[2], fold) else None


def counted(over: Run, test: Run, slots: tuple[int, int]) -> Run:
    """`exists_one`: every element is looked at, and an error is one."""

    def run(frame: list[Any]) -> Any:
        count = 0
        for _ in _each(over(frame), frame, slots):
            value = test(frame)
            if value is True:
                count += 1
            elif value is not False:
                raise no_overload()
        return count == 1

    return run


def collection(fold: nodes.Fold) -> tuple[Node | None, Node] | None:
    """The condition and the item of `map` and `filter`."""
    step, condition = fold.step, None
    if not isinstance(fold.init, nodes.ListNode) or fold.init.items:
        return None
    if isinstance(step, nodes.Call) and step.function == "_?_:_":
        if not _is_accumulator(step.args[2], fold):
            return None
        condition, step = step.args[0], step.args[1]
    if not isinstance(step, nodes.Call) or step.function != "_+_":
        return None
    accumulator, item = step.args
    if not _is_accumulator(accumulator, fold) or not _is_accumulator(fold.result, fold):
        return None
    if not isinstance(item, nodes.ListNode) or len(item.items) != 1 or item.optional:
        return None
    return condition, item.items[0]


def collected(over: Run, test: Run | None, item: Run, slots: tuple[int, int]) -> Run:
    """`map` and `filter`."""

    def run(frame: list[Any]) -> Any:
        each = _each(over(frame), frame, slots)
        if test is None:
            return [item(frame) for _ in each]
        return [item(frame) for _ in each if truth(test(frame))]

    return run
