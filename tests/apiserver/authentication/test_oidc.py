"""Tokens of other issuers: who their bearers are, and what is not believed."""

import json
from typing import Any

import pytest

from argosy.apiserver.authentication.configuration import PlainClaim, PrefixedClaim
from argosy.apiserver.authentication.keysets import KeySet
from argosy.apiserver.authentication.oidc import IssuedTokens, Issuers
from argosy.apiserver.authentication.tokens import AUDIENCES, TokenError, token_hash
from argosy.apiserver.request import User
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication.oidckit import (
    NOW,
    URL,
    Remote,
    claims,
    documents,
    ec_key,
    jwk,
    raw,
    rsa_key,
    rules,
    signed,
)

Json = dict[str, Any]
JANE = User(
    "oidc:jane",
    ("oidc:staff", "system:authenticated"),
    "u-1",
    {"authentication.kubernetes.io/credential-id": ("JTI=j-1",)},
)
KEYS = documents(jwk(rsa_key(), "one"), jwk(ec_key(), "curve"))


def reader(clock: FakeClock | None = None, remote: Remote | None = None, **said: Any) -> Issuers:
    clock, told = clock or FakeClock(), rules(**said)
    keys = KeySet(told.issuer, remote or Remote(KEYS), clock)
    return Issuers({URL: IssuedTokens(told, keys, clock)})


async def bearer(tokens: Issuers, token: str) -> User | None:
    found = await tokens.identify(token, token_hash(token), AUDIENCES)
    return None if found is None else found.user


@pytest.mark.parametrize(
    "token",
    [
        signed(claims()),
        signed(claims(), alg="RS512"),
        signed(claims(), alg="PS256"),
        signed(claims(), ec_key(), "curve", alg="ES256"),
        signed(claims(aud=["someone", "other"])),
        signed(claims(groups="staff")),
        signed(claims(exp=NOW + 0.5, nbf=NOW + 300)),
        signed(claims(nbf=None)),
    ],
)
async def test_a_good_token(token: str) -> None:
    assert await bearer(reader(), token) == JANE


@pytest.mark.parametrize(
    ("said", "mappings", "user"),
    [
        ({"groups": None}, {}, ("oidc:jane", ())),
        ({"groups": []}, {}, ("oidc:jane", ())),
        ({}, {"username": PrefixedClaim(claim="sub", prefix="")}, ("jane", ("oidc:staff",))),
        ({}, {"groups": PrefixedClaim()}, ("oidc:jane", ())),
        (
            {"email": "j@x", "email_verified": True},
            {"username": PrefixedClaim(claim="email", prefix="")},
            ("j@x", ("oidc:staff",)),
        ),
        (
            {"email": "j@x"},
            {"username": PrefixedClaim(claim="email", prefix="")},
            ("j@x", ("oidc:staff",)),
        ),
    ],
)
async def test_claims_become_a_user(
    said: Json, mappings: Json, user: tuple[str, tuple[str, ...]]
) -> None:
    found = await bearer(reader(mappings=mappings), signed(claims(**said)))
    assert found is not None
    assert (found.name, found.groups) == (user[0], (*user[1], "system:authenticated"))


@pytest.mark.parametrize(
    ("said", "mappings", "reason"),
    [
        ({"exp": NOW}, {}, "token is expired"),
        ({"exp": None}, {}, "token is expired"),
        ({"exp": "later"}, {}, "exp is no number"),
        ({"exp": True}, {}, "exp is no number"),
        ({"nbf": NOW + 301}, {}, "before the nbf"),
        ({"aud": "someone"}, {}, "expected audience"),
        ({"aud": []}, {}, "expected audience"),
        ({"aud": None}, {}, "expected audience"),
        ({"aud": {"cluster": 1}}, {}, "expected audience"),
        ({"aud": [["cluster"]]}, {}, "expected audience"),
        ({"sub": None}, {}, "claim not present"),
        ({"sub": 7}, {}, "is no text"),
        ({"sub": ""}, {"username": PrefixedClaim(claim="sub", prefix="")}, "empty username"),
        ({"groups": [1]}, {}, "not a list of texts"),
        ({"groups": {}}, {}, "not a list of texts"),
        ({"uid": 7}, {}, "is no text"),
        ({"uid": None}, {"uid": PlainClaim(claim="uid")}, "claim not present"),
        ({"tenant": None}, {}, "required claim tenant not present"),
        ({"tenant": "theirs"}, {}, "required claim tenant value does not match"),
        ({"tenant": ["ours"]}, {}, "is no text"),
        (
            {"email": "j@x", "email_verified": False},
            {"username": PrefixedClaim(claim="email", prefix="")},
            "email not verified",
        ),
        (
            {"email": "j@x", "email_verified": "true"},
            {"username": PrefixedClaim(claim="email", prefix="")},
            "email not verified",
        ),
    ],
)
async def test_what_its_claims_are_refused_for(said: Json, mappings: Json, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        await bearer(reader(mappings=mappings), signed(claims(**said)))


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(iss="https://issuer.example/other")),
        signed(claims(iss=None)),
        signed(claims(iss=[URL])),
        "a.b",
        "a.b.c",
        "..",
        "a.b.c.d",
        raw({}, {"iss": URL}) + ".e30",
        "e30.W10.",
    ],
)
async def test_what_is_another_readers_business(token: str) -> None:
    assert await bearer(reader(), token) is None


async def test_it_is_good_for_this_server_alone() -> None:
    assert await reader().identify(signed(claims()), b"", ("https://other",)) is None


async def test_the_last_of_claims_that_are_there_twice_counts_everywhere() -> None:
    """Which issuer is looked up, and what is believed, must be read from the same text."""
    text = json.dumps(claims())
    for said, known in (
        (f'{{"iss": "https://evil.example", {text[1:]}', True),
        (f'{text[:-1]}, "iss": "https://evil.example"}}', False),
        (f'{text[:-1]}, "sub": "root"}}', True),
    ):
        user = await bearer(reader(), signed(said.encode()))
        assert (user is not None) is known
        if user is not None:
            assert user.name in ("oidc:jane", "oidc:root")


async def test_a_token_that_was_good_is_remembered_until_it_ends() -> None:
    clock = FakeClock()
    tokens = reader(clock)
    token = signed(claims(exp=NOW + 5))
    assert await bearer(tokens, token) == JANE
    await clock.advance(4)
    assert await bearer(tokens, token) == JANE
    await clock.advance(1)
    with pytest.raises(TokenError, match="expired"):
        await bearer(tokens, token)
