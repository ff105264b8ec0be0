"""What an admission policy says, compiled: conditions, variables; rules and annotations of one
that validates, mutations of one that mutates.

To compile is dear. It is done when a policy is written, so that its author learns what is wrong,
and the result is kept for the first request that it is about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import msgspec

from argosy.api.cel.environment import Environment
from argosy.api.cel.mutation import OBJECT, PATCHES
from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.composition import Composition
from argosy.apiserver.admission.policy.expressions import (
    BOOL,
    STRING,
    STRING_OR_NULL,
    Conditions,
    Expression,
    Failed,
    Pot,
    compiled,
    environment,
    environment_with,
)

Json = dict[str, Any]

LONGEST_MESSAGE: Final = 5 * 1024
APPLIED: Final = (OBJECT,)
PATCHED: Final = (PATCHES,)


@dataclass(frozen=True, slots=True)
class Validation:
    """One rule, and what is said where it does not hold."""

    expression: Expression
    message: str
    said: Expression | None  # messageExpression
    reason: str

    def words(self, activation: Activation, pot: Pot) -> str:
        """What is said. Raises OutOfBudget."""
        text = self._said(activation, pot) or self.message.strip()
        return text or f"failed expression: {self.expression.source.strip()}"

    def _said(self, activation: Activation, pot: Pot) -> str:
        if self.said is None:
            return ""
        try:
            value = self.said.evaluate(activation, pot)
        except Failed:
            return ""
        text = value.strip() if isinstance(value, str) else ""
        too_long = len(text.encode(errors="replace")) > LONGEST_MESSAGE
        return "" if too_long or "\n" in text else text


@dataclass(frozen=True, slots=True)
class Mutation:
    """How an object is changed: by a JSON patch (`patch`), or by an apply configuration."""

    patch: bool
    expression: Expression


@dataclass(frozen=True, slots=True)
class Body:
    """All of a policy that is expressions, in the order in which it is written."""

    conditions: Conditions
    composition: Composition
    validations: Sequence[Validation]
    annotations: Sequence[tuple[str, Expression]]
    mutations: Sequence[Mutation]
    names: frozenset[str]  # of the values that they read


PARTS: Final = ("matchConditions", "variables", "validations", "auditAnnotations", "mutations")


def body_of(spec: Mapping[str, Any]) -> Body:
    """What a spec says; what can't be compiled fails when it is asked."""
    parts = [spec.get(part) or [] for part in PARTS]
    return _body(msgspec.json.encode(parts), spec.get("paramKind") is not None)


@lru_cache(maxsize=64)
def _body(encoded: bytes, params: bool) -> Body:
    conditions, variables, validations, annotations, changes = msgspec.json.decode(encoded)
    composition = Composition.of(variables, partial(environment_with, params=params))
    known = composition.environment
    messages = environment_with(composition.types, params=params, authorizer=False)
    asked = Conditions.stored(conditions, environment(params=params))
    rules = [
        Validation(
            expression=compiled(one.get("expression") or "", known, BOOL),
            message=one.get("message") or "",
            said=compiled(said, messages, STRING)
            if (said := one.get("messageExpression") or "")
            else None,
            reason=one.get("reason") or "",
        )
        for one in validations
    ]
    noted = [
        (one["key"], compiled(one.get("valueExpression") or "", known, STRING_OR_NULL))
        for one in annotations
    ]
    mutations = _mutations(changes, partial(environment_with, composition.types, params=params))
    every = [*asked.expressions, *composition.written, *(value for _, value in noted)]
    for rule in rules:
        every += [rule.expression] if rule.said is None else [rule.expression, rule.said]
    read = (one.program.uses for one in every if one.program is not None)
    every += [mutation.expression for mutation in mutations]
    names = frozenset[str]().union(*read) - {"variables"}
    return Body(asked, composition, rules, noted, mutations, names)


def _mutations(changes: Sequence[Json], declared: Callable[..., Environment]) -> list[Mutation]:
    """Each is compiled for itself: it makes types of its own."""
    made = []
    for one in changes:
        patch = one.get("patchType") == "JSONPatch"
        said = one.get("jsonPatch" if patch else "applyConfiguration") or {}
        kinds = PATCHED if patch else APPLIED
        expression = compiled(said.get("expression") or "", declared(patches=True), kinds)
        made.append(Mutation(patch, expression))
    return made
