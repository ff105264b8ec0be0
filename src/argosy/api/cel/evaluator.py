"""Turns a checked tree into closures that run on plain JSON values.

The engine's own evaluator stops at 10,000 iterations, which refuses objects that Kubernetes
accepts, and can't be stopped by cost, which lets one request hold the server for a minute. So
the engine parses and checks, and what runs is this: every loop and every function pays its
`Budget` before it works.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from argosy.api.cel import nodes
from argosy.api.cel.access import has, index, optional_field, selected
from argosy.api.cel.decltypes import unescape
from argosy.api.cel.folds import (
    collected,
    collection,
    counted,
    elements,
    quantified,
    quantifier,
    single,
    truth,
)
from argosy.api.cel.nodes import Node, Type
from argosy.api.cel.values import (
    CONVERSIONS,
    TYPES,
    CelError,
    Message,
    Optional,
    TypeValue,
    equal,
    no_overload,
    ordered,
)

Frame = list[Any]
"""The budget, then the variables by slot."""
Run = Callable[[Frame], Any]
Function = Callable[..., Any]
"""Takes the budget and the operands."""

_PLAIN: Final = frozenset((int, bool, str))
_SHORT: Final = 200
"""A text that costs next to nothing to compare."""
MISSING: Final = object()
"""In the slot of a variable that has no value."""


class Compiler:
    """Makes closures. `variables` are the declared names, in the order of their slots."""

    def __init__(self, functions: Mapping[str, Function], variables: tuple[str, ...]) -> None:
        self.functions = functions
        self.scope = {name: slot for slot, name in enumerate(variables, 1)}
        self.slots = len(variables) + 1
        self.declared = len(variables)

    def run(self, node: Node) -> Run:
        """The closure that evaluates `node`."""
        if isinstance(node, nodes.Const):
            return lambda _, value=node.value: value  # type: ignore[misc]
        if isinstance(node, nodes.Ident):
            return _converted(self.ident(node), node.type)
        if isinstance(node, nodes.Select):
            return self.select(node)
        if isinstance(node, nodes.Call):
            return self.call(node)
        if isinstance(node, nodes.ListNode):
            return self.sequence(node)
        if isinstance(node, nodes.MapNode):
            return self.mapping(node)
        assert isinstance(node, nodes.Fold)
        return self.fold(node)

    def ident(self, node: nodes.Ident) -> Run:
        slot = self.scope.get(node.name)
        if slot is not None and slot > self.declared:  # a loop's: it is always there
            return operator.itemgetter(slot)
        if slot is None:
            found = TYPES.get(node.name) or TypeValue(node.name)
            return lambda _: found

        def run(frame: Frame) -> Any:
            value = frame[slot]
            if value is MISSING:
                raise CelError(f"no such attribute(s): {node.name}")
            return value

        return run

    def select(self, node: nodes.Select) -> Run:
        operand, name = self.run(node.operand), node.name
        if node.operand.type.kind == "message":
            name = unescape(name)
        if node.test:
            return lambda frame: has(operand(frame), name)

        def run(frame: Frame) -> Any:
            value = operand(frame)
            try:
                return value[name]
            except (KeyError, TypeError):
                return selected(value, name)

        return _converted(run, node.type)

    def call(self, node: nodes.Call) -> Run:
        special = SPECIAL.get(node.function)
        if special is not None:
            return special(self, node)
        function = self.functions[node.function]
        operands = [self.run(arg) for arg in node.operands()]
        if len(operands) == 1:
            only = operands[0]
            return lambda frame: function(frame[0], only(frame))
        if len(operands) == 2:
            one, other = operands
            return lambda frame: function(frame[0], one(frame), other(frame))
        return lambda frame: function(frame[0], *[operand(frame) for operand in operands])

    def sequence(self, node: nodes.ListNode) -> Run:
        items = [self.run(item) for item in node.items]
        if not node.optional:
            return lambda frame: [item(frame) for item in items]
        marked = [(run, at in node.optional) for at, run in enumerate(items)]

        def run(frame: Frame) -> Any:
            made = []
            for item, optional in marked:
                value = item(frame)
                if not optional:
                    made.append(value)
                elif value.present:
                    made.append(value.value)
            return made

        return run

    def mapping(self, node: nodes.MapNode) -> Run:
        entries = [(self.run(key), self.run(value), maybe) for key, value, maybe in node.entries]

        def run(frame: Frame) -> Any:
            made: dict[Any, Any] = {}
            for key, value, optional in entries:
                name, held = key(frame), value(frame)
                if name in made:
                    raise CelError(f"Failed with repeated key: {name}")
                if not optional:
                    made[name] = held
                elif held.present:
                    made[name] = held.value
            return Message(node.message, made) if node.message else made

        return run

    def fold(self, node: nodes.Fold) -> Run:
        over, init = self.run(node.range), self.run(node.init)
        outer = dict(self.scope)
        accu = self.slot(node.accu)
        result = self.run(node.result)
        first = self.slot(node.var)
        second = self.slot(node.var2) if node.var2 else 0
        made = self.loop(node, over, (accu, first, second), init, result)
        self.scope = outer
        return made

    def slot(self, name: str) -> int:
        self.scope[name] = self.slots
        self.slots += 1
        return self.scope[name]

    def loop(
        self, node: nodes.Fold, over: Run, slots: tuple[int, int, int], init: Run, result: Run
    ) -> Run:
        accu, first, second = slots
        variables = (first, second)
        if (predicate := quantifier(node)) is not None:
            stop = isinstance(node.init, nodes.Const) and node.init.value is False
            return quantified(over, self.run(predicate), variables, stop=stop)
        if (predicate := single(node)) is not None:
            return counted(over, self.run(predicate), variables)
        if (parts := collection(node)) is not None:
            condition, item = parts
            test = self.run(condition) if condition is not None else None
            return collected(over, test, self.run(item), variables)
        go_on, step = self.run(node.condition), self.run(node.step)

        def run(frame: Frame) -> Any:
            budget = frame[0]
            pairs = elements(over(frame), bool(second))
            frame[accu] = init(frame)
            for one, two in pairs:
                budget.spend(1)
                frame[first] = one
                if second:
                    frame[second] = two
                if go_on(frame) is False:
                    break
                frame[accu] = step(frame)
            return result(frame)

        return run


def _converted(run: Run, kind: Type) -> Run:
    """JSON's value as the type that the schema gives it."""
    conversion = CONVERSIONS.get(kind.kind)
    if conversion is None:
        return run
    source, convert = conversion

    def converted(frame: Frame) -> Any:
        value = run(frame)
        return convert(value) if type(value) is source else value  # type: ignore[operator]

    return converted


def _logical(decisive: bool) -> Callable[[Compiler, nodes.Call], Run]:
    """`||` where `decisive`, `&&` where not: the operand that decides outweighs an error."""

    def build(compiler: Compiler, node: nodes.Call) -> Run:
        one, other = (compiler.run(arg) for arg in node.args)

        def run(frame: Frame) -> Any:
            try:
                value = one(frame)
            except CelError as error:
                if other(frame) is decisive:
                    return decisive
                raise error
            if value is decisive:
                return decisive
            second = other(frame)
            if type(value) is not bool or type(second) is not bool:
                if second is decisive:
                    return decisive
                raise no_overload()
            return second

        return run

    return build


def _conditional(compiler: Compiler, node: nodes.Call) -> Run:
    test, yes, no = (compiler.run(arg) for arg in node.args)

    def run(frame: Frame) -> Any:
        value = test(frame)
        if value is True:
            return yes(frame)
        return yes(frame) if truth(value) else no(frame)

    return run


def _not(compiler: Compiler, node: nodes.Call) -> Run:
    operand = compiler.run(node.args[0])
    return lambda frame: not truth(operand(frame))


def _not_strictly_false(compiler: Compiler, node: nodes.Call) -> Run:
    operand = compiler.run(node.args[0])

    def run(frame: Frame) -> Any:
        try:
            return operand(frame) is not False
        except CelError:
            return True

    return run


def _equality(expected: bool) -> Callable[[Compiler, nodes.Call], Run]:
    def build(compiler: Compiler, node: nodes.Call) -> Run:
        one, other = (compiler.run(arg) for arg in node.args)

        def run(frame: Frame) -> Any:
            left, right = one(frame), other(frame)
            kind = type(left)
            if kind is type(right) and kind in _PLAIN and (kind is not str or len(left) < _SHORT):
                return (left == right) is expected  # the commonest
            return equal(left, right, frame[0]) is expected

        return run

    return build


def _ordering(test: Callable[[Any, Any], bool]) -> Callable[[Compiler, nodes.Call], Run]:
    def build(compiler: Compiler, node: nodes.Call) -> Run:
        left, right = (compiler.run(arg) for arg in node.args)

        def run(frame: Frame) -> Any:
            one, other = left(frame), right(frame)
            if type(one) is int and type(other) is int:
                return test(one, other)
            return ordered(one, other) and test(one, other)

        return run

    return build


def _indexing(compiler: Compiler, node: nodes.Call) -> Run:
    operand, key = (compiler.run(arg) for arg in node.args)
    return _converted(lambda frame: index(operand(frame), key(frame)), node.type)


def _optional_indexing(compiler: Compiler, node: nodes.Call) -> Run:
    operand, key = (compiler.run(arg) for arg in node.args)
    inner = node.type.element()

    def run(frame: Frame) -> Any:
        found = optional_field(operand(frame), key(frame))
        if not found.present or inner.kind not in CONVERSIONS:
            return found
        return Optional(_converted(lambda _: found.value, inner)(frame))

    return run


def _optional_or(method: str) -> Callable[[Compiler, nodes.Call], Run]:
    """`or` and `orValue`, whose argument is evaluated only where it is needed."""

    def build(compiler: Compiler, node: nodes.Call) -> Run:
        assert node.target is not None
        target, other = compiler.run(node.target), compiler.run(node.args[0])

        def run(frame: Frame) -> Any:
            value = target(frame)
            if type(value) is not Optional:
                raise no_overload()
            if not value.present:
                return other(frame)
            return value.value if method == "orValue" else value

        return run

    return build


SPECIAL: Final[dict[str, Callable[[Compiler, nodes.Call], Run]]] = {
    "_&&_": _logical(False),
    "_||_": _logical(True),
    "_?_:_": _conditional,
    "!_": _not,
    "@not_strictly_false": _not_strictly_false,
    "_==_": _equality(True),
    "_!=_": _equality(False),
    "_<_": _ordering(operator.lt),
    "_<=_": _ordering(operator.le),
    "_>_": _ordering(operator.gt),
    "_>=_": _ordering(operator.ge),
    "_[_]": _indexing,
    "_?._": _optional_indexing,
    "_[?_]": _optional_indexing,
    "or": _optional_or("or"),
    "orValue": _optional_or("orValue"),
}
"""Operators that don't evaluate all of their operands, or do so often."""
