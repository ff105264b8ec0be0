"""Policies that take long: within their budget, but longer than others should wait.

What a policy may cost takes it seconds here. One that is not done quickly is evaluated in a thread,
on what it has read by then, while the write waits as it would for another server's answer. What
asks an authorizer does not leave the loop: who may do what is read there, and two such questions
are all that an expression can afford.
"""

import asyncio
from typing import Any, Final

import msgspec

from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.expressions import (
    PER_POLICY,
    QUICK,
    Failed,
    Lengthy,
    OutOfBudget,
    Pot,
)
from argosy.apiserver.admission.policy.validating import Judgement, Policy
from argosy.apiserver.answers import Answers, Ask

ASKING: Final = frozenset({"authorizer", "authorizer.requestResource"})


def judged(policy: Policy, activation: Activation, params: Any, answers: Answers) -> Judgement:
    """What a policy says. Raises Unanswered where that takes a while."""
    names = policy.body.names
    if not names.isdisjoint(ASKING):
        return policy.judged(activation, params)
    try:
        return policy.judged(activation, params, quick=True)
    except Lengthy:
        pass

    async def judge() -> Judgement:
        return await asyncio.to_thread(policy.judged, activation, params)

    about = (policy.facts, _read(policy, activation, params))
    answer: Judgement = answers.need(Ask(f"policy {policy.name}", about, judge))[0]
    return answer


def _read(policy: Policy, activation: Activation, params: Any) -> bytes:
    """All that the policy reads, read now: in a thread nothing is looked up."""
    values = {name: activation.get(name) for name in policy.body.names - {"params"}}
    return msgspec.json.encode([values, params])


def evaluated(
    policy: Policy, index: int, activation: Activation, params: Any, answers: Answers
) -> Any:
    """What a policy's mutation comes to. Raises Failed, OutOfBudget; Unanswered as above."""

    def evaluate(pot: Pot) -> Any:
        bound, _ = policy.body.composition.bound(activation, pot)
        return policy.body.mutations[index].expression.evaluate(bound, pot)

    if not policy.body.names.isdisjoint(ASKING):
        return evaluate(Pot(PER_POLICY))
    try:
        return evaluate(Pot(QUICK, Lengthy))
    except Lengthy:
        pass

    def whole() -> tuple[Any, Exception | None]:
        try:
            return evaluate(Pot(PER_POLICY)), None
        except (Failed, OutOfBudget) as error:
            return None, error

    async def ask() -> tuple[Any, Exception | None]:
        return await asyncio.to_thread(whole)

    about = (policy.facts, index, _read(policy, activation, params))
    value, error = answers.need(Ask(f"policy {policy.name}/{index}", about, ask))[0]
    if error is not None:
        raise error
    return value
