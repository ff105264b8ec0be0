"""Tokens in secrets: good while secret and account are there."""

import asyncio
import base64
from typing import Any

import msgspec
import pytest

from argosy.api.resources.core import SECRET, SERVICE_ACCOUNT
from argosy.apiserver.authentication.legacy import LAST_USED, MOST_UNTOLD, LegacyTokens, Used, issue
from argosy.apiserver.authentication.tokens import AUDIENCES, TokenError, token_hash
from argosy.apiserver.request import User
from argosy.store.interface import Record
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication.kit import keys, token

Json = dict[str, Any]
TOKEN = issue(keys(), "default", "it", "builder", "u-1")
GONE = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def reader(
    secret: Json | None = None, account: Json | None = None, *, text: str = TOKEN
) -> LegacyTokens:
    data = {"token": base64.b64encode(text.encode()).decode()}
    objects = {
        SECRET.key("default", "it"): {"metadata": {}, "data": data, **(secret or {})},
        SERVICE_ACCOUNT.key("default", "builder"): {"metadata": {"uid": "u-1", **(account or {})}},
    }
    records = {key: Record(key, msgspec.json.encode(obj), 1) for key, obj in objects.items()}
    return LegacyTokens(keys(), records.get, FakeClock(), Used())


def bearer(tokens: LegacyTokens, shown: str = TOKEN) -> User | None:
    found = tokens.identify(shown, token_hash(shown), AUDIENCES)
    return None if found is None else found.user


def test_it_is_the_accounts() -> None:
    tokens = reader()
    expected = User(
        "system:serviceaccount:default:builder",
        ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"),
        "u-1",
    )
    assert bearer(tokens) == bearer(tokens) == expected


def test_it_ends_with_what_it_names() -> None:
    tokens = reader()
    assert bearer(tokens) is not None
    empty = LegacyTokens(tokens.keys, lambda key: None, tokens.clock, tokens.used, tokens._known)
    with pytest.raises(TokenError, match="invalidated"):
        bearer(empty)


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (reader({"metadata": GONE}), "Token has been invalidated"),
        (reader({"data": None}), "does not match server's copy"),
        (reader(text="other"), "does not match server's copy"),
        (
            reader({"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "x"}}}),
            "the token in secret default/it for service account default/builder has been marked "
            "invalid. Use tokens from the TokenRequest API",
        ),
        (reader(account={"uid": "u-2"}), r"ServiceAccount UID \(u-2\) does not match"),
        (reader(account=GONE), "ServiceAccount default/builder has been deleted"),
    ],
)
def test_why_it_is_no_longer_good(tokens: LegacyTokens, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        bearer(tokens)


def test_the_subject_must_be_the_account() -> None:
    said = msgspec.json.decode(base64.urlsafe_b64decode(TOKEN.split(".")[1] + "=="))
    with pytest.raises(TokenError, match="sub claim is invalid"):
        bearer(reader(), token({**said, "sub": "system:serviceaccount:kube-system:builder"}))


def test_other_tokens_are_not_its_business() -> None:
    assert bearer(reader(), token()) is None
    assert bearer(reader(), "a.b") is None
    assert reader().identify(TOKEN, token_hash(TOKEN), ("https://other",)) is None
    with pytest.raises(TokenError):
        bearer(reader(), f"{TOKEN[:-8]}AAAAAAAA")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({}, True),
        ({LAST_USED: "2025-12-31"}, True),
        ({LAST_USED: "junk"}, True),
        ({LAST_USED: "2026-01-01"}, False),
        ({LAST_USED: "2026-01-02"}, False),
        ({LAST_USED: "2026-01-03"}, True),
    ],
)
async def test_that_it_was_used_is_noted_once_a_day(labels: dict[str, str], told: bool) -> None:
    tokens = reader({"metadata": {"uid": "s-1", "labels": labels}})
    bearer(tokens)
    bearer(tokens)
    waiting = asyncio.ensure_future(tokens.used.some())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert waiting.done() is told
    assert not told or waiting.result() == {("default", "it", "s-1")}
    waiting.cancel()


async def test_what_nobody_takes_does_not_grow() -> None:
    used = Used()
    for number in range(2 * MOST_UNTOLD):
        used.note("default", f"it-{number}", "")
    assert len(await used.some()) == MOST_UNTOLD
