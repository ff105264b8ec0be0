"""A policy's variables: each is made when the first expression asks for it, and then kept.

What reads `variables.name` reads a mapping that evaluates. A variable sees those before it, and is
paid from the pot of whoever asks. One that fails does so for everybody who reads it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.cel.decltypes import DeclType, unescape
from argosy.api.cel.environment import Environment
from argosy.api.cel.nodes import Type
from argosy.api.cel.values import BudgetExceeded, CelError
from argosy.api.validation.policies import IDENTIFIER, RESERVED
from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.expressions import (
    ANYTHING,
    Expression,
    OutOfBudget,
    Pot,
    compiled,
)
from argosy.apiserver.admission.policy.types import DYNAMIC, SCALARS, list_of, map_of


def declared(kind: Type) -> DeclType:
    """A variable's type, as those after it see it."""
    if kind.kind == "list":
        return list_of(declared(kind.element()))
    if kind.kind == "map" and kind.params and kind.params[0].kind == "string":
        return map_of(declared(kind.element()))
    return SCALARS.get(kind.kind, DYNAMIC)


Declare = Callable[[Mapping[str, DeclType]], Environment]
"""Makes the environment of what can read variables of these types."""


@dataclass(frozen=True, slots=True)
class Composition:
    """The variables of a policy, and the environment of what reads them.

    `written` are the same in their order, also those that have no proper name.
    """

    written: tuple[Expression, ...]
    variables: Mapping[str, Expression]
    types: Mapping[str, DeclType]
    environment: Environment

    @classmethod
    def of(cls, variables: Iterable[Mapping[str, Any]], declare: Declare) -> "Composition":
        """Compiled one after the other: each is typed, and seen by those after it."""
        written: list[Expression] = []
        made: dict[str, Expression] = {}
        types: dict[str, DeclType] = {}
        known = declare(types)
        for variable in variables:
            name = str(variable.get("name") or "")
            expression = compiled(str(variable.get("expression") or ""), known, ANYTHING)
            written.append(expression)
            made[unescape(name)] = expression
            if IDENTIFIER.fullmatch(name) and name not in RESERVED:
                program = expression.program
                types[name] = DYNAMIC if program is None else declared(program.type)
                known = declare(types)
        return cls(tuple(written), made, types, known)

    def bound(self, activation: Activation, pot: Pot) -> tuple[Activation, Callable[[Pot], None]]:
        """What the policy's expressions read, and how another pot is made to pay for it."""
        if not self.variables:
            return activation, _free
        lazy = Lazy(self.variables, pot)
        lazy.activation = activation.bound(variables=lazy)
        return lazy.activation, lazy.pay


def _free(pot: Pot) -> None:
    """Nothing is to be paid."""


class Lazy(dict[str, Any]):
    """The variables' values; `pot` is who pays."""

    __slots__ = ("_expressions", "_failed", "activation", "pot")

    def __init__(self, expressions: Mapping[str, Expression], pot: Pot) -> None:
        super().__init__()
        self._expressions = expressions
        self._failed: dict[str, str] = {}
        self.activation: Activation | None = None
        self.pot = pot

    def pay(self, pot: Pot) -> None:
        """From here on, `pot` pays."""
        self.pot = pot

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __missing__(self, name: str) -> Any:
        if name not in self._expressions:
            raise CelError(f"no such key: {name}")
        if name not in self._failed:
            try:
                return self.setdefault(name, self._value(self._expressions[name]))
            except OutOfBudget:
                raise
            except (CelError, BudgetExceeded) as error:
                self._failed[name] = f'composited variable "{name}" fails to evaluate: {error}'
        raise CelError(self._failed[name])

    def _value(self, expression: Expression) -> Any:
        if expression.program is None:
            raise CelError(f"compilation error: {expression.error}")
        assert self.activation is not None
        return self.pot.evaluate(expression.program, self.activation)
