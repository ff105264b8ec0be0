"""Expressions of admission by themselves: budgets, words, and variables that are made once."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.admission.policy.activation import Activation, request_of
from argosy.apiserver.admission.policy.composition import Composition
from argosy.apiserver.admission.policy.expressions import (
    BOOL,
    OUT_OF_BUDGET,
    PER_POLICY,
    Conditions,
    Failed,
    OutOfBudget,
    Pot,
    compiled,
    environment,
    environment_with,
)
from argosy.apiserver.authorization import attributes as access
from argosy.apiserver.authorization.authorizer import Decision
from argosy.base.errors import FieldError
from tests.apiserver.admission.policy.test_matching import request

Json = dict[str, Any]
PARAMLESS = environment(params=False)


def conditions(*texts: str) -> Conditions:
    made = Conditions.compile(
        [{"name": str(at), "expression": text} for at, text in enumerate(texts)], "conditions"
    )
    assert isinstance(made, Conditions), made
    return made


def asked(**labels: str) -> Activation:
    return Activation(request(labels=labels))


FAILS = "object.nothing == 1"
WORDS = f"expression '{FAILS}' resulted in error: no such key: nothing"


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        ((), True),
        (("true", "request.name == 'web'"), True),
        (("true", "request.name == 'db'"), False),
        ((FAILS, "false"), False),
        (("false", FAILS), False),
        ((FAILS, "true"), WORDS),
        ((FAILS, FAILS), WORDS),
        ((FAILS, "object.other"), f"[{WORDS}, expression 'object.other' resulted in error: x]"),
        (("namespaceObject == null",), True),
    ],
)
def test_conditions(texts: tuple[str, ...], outcome: bool | str) -> None:
    if "object.other" in texts:
        texts = (FAILS, "object.other == 1")
        second = "expression 'object.other == 1' resulted in error: no such key: other"
        outcome = f"[{WORDS}, {second}]"
    assert conditions(*texts).check(asked()) == outcome


def test_conditions_that_do_not_compile() -> None:
    made = Conditions.compile([{"name": "a", "expression": "1"}, {"name": "b"}], "where")
    assert made == [
        FieldError(
            "FieldValueInvalid",
            "where[0].expression",
            'Invalid value: "1": must evaluate to bool but got int',
        )
    ]
    stored = Conditions.stored([{"name": "a", "expression": "1"}])
    assert stored.check(asked()) == "compilation error: must evaluate to bool but got int"


def test_conditions_share_a_budget() -> None:
    dear = "[1, 2, 3, 4, 5, 6, 7, 8].all(a, [1, 2, 3, 4, 5, 6, 7, 8].all(b, a * b > 0))"
    made = conditions(*[dear] * 20)
    assert made.check(asked()) is True
    assert made.check(asked(), 1000) == OUT_OF_BUDGET
    assert conditions(*[dear] * 20, "false").check(asked(), 1000) == OUT_OF_BUDGET


def composed(*variables: tuple[str, str]) -> Composition:
    written = [{"name": name, "expression": text} for name, text in variables]
    return Composition.of(written, partial(environment_with, params=False))


def test_variables_are_made_once_and_only_where_they_are_read() -> None:
    questions: list[access.Attributes] = []
    attributes = request()

    def authorize(question: access.Attributes) -> Decision:
        questions.append(question)
        return Decision(True)

    attributes.authorize = authorize
    asks = "authorizer.path('/{}').check('get').allowed()"
    made = composed(("a", asks.format("a")), ("b", "variables.a"), ("never", asks.format("n")))
    pot = Pot(PER_POLICY)
    bound, _ = made.bound(Activation(attributes), pot)
    read = compiled("variables.a && variables.b && has(variables.never)", made.environment, BOOL)

    assert [read.evaluate(bound, pot) for _ in range(3)] == [True] * 3
    assert [one.path for one in questions] == ["/a"]
    assert PER_POLICY - 700_000 < pot.left < PER_POLICY - 350_000


def test_a_variable_that_fails_can_be_outweighed() -> None:
    made = composed(("broken", "object.nothing"))
    pot = Pot(PER_POLICY)
    bound, _ = made.bound(asked(), pot)
    assert compiled("variables.broken == 1 || true", made.environment, BOOL).evaluate(bound, pot)
    with pytest.raises(Failed, match='composited variable "broken" fails to evaluate: no such key'):
        compiled("variables.broken == 1", made.environment, BOOL).evaluate(bound, pot)


def test_an_empty_pot_is_not_outweighed() -> None:
    items = ", ".join("1" * 60)
    dear = f"[{items}].all(a, [{items}].all(b, a * b > 0))"
    made = composed(("dear", dear))
    pot = Pot(3000)
    bound, _ = made.bound(asked(), pot)
    with pytest.raises(OutOfBudget):
        compiled("variables.dear || true", made.environment, BOOL).evaluate(bound, pot)


def test_an_expression_that_is_too_dear_by_itself_only_fails() -> None:
    attributes = request()
    attributes.authorize = lambda question: Decision(True)
    thrice = " && ".join([f"authorizer.path('/{i}').check('get').allowed()" for i in range(3)])
    pot = Pot(PER_POLICY)
    with pytest.raises(Failed, match="operation cancelled: actual cost limit exceeded"):
        compiled(thrice, PARAMLESS, BOOL).evaluate(Activation(attributes), pot)
    assert pot.left == PER_POLICY - 1_000_000


def test_the_request_as_expressions_see_it() -> None:
    attributes = request("apps/v1/deployments/scale", "UPDATE")
    attributes.dry_run = True
    made = request_of(attributes)
    kind = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    resource = {"group": "apps", "version": "v1", "resource": "deployments"}
    assert made == {
        "kind": kind,
        "resource": resource,
        "subResource": "scale",
        "requestKind": kind,
        "requestResource": resource,
        "requestSubResource": "scale",
        "name": "web",
        "namespace": "shop",
        "operation": "UPDATE",
        "userInfo": {"username": "jane"},
        "dryRun": True,
        "options": {"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]},
    }


def test_what_a_request_does_not_say_is_absent() -> None:
    made = request_of(request())
    assert not {"subResource", "requestSubResource"}.intersection(made)
    assert made["kind"]["kind"] == made["requestKind"]["kind"]


def test_service_accounts_are_asked_about_by_name() -> None:
    users: list[tuple[str, tuple[str, ...]]] = []
    attributes = request()

    def authorize(question: access.Attributes) -> Decision:
        users.append((question.user.name, question.user.groups))
        return Decision(question.resource == "pods", "because")

    attributes.authorize = authorize
    text = (
        "authorizer.serviceAccount('shop', 'bot').group('').resource('pods').check('get').allowed()"
        " && authorizer.requestResource.check('bind').reason() == 'because'"
    )
    assert compiled(text, PARAMLESS, BOOL).evaluate(Activation(attributes), Pot(PER_POLICY))
    assert users == [
        (
            "system:serviceaccount:shop:bot",
            ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
        ),
        ("jane", ()),
    ]


PIECES = ("object.nothing == 1", "true", "false", "object.metadata.name == 'web'")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_any_false_outweighs_all_else(texts: list[str]) -> None:
    outcome = conditions(*texts).check(asked())
    if "false" in texts:
        assert outcome is False
    elif PIECES[0] in texts:
        assert isinstance(outcome, str)
    else:
        assert outcome is True
