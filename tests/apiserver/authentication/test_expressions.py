"""Expressions over claims and users: what they give, and what they refuse."""

from typing import Any

import pytest

from argosy.apiserver.authentication.configuration import (
    ClaimValidationRule,
    ExtraMapping,
    PlainClaim,
    PrefixedClaim,
    UserValidationRule,
)
from argosy.apiserver.authentication.oidc import expressions_of, issued_tokens, mapped
from argosy.apiserver.authentication.tokens import AUDIENCES, TokenError, token_hash
from argosy.apiserver.request import User
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication.oidckit import (
    Remote,
    claims,
    documents,
    jwk,
    rsa_key,
    rules,
    signed,
)

Json = dict[str, Any]
NAME = "claims.sub + ':' + claims.tenant"


def user(said: Json | None = None, **changed: Any) -> User:
    told = rules(**changed)
    return mapped(told, claims(**(said or {})), expressions_of(told))


def named(text: str) -> PrefixedClaim:
    return PrefixedClaim(expression=text)


def test_what_names_claims_needs_no_expressions() -> None:
    assert expressions_of(rules()) is None


async def test_a_token_is_read_by_them() -> None:
    told = rules(
        mappings={
            "username": named(NAME),
            "groups": named("claims.roles.split(',')"),
            "uid": PlainClaim(expression="string(int(claims.number))"),
            "extra": (
                ExtraMapping(key="a.b/c", value_expression="claims.?level.orValue('none')"),
                ExtraMapping(key="a.b/d", value_expression="[claims.tenant, '']"),
                ExtraMapping(key="a.b/e", value_expression="null"),
            ),
        },
        claim_validation_rules=(ClaimValidationRule(expression="claims.tenant == 'ours'"),),
        user_validation_rules=(
            UserValidationRule(expression="!user.username.startsWith('system:')"),
            UserValidationRule(expression="user.groups.all(g, !g.startsWith('system:'))"),
        ),
    )
    remote = Remote(documents(jwk(rsa_key(), "one")))
    token = signed(claims(roles="a,b", number=7))
    found = await issued_tokens(told, FakeClock(), lambda _: remote).identify(
        token, token_hash(token), AUDIENCES
    )
    assert found is not None
    assert found.user == User(
        "jane:ours",
        ("a", "b", "system:authenticated"),
        "7",
        {
            "authentication.kubernetes.io/credential-id": ("JTI=j-1",),
            "a.b/c": ("none",),
            "a.b/d": ("ours",),
        },
    )


@pytest.mark.parametrize(
    ("text", "groups"),
    [("claims.groups", ("staff",)), ("'one'", ("one",)), ("''", ()), ("[]", ()), ("null", ())],
)
def test_groups_are_texts(text: str, groups: tuple[str, ...]) -> None:
    assert user(mappings={"groups": named(text)}).groups == (*groups, "system:authenticated")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mappings": {"username": named("claims.nothing")}}, "no such key: nothing"),
        ({"mappings": {"username": named("claims.groups")}}, "must return a string"),
        ({"mappings": {"username": named("''")}}, "empty username"),
        ({"mappings": {"uid": PlainClaim(expression="1")}}, "uid claim expression must return"),
        ({"mappings": {"groups": named("[1]")}}, "must return a string or a list of strings"),
        ({"mappings": {"groups": named("false")}}, "must return a string or a list of strings"),
        ({"mappings": {"groups": named("{'a': 'b'}")}}, "a string or a list of strings"),
        (
            {"mappings": {"extra": (ExtraMapping(key="a.b/c", value_expression="0"),)}},
            "must return a string or a list of strings",
        ),
        (
            {
                "claim_validation_rules": (
                    ClaimValidationRule(expression="claims.tenant == 'theirs'", message="not ours"),
                )
            },
            "validation expression 'claims.tenant == 'theirs'' failed: not ours",
        ),
        (
            {"claim_validation_rules": (ClaimValidationRule(expression="claims.nothing == 1"),)},
            "no such key: nothing",
        ),
        (
            {
                "user_validation_rules": (
                    UserValidationRule(expression="user.username == 'root'", message="only root"),
                )
            },
            "failed: only root",
        ),
    ],
)
def test_what_they_refuse(changed: Json, reason: str) -> None:
    with pytest.raises(TokenError) as caught:
        user(**changed)
    assert reason in str(caught.value)


def test_an_expression_that_runs_away_is_stopped() -> None:
    """Four lists in each other: a billion steps, if nobody counted them."""
    text = "g".join(["claims.groups.all(", ", claims.groups.all(h, claims.groups.all(i, true)))"])
    many = [str(i) for i in range(1000)]
    told = (ClaimValidationRule(expression=text),)
    with pytest.raises(TokenError, match="cost limit exceeded"):
        user({"groups": many}, claim_validation_rules=told)
