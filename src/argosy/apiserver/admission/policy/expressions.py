"""The expressions (CEL) of admission: what they may name, how they are compiled and paid for.

An `Expression` is a text with its program, or with what is wrong with it. Those of one policy share
the `Pot` from which they are paid; those that break say so in words, which the failure policy
weighs. What they read is made in `activation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from argosy.api.cel.decltypes import DeclType
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import PER_CALL, Declaration, Environment, Program, shown
from argosy.api.cel.minors import Allowed
from argosy.api.cel.nodes import Type
from argosy.api.cel.values import Budget, BudgetExceeded, CelError
from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.types import NAMESPACE_TYPE, REQUEST_TYPE
from argosy.base.errors import FieldError, invalid_value

PER_POLICY: Final = 10_000_000
"""What all expressions may cost for one policy, binding and parameter."""
QUICK: Final = 20_000
"""What a policy may cost before others are let go on: up to a tenth of a second."""
PER_CONDITIONS: Final = 2_500_000
"""What the match conditions of one webhook, or of one policy and binding, may cost."""
OUT_OF_BUDGET: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)
_SHORT: Final = 1000
"""Characters of a text that is worth keeping: large ones come once."""

BOOL: Final = (Type("bool"),)
STRING: Final = (Type("string"),)
STRING_OR_NULL: Final = (Type("string"), Type("null"))
ANYTHING: Final[tuple[Type, ...]] = ()


class OutOfBudget(BudgetExceeded):
    """The pot is empty: nothing further is evaluated."""


class Failed(Exception):
    """An expression without a value. The text is upstream's."""


class Lengthy(Exception):
    """What was to be had quickly takes longer: see `lengthy`."""


class Pot(Budget):
    """What several expressions may still cost together. `empty` is raised where that is nothing."""

    __slots__ = ("empty",)

    def __init__(self, left: int, empty: type[Exception] = OutOfBudget) -> None:
        self.left = left
        self.empty = empty

    def evaluate(self, program: Program, activation: Activation) -> Any:
        """The program's value.

        Raises CelError where it has none, BudgetExceeded where it is too dear for one, and `empty`
        where it is for the pot.
        """
        allowed = PER_CALL if self.left > PER_CALL else self.left
        call = Budget(allowed)
        try:
            value = program.evaluate(activation, call)
        except OutOfBudget:
            raise
        except BudgetExceeded:
            if allowed < PER_CALL:
                raise self.empty from None
            raise
        finally:
            self.left -= allowed - (call.left if call.left > 0 else 0)
        if self.left < 0:  # what it read of variables cost too much besides
            raise self.empty
        return value


def declarations(*, params: bool, authorizer: bool = True) -> dict[str, Declaration]:
    """What an expression may name, but for a policy's own variables."""
    names: dict[str, Declaration] = {
        "object": "dyn",
        "oldObject": "dyn",
        "namespaceObject": NAMESPACE_TYPE,
        "request": REQUEST_TYPE,
    }
    if params:
        names["params"] = "dyn"
    if authorizer:
        names["authorizer"] = "kubernetes.authorization.Authorizer"
        names["authorizer.requestResource"] = "kubernetes.authorization.ResourceCheck"
    return names


@lru_cache(maxsize=4)
def environment(*, params: bool, authorizer: bool = True) -> Environment:
    """The environment of expressions without variables."""
    return Environment(declarations(params=params, authorizer=authorizer))


def environment_with(
    variables: Mapping[str, DeclType],
    *,
    params: bool,
    authorizer: bool = True,
    patches: bool = False,
) -> Environment:
    """The environment of a policy that has variables; with `patches`, of what changes objects."""
    if not variables and not patches:
        return environment(params=params, authorizer=authorizer)
    names = declarations(params=params, authorizer=authorizer)
    if variables:
        names["variables"] = DeclType("message", 2, fields=dict(variables))
    return Environment(names, patches=patches)


@dataclass(frozen=True, slots=True)
class Expression:
    """One, compiled; or why it can't be."""

    source: str
    program: Program | None
    error: str = ""

    def evaluate(self, activation: Activation, pot: Pot) -> Any:
        """Its value. Raises Failed where it has none, OutOfBudget where the pot is empty."""
        program = self.program
        if program is None:
            raise Failed(f"compilation error: {self.error}")
        try:
            return pot.evaluate(program, activation)
        except OutOfBudget:
            raise
        except (CelError, BudgetExceeded) as error:
            raise Failed(f"expression '{self.source}' resulted in error: {error}") from None


def compiled(source: str, known: Environment, kinds: Sequence[Type]) -> Expression:
    """The expression, whose value must be of one of `kinds`; none: of any."""
    make = _kept if len(source) <= _SHORT else _compiled
    return make(source, known, tuple(kinds))


def _compiled(source: str, known: Environment, kinds: tuple[Type, ...]) -> Expression:
    try:
        program = known.compile(source)
    except CompileError as error:
        return Expression(source, None, f"compilation failed: {error}")
    if not kinds or program.type in kinds:
        return Expression(source, program)
    wanted = " ".join(map(shown, kinds))
    wanted = wanted if len(kinds) == 1 else f"one of [{wanted}]"
    return Expression(source, None, f"must evaluate to {wanted} but got {shown(program.type)}")


_kept = lru_cache(maxsize=512)(_compiled)
"""A policy is compiled when it is written, and when it is first used: that is once."""


def fault(expression: Expression, path: str, may: Allowed | None = None) -> list[FieldError]:
    """What its author is told, if anything; `may` is what it may use, where it is new."""
    error = expression.error
    if expression.program is not None:
        if may is None or not (error := may.fault(expression.program.root, expression.source)):
            return []
        error = f"compilation failed: {error}"
    return [invalid_value(path, expression.source, error)]


@dataclass(frozen=True, slots=True)
class Conditions:
    """`matchConditions`: whether somebody wants to be asked at all."""

    expressions: tuple[Expression, ...] = ()

    @classmethod
    def compile(
        cls,
        conditions: Sequence[Mapping[str, Any]],
        path: str,
        *,
        params: bool = False,
        may: Allowed | None = None,
    ) -> "Conditions | list[FieldError]":
        """Those that stand at `path`, or what is wrong with them; new ones use what they `may`."""
        made = cls.stored(conditions, environment(params=params))
        errors = [
            error
            for at, expression in enumerate(made.expressions)
            if expression.source.strip()  # that there is none is complained of elsewhere
            for error in fault(expression, f"{path}[{at}].expression", may)
        ]
        return errors or made

    @classmethod
    def stored(
        cls, conditions: Sequence[Mapping[str, Any]], known: Environment | None = None
    ) -> "Conditions":
        """Those of what is stored already: one that can't be compiled fails when it is asked."""
        known = known or environment(params=False)
        return cls(
            tuple(compiled(str(one.get("expression") or ""), known, BOOL) for one in conditions)
        )

    def check(self, activation: Activation, budget: int = PER_CONDITIONS) -> bool | str:
        """Whether all hold: one that does not outweighs those that fail, which give words."""
        return self.paid(activation, Pot(budget)) if self.expressions else True

    def paid(self, activation: Activation, pot: Pot) -> bool | str:
        """As `check`, paid from a pot."""
        activation = activation.without_namespace()
        errors: dict[str, None] = {}
        try:
            for expression in self.expressions:
                try:
                    if expression.evaluate(activation, pot) is False:
                        return False
                except Failed as error:
                    errors[str(error)] = None
        except OutOfBudget:
            return OUT_OF_BUDGET
        if not errors:
            return True
        return next(iter(errors)) if len(errors) == 1 else f"[{', '.join(errors)}]"
