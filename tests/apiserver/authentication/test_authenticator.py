"""Bearer tokens, and what needs none."""

import pytest

from argosy.apiserver.authentication.authenticator import OPEN_PATHS, Authenticator
from argosy.apiserver.authentication.tokens import (
    ANONYMOUS,
    AUDIENCES,
    LONGEST,
    Identity,
    TokenError,
    Tokens,
    token_hash,
)
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.http.message import Request

ALICE = User("alice", ("staff",))
BOB = User("bob")
TOKENS = Tokens({token_hash("a-secret"): ALICE, token_hash("b-secret"): BOB})


async def ask(authorization: str | None, path: str = "/api/v1/pods") -> User:
    headers = {} if authorization is None else {"authorization": authorization}
    return await Authenticator(TOKENS).authenticate(Request("GET", path, headers=headers))


@pytest.mark.parametrize(
    ("authorization", "user"),
    [
        ("Bearer a-secret", ALICE),
        ("Bearer b-secret", BOB),
        ("bearer a-secret", ALICE),
        ("Bearer  a-secret ", ALICE),
    ],
)
async def test_a_token_is_a_user(authorization: str, user: User) -> None:
    assert await ask(authorization) == user


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer A-secret",
        "Bearer a-secre",
        "Bearer a-secret b-secret",
        "Basic a-secret",
        "Bearer \udcff",
        "Bearer \udcff.\udcff.\udcff",
        "a-secret",
        f"Bearer {token_hash('a-secret').hex()}",
    ],
)
async def test_anything_else_is_nobody(authorization: str | None) -> None:
    with pytest.raises(StatusError) as caught:
        await ask(authorization)

    assert (caught.value.code, caught.value.reason) == (401, "Unauthorized")


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
async def test_nobody_may_ask_for_health(path: str) -> None:
    assert await ask(None, path) == ANONYMOUS
    assert await ask("Bearer a-secret", path) == ALICE
    with pytest.raises(StatusError):
        await ask("Bearer wrong", path)


@pytest.mark.parametrize("path", ["/readyz/", "//readyz", "/readyz/../api", "/api", "/"])
async def test_what_looks_open_is_not(path: str) -> None:
    with pytest.raises(StatusError):
        await ask(None, path)


def test_no_token_is_kept_as_it_is() -> None:
    assert not any(b"secret" in known for known in TOKENS.users)


class Reader:
    """Knows one token, and refuses those that begin as it does."""

    def __init__(self, known: str, user: User) -> None:
        self._known, self._user = known, user

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        assert digest == token_hash(token)
        if token == self._known:
            return Identity(self._user, audiences)
        if token[0] == self._known[0]:
            raise TokenError(f"not {self._known}")
        return None


CAROL, DAVE = User("carol"), User("dave")
CHAIN = Authenticator(TOKENS, (Reader("c-token", CAROL), Reader("c-other", DAVE)))


@pytest.mark.parametrize(
    ("token", "user"),
    [("a-secret", ALICE), ("c-token", CAROL), ("c-other", DAVE), ("c-third", None), ("d", None)],
)
async def test_readers_are_asked_in_their_order(token: str, user: User | None) -> None:
    request = Request("GET", "/api", headers={"authorization": f"Bearer {token}"})
    if user is None:
        with pytest.raises(StatusError):
            await CHAIN.authenticate(request)
    else:
        assert await CHAIN.authenticate(request) is user
        assert (await CHAIN.identify(token, AUDIENCES)).user is user


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("c-third", "not c-token, not c-other"),
        ("d", "invalid bearer token"),
        ("", "invalid bearer token"),
        ("c" * (LONGEST + 1), "invalid bearer token"),
    ],
)
async def test_those_who_refused_a_token_say_why(token: str, reason: str) -> None:
    with pytest.raises(TokenError) as caught:
        await CHAIN.identify(token, AUDIENCES)
    assert str(caught.value) == reason
