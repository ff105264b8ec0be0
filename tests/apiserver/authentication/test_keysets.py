"""Keys of issuers: which are taken, when they are fetched, and who waits for that."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from argosy.apiserver.authentication.keysets import (
    MOST_KEYS,
    PAUSE,
    FetchError,
    KeySet,
    read_keys,
)
from argosy.apiserver.authentication.tokens import TokenError
from argosy.testing.clock import FakeClock, settle
from tests.apiserver.authentication.oidckit import (
    URL,
    Remote,
    documents,
    ec_key,
    jwk,
    rsa_key,
    rules,
)

Json = dict[str, Any]
ONE = jwk(rsa_key(), "one")
FOUND, KEYS = documents(ONE)


def keys(remote: Any, clock: FakeClock | None = None, **issuer: Any) -> KeySet:
    return KeySet(rules(issuer=issuer).issuer, remote, clock or FakeClock())


async def known(found: KeySet, key: str, algorithm: str = "RS256") -> bool:
    try:
        return bool(await found.candidates(key, algorithm))
    except TokenError:
        return False


async def test_keys_are_fetched_once() -> None:
    remote = Remote(documents(ONE))
    found = keys(remote)
    assert all(await asyncio.gather(*(known(found, "one") for _ in range(20))))
    assert await known(found, "")
    assert remote.asked == [FOUND, KEYS]


async def test_a_new_key_is_found_after_a_while() -> None:
    clock, remote = FakeClock(), Remote(documents(ONE))
    found = keys(remote, clock)
    assert await known(found, "one")
    remote.answers |= documents(jwk(rsa_key(), "two"))
    assert not await known(found, "two")
    await clock.advance(PAUSE)
    assert await known(found, "two")
    assert not await known(found, "one")
    assert remote.asked == [FOUND, KEYS, KEYS]


async def test_a_flood_of_made_up_keys_is_one_request() -> None:
    remote = Remote(documents(ONE))
    found = keys(remote)
    assert not any([await known(found, f"made-up-{i}") for i in range(100)])
    assert await known(found, "one")
    assert remote.asked == [FOUND, KEYS]


async def test_what_was_known_stays_when_the_issuer_is_away() -> None:
    clock, remote = FakeClock(), Remote(documents(ONE))
    found = keys(remote, clock)
    assert await known(found, "one")
    remote.answers.clear()
    await clock.advance(PAUSE)
    assert not await known(found, "two")
    assert await known(found, "one")
    remote.answers |= documents(ONE, jwk(rsa_key(), "two"), host="https://moved.example")
    remote.answers[FOUND] = remote.answers["https://moved.example/.well-known/openid-configuration"]
    await clock.advance(PAUSE)
    assert await known(found, "two")


class Hanging:
    """A server that takes its time."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.answers = Remote(documents(ONE))

    async def __call__(self, url: str) -> bytes:
        await self.open.wait()
        return await self.answers(url)


async def test_who_leaves_takes_nobody_along() -> None:
    remote = Hanging()
    found = keys(remote)
    first, second = (asyncio.create_task(known(found, "one")) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    remote.open.set()
    assert await second


async def test_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.apiserver.authentication.keysets.PATIENCE", 0.01)
    found = keys(Hanging())
    assert not await known(found, "one")
    async with asyncio.timeout(0.005):  # and the next not at all, for a while
        assert not await known(found, "one")


async def test_the_configuration_may_be_elsewhere() -> None:
    elsewhere = "https://inside.example/configuration"
    answers = documents(ONE)
    remote = Remote({elsewhere: answers[FOUND], KEYS: answers[KEYS]})
    assert await known(keys(remote, discovery_url=elsewhere), "one")


@pytest.mark.parametrize(
    "answers",
    [
        documents(ONE, issuer="https://evil.example"),
        documents(ONE, issuer=f"{URL}/"),
        {FOUND: {"issuer": URL, "jwks_uri": "http://issuer.example/keys"}, KEYS: {"keys": [ONE]}},
        {FOUND: {"issuer": URL, "jwks_uri": "file:///etc/passwd"}},
        {FOUND: {"issuer": URL, "jwks_uri": "https://[/"}},
        {FOUND: {"issuer": URL, "jwks_uri": 7}},
        {FOUND: {"issuer": URL}},
        {FOUND: b"[]"},
        {FOUND: b"[" * 5000},
        {FOUND: b"\xff"},
        {FOUND: {"issuer": URL, "jwks_uri": KEYS}, KEYS: b"nothing"},
        {FOUND: {"issuer": URL, "jwks_uri": KEYS}, KEYS: {"keys": {}}},
        {},
    ],
)
async def test_an_issuer_that_lies_has_no_keys(answers: Json) -> None:
    assert not await known(keys(Remote(answers)), "one")


WEAK = rsa.generate_private_key(65537, 1024)
OTHER_CURVE = ec.generate_private_key(ec.SECP256K1())


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (ONE, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({**ONE, "alg": "RS256"}, {"RS256"}),
        ({**ONE, "use": "sig"}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (jwk(ec_key(), "c"), {"ES256"}),
    ],
)
def test_a_key_is_for_algorithms_of_its_kind(key: Json, algorithms: set[str]) -> None:
    (read,) = read_keys(json.dumps({"keys": [key]}).encode())
    assert set(read.algorithms) == algorithms


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256"},
        {**ONE, "use": "enc"},
        {**ONE, "alg": "HS256"},
        {**ONE, "kty": "EC"},
        {**ONE, "n": "!"},
        {**ONE, "d": "AQAB"},
        {**ONE, "e": None},
        {"kty": "RSA"},
        {"kty": ["RSA"]},
        jwk(WEAK, "weak"),
        jwk(OTHER_CURVE, "other"),
        7,
    ],
)
async def test_keys_that_verify_nothing(key: Any) -> None:
    assert not await known(keys(Remote(documents(key))), "")


def test_a_set_of_keys_is_read_so_far() -> None:
    many = b",".join([b'{"kty":"RSA","n":"AQAB","e":"AQAB"}'] * (MOST_KEYS * 4))
    assert read_keys(b'{"keys":[' + many + b"]}") == ()
    with pytest.raises(FetchError):
        read_keys(b"{}")
