"""Bearer tokens, and what needs none."""

import pytest

from argosy.apiserver.authentication import ANONYMOUS, OPEN_PATHS, Tokens, token_hash
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.http.message import Request

ALICE = User("alice", ("staff",))
BOB = User("bob")
TOKENS = Tokens({token_hash("a-secret"): ALICE, token_hash("b-secret"): BOB})


def ask(authorization: str | None, path: str = "/api/v1/pods") -> User:
    headers = {} if authorization is None else {"authorization": authorization}
    return TOKENS.authenticate(Request("GET", path, headers=headers))


@pytest.mark.parametrize(
    ("authorization", "user"),
    [
        ("Bearer a-secret", ALICE),
        ("Bearer b-secret", BOB),
        ("bearer a-secret", ALICE),
        ("Bearer  a-secret ", ALICE),
    ],
)
def test_a_token_is_a_user(authorization: str, user: User) -> None:
    assert ask(authorization) == user


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
        "a-secret",
        f"Bearer {token_hash('a-secret').hex()}",
    ],
)
def test_anything_else_is_nobody(authorization: str | None) -> None:
    with pytest.raises(StatusError) as caught:
        ask(authorization)

    assert (caught.value.code, caught.value.reason) == (401, "Unauthorized")


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_nobody_may_ask_for_health(path: str) -> None:
    assert ask(None, path) == ANONYMOUS
    assert ask("Bearer a-secret", path) == ALICE
    with pytest.raises(StatusError):
        ask("Bearer wrong", path)


@pytest.mark.parametrize("path", ["/readyz/", "//readyz", "/readyz/../api", "/api", "/"])
def test_what_looks_open_is_not(path: str) -> None:
    with pytest.raises(StatusError):
        ask(None, path)


def test_no_token_is_kept_as_it_is() -> None:
    assert not any(b"secret" in known for known in TOKENS.users)
