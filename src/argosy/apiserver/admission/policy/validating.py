"""A ValidatingAdmissionPolicy and its bindings, compiled, and what it decides.

`Policy.judged` evaluates it for one request and one parameter. What comes to nothing (an expression
that fails, or that costs too much) is refused or let pass as the failure policy says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.body import Body, body_of
from argosy.apiserver.admission.policy.expressions import (
    OUT_OF_BUDGET,
    PER_CONDITIONS,
    PER_POLICY,
    QUICK,
    Expression,
    Failed,
    Lengthy,
    OutOfBudget,
    Pot,
)
from argosy.apiserver.admission.policy.matching import Matcher

Json = dict[str, Any]

LONGEST_VALUE: Final = 10 * 1024


@dataclass(frozen=True, slots=True)
class Denial:
    """A rule that does not hold. `reason` is empty where it could not be told."""

    index: int
    message: str
    reason: str = ""


@dataclass(slots=True)
class Judgement:
    """What a policy says of a request."""

    denials: list[Denial] = field(default_factory=list)
    annotations: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # of annotations, that refuse

    @classmethod
    def failed(cls, words: str, fails: bool) -> "Judgement":
        """None could be made."""
        return cls([Denial(0, words)] if fails else [])


NOTHING: Final = Judgement()
"""It has nothing to say."""


def _pot(budget: int, quick: bool) -> Pot:
    return Pot(QUICK, Lengthy) if quick else Pot(budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, of either kind. `fails`: what can't be decided is refused.

    `again`: it wants to see what others changed after it.
    """

    name: str
    matcher: Matcher
    fails: bool
    param_kind: Json | None
    body: Body
    facts: tuple[str, int]  # its uid and its generation
    again: bool = False

    def judged(self, activation: Activation, params: Any, *, quick: bool = False) -> Judgement:
        """What it says with one parameter. With `quick`, raises Lengthy where that takes long."""
        body, pot = self.body, _pot(PER_POLICY, quick)
        if self.param_kind is not None:
            activation = activation.bound(params=params)
        if body.conditions.expressions:
            wanted = body.conditions.paid(activation, _pot(PER_CONDITIONS, quick))
            if wanted is not True:
                return NOTHING if wanted is False else Judgement.failed(wanted, self.fails)
        bound, pay = body.composition.bound(activation, pot)
        try:
            broken = self._broken(bound, pot)
            if not broken and not body.annotations:
                return NOTHING
            worded = (self._worded(denial, bound, pot) for denial in broken)
            judgement = Judgement([denial for denial in worded if denial is not None])
            pay(pot := _pot(PER_POLICY, quick))
            for key, expression in body.annotations:
                self._annotate(judgement, key, expression, bound, pot)
        except OutOfBudget:
            return Judgement.failed(OUT_OF_BUDGET, self.fails)
        return judgement

    def _broken(self, activation: Activation, pot: Pot) -> list[Denial]:
        """The rules that do not hold, without words for those that have their own."""
        broken = []
        for index, validation in enumerate(self.body.validations):
            try:
                if validation.expression.evaluate(activation, pot) is not True:
                    broken.append(Denial(index, "", validation.reason or "Invalid"))
            except Failed as error:
                if self.fails:
                    broken.append(Denial(index, str(error)))
        return broken

    def _worded(self, denial: Denial, activation: Activation, pot: Pot) -> Denial | None:
        """With its words, which are paid from what the rules left."""
        if denial.message:
            return denial
        try:
            words = self.body.validations[denial.index].words(activation, pot)
        except OutOfBudget:
            words = f"failed messageExpression: {OUT_OF_BUDGET}"
            return Denial(denial.index, words) if self.fails else None
        return Denial(denial.index, words, denial.reason)

    def _annotate(
        self,
        judgement: Judgement,
        key: str,
        expression: Expression,
        activation: Activation,
        pot: Pot,
    ) -> None:
        try:
            value = expression.evaluate(activation, pot)
        except Failed as error:
            judgement.errors += [str(error)] if self.fails else []
            return
        if isinstance(value, str) and (text := value.strip()):
            judgement.annotations.append((key, text[:LONGEST_VALUE]))


def policy_of(obj: Json) -> Policy:
    """The policy of a stored object."""
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    return Policy(
        name=meta["name"],
        matcher=Matcher.of_resources(spec.get("matchConstraints") or {}),
        fails=spec.get("failurePolicy") != "Ignore",
        param_kind=spec.get("paramKind"),
        body=body_of(spec),
        facts=(str(meta.get("uid") or ""), int(meta.get("generation") or 0)),
        again=spec.get("reinvocationPolicy") == "IfNeeded",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What puts a policy into force."""

    name: str
    policy: str
    matcher: Matcher | None
    actions: Sequence[str]
    param_ref: Json | None


def binding_of(obj: Json) -> Binding:
    """The binding of a stored object."""
    spec = obj.get("spec") or {}
    resources = spec.get("matchResources")
    return Binding(
        name=obj["metadata"]["name"],
        policy=spec.get("policyName") or "",
        matcher=None if resources is None else Matcher.of_resources(resources),
        actions=tuple(spec.get("validationActions") or ()),
        param_ref=spec.get("paramRef"),
    )
