"""Bootstrap tokens: when they are good, and who their bearers are."""

import base64
from typing import Any

import msgspec
import pytest

from argosy.api.resources.core import SECRET
from argosy.apiserver.authentication.bootstraptokens import BootstrapTokens
from argosy.apiserver.authentication.tokens import AUDIENCES, token_hash
from argosy.apiserver.request import User
from argosy.store.interface import Record
from argosy.testing.clock import FakeClock

Json = dict[str, Any]
TOKEN = "abcdef.0123456789abcdef"
GOOD = {
    "token-id": "abcdef",
    "token-secret": "0123456789abcdef",
    "usage-bootstrap-authentication": "true",
}
LATER, NOW = "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z"


def reader(said: Json, **more: Any) -> BootstrapTokens:
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in said.items()}
    secret = {"metadata": {}, "type": "bootstrap.kubernetes.io/token", "data": encoded} | more
    key = SECRET.key("kube-system", "bootstrap-token-abcdef")
    record = Record(key, msgspec.json.encode(secret), 1)
    return BootstrapTokens({key: record}.get, FakeClock())


def bearer(tokens: BootstrapTokens, token: str = TOKEN) -> User | None:
    found = tokens.identify(token, token_hash(token), AUDIENCES)
    return None if found is None else found.user


@pytest.mark.parametrize(
    ("more", "groups"),
    [
        ({}, ()),
        ({"expiration": LATER}, ()),
        ({"expiration": "2026-01-01T01:00:01+01:00"}, ()),
        (
            {"auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a"},
            ("system:bootstrappers:a", "system:bootstrappers:b"),
        ),
    ],
)
def test_a_good_token(more: Json, groups: tuple[str, ...]) -> None:
    expected = ("system:bootstrappers", *groups, "system:authenticated")
    assert bearer(reader({**GOOD, **more})) == User("system:bootstrap:abcdef", expected)


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"token-secret": "0123456789abcdeg"}, {}),
        ({"token-secret": ""}, {}),
        ({"token-id": "abcdeg"}, {}),
        ({"usage-bootstrap-authentication": "yes"}, {}),
        ({"usage-bootstrap-authentication": ""}, {}),
        ({"expiration": NOW}, {}),
        ({"expiration": "20260102T000000Z"}, {}),
        ({"expiration": "2026-13-01T00:00:00Z"}, {}),
        ({"expiration": "never"}, {}),
        ({"auth-extra-groups": "system:masters"}, {}),
        ({"auth-extra-groups": "system:bootstrappers:a,system:masters"}, {}),
        ({"auth-extra-groups": "system:bootstrappers:a\n"}, {}),
        ({}, {"type": "Opaque"}),
        ({}, {"metadata": {"deletionTimestamp": NOW}}),
        ({}, {"data": None}),
        ({}, {"data": {"token-id": "?"}}),
    ],
)
def test_a_secret_that_makes_no_token(changed: Json, more: Json) -> None:
    assert bearer(reader({**GOOD, **changed}, **more)) is None


@pytest.mark.parametrize(
    "token",
    [
        "abcdeg.0123456789abcdef",
        "abcdef.0123456789abcde",
        "ABCDEF.0123456789abcdef",
        "abcdef.0123456789abcdef\n",
        "abcdef.0123456789abcdef.x",
        "../abc.0123456789abcdef",
        "",
    ],
)
def test_a_token_that_is_none(token: str) -> None:
    assert bearer(reader(GOOD), token) is None


def test_it_is_good_for_this_server_alone() -> None:
    assert reader(GOOD).identify(TOKEN, b"", ("https://other",)) is None
