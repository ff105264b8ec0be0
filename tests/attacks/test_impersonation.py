"""Attempts to become somebody, by leave to become somebody else: each with its refusal."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from argosy.apiserver.authentication.tokens import Tokens, token_hash
from argosy.apiserver.request import User
from argosy.http.message import Request
from tests.apiserver.kit import Answer, Api, answered, serving
from tests.attacks.authorization_kit import CORE, EVERYTHING, MEMBER, RBAC, Json, bound, role, rule

AUTHENTICATION = "authentication.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The rules that eve holds, whom she would be, and the refusal."""

    held: tuple[Json, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 403
    refusal: str


USERS = rule("impersonate", "users")
ON_IT = 'cannot impersonate-on:user-info:list resource "secrets"'
"""What the narrowest way that fits says stands in the refusal, whichever ways were tried."""
CHAINS: Mapping[str, Chain] = {
    "anybody with no leave": Chain(
        headers={"impersonate-user": "root"},
        refusal=ON_IT,
    ),
    "a master by leave for users": Chain(
        held=(USERS,),
        headers={"impersonate-user": "bob", "impersonate-group": "system:masters"},
        refusal=ON_IT,
    ),
    "a master behind a harmless group": Chain(
        held=(USERS, rule("impersonate", "groups", resourceNames=["devs"])),
        headers={"impersonate-user": "bob", "impersonate-group": "devs, system:masters"},
        refusal=ON_IT,
    ),
    "another than the one that is named": Chain(
        held=(rule("impersonate", "users", resourceNames=["bob"]),),
        headers={"impersonate-user": "root"},
        refusal=ON_IT,
    ),
    "two users in two headers": Chain(
        held=(rule("impersonate", "users", resourceNames=["bob", "root"]),),
        headers={"impersonate-user": "bob, root"},
        refusal=ON_IT,
    ),
    "an account by leave for users": Chain(
        held=(USERS,),
        headers={"impersonate-user": "system:serviceaccount:kube-system:admin"},
        refusal='cannot impersonate-on:serviceaccount:list resource "secrets"',
    ),
    "another uid by leave for users": Chain(
        held=(USERS,),
        headers={"impersonate-user": "bob", "impersonate-uid": "0"},
        refusal=ON_IT,
    ),
    "other scopes by leave for users": Chain(
        held=(USERS,),
        headers={"impersonate-user": "bob", "impersonate-extra-scopes": "all"},
        refusal=ON_IT,
    ),
    "other scopes in capitals": Chain(
        held=(USERS, rule("impersonate", "userextras/scopes", AUTHENTICATION)),
        headers={"impersonate-user": "bob", "impersonate-extra-%52OOT": "all"},
        refusal=ON_IT,
    ),
    "a group and nobody": Chain(
        held=(EVERYTHING,),
        headers={"impersonate-group": "system:masters"},
        status=400,
        refusal="without impersonating a user",
    ),
    "scopes and nobody": Chain(
        held=(EVERYTHING,),
        headers={"impersonate-extra-scopes": "all"},
        status=400,
        refusal="without impersonating a user",
    ),
    "one who may become another, and through them that other": Chain(
        held=(rule("impersonate", "users", resourceNames=["bob"]),),
        headers={"impersonate-user": "bob", "x-impersonate-user": "root"},
        refusal='User "bob" cannot list resource "secrets"',
    ),
    "a node by leave for all but nodes": Chain(
        held=(
            rule("impersonate:user-info", "users", AUTHENTICATION),
            rule("impersonate-on:user-info:list", "secrets"),
        ),
        headers={"impersonate-user": "system:node:n1"},
        refusal='cannot impersonate-on:arbitrary-node:list resource "secrets"',
    ),
    "a master by constrained leave": Chain(
        held=(
            rule("impersonate:user-info", "users,groups", AUTHENTICATION),
            rule("impersonate-on:user-info:list", "secrets"),
        ),
        headers={"impersonate-user": "bob", "impersonate-group": "system:masters"},
        refusal="impersonating the system:masters group is not allowed",
    ),
    "somebody, to do another thing than is allowed": Chain(
        held=(
            rule("impersonate:user-info", "users", AUTHENTICATION),
            rule("impersonate-on:user-info:list", "pods"),
        ),
        headers={"impersonate-user": "root"},
        refusal='cannot impersonate-on:user-info:list resource "secrets"',
    ),
}


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


async def _asked(api: Api, headers: Mapping[str, str]) -> Answer:
    server = api.cluster.plane.server
    eve = Tokens({token_hash("eve"): User(MEMBER[0], MEMBER[1:])})
    object.__setattr__(server._authenticator, "tokens", eve)
    known = {"authorization": "Bearer eve", **headers}
    return await answered(server.handle, Request("GET", f"{CORE}/secrets", "", known))


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
async def test_it_is_refused(api: Api, chain: Chain) -> None:
    if chain.held:
        made = await api.ask("POST", f"{RBAC}/clusterroles", role("held", *chain.held))
        assert made.status == 201, made.body
        binding = bound("held", who="eve", name="held")
        made = await api.ask("POST", f"{RBAC}/clusterrolebindings", binding)
        assert made.status == 201, made.body
    answer = await _asked(api, chain.headers)
    assert answer.status == chain.status, answer.body
    assert chain.refusal in answer.message
