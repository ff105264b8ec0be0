"""Issuers as their file says, at the start and later."""

from pathlib import Path

import msgspec
import pytest

from argosy.apiserver.authentication import configured as module
from argosy.apiserver.authentication.configuration import (
    Anonymous,
    AuthenticationConfiguration,
    JWTAuthenticator,
)
from argosy.apiserver.authentication.configured import Issuing
from argosy.apiserver.authentication.keysets import Fetch
from argosy.apiserver.authentication.oidc import IssuedTokens, Issuers, issued_tokens
from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.reloading import NotYetError
from argosy.base.clock import Clock
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication import oidckit as kit

OTHER = "https://other.example"


def told(*issuers: JWTAuthenticator, anonymous: Anonymous | None = None) -> bytes:
    made = kit.configuration(*issuers)
    return msgspec.json.encode(
        {
            "apiVersion": made.api_version,
            "kind": made.kind,
            "jwt": [written(one) for one in issuers],
            **({} if anonymous is None else {"anonymous": {"enabled": anonymous.enabled}}),
        }
    )


def written(rules: JWTAuthenticator) -> dict[str, object]:
    return {
        "issuer": {"url": rules.issuer.url, "audiences": ["cluster"]},
        "claimMappings": {"username": {"claim": "sub", "prefix": ""}},
    }


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> kit.Remote:
    """All issuers, by HTTPS."""
    key = kit.jwk(kit.rsa_key(), "one")
    made = kit.Remote(kit.documents(key) | kit.documents(key, issuer=OTHER, host=OTHER))

    def reader(rules: JWTAuthenticator, clock: Clock) -> IssuedTokens:
        def fetch(_authority: str) -> Fetch:
            return made

        return issued_tokens(rules, clock, fetch)

    monkeypatch.setattr(module, "issued_tokens", reader)
    return made


@pytest.fixture
def it(remote: kit.Remote, tmp_path: Path) -> Issuing:
    first = AuthenticationConfiguration(
        api_version="apiserver.config.k8s.io/v1", kind="AuthenticationConfiguration"
    )
    made = Issuing(Issuers(), FakeClock(), first, tmp_path / "file")
    made.begin()
    return made


async def test_an_issuer_that_comes_counts_once_its_keys_are_found(
    it: Issuing, remote: kit.Remote
) -> None:
    assert await it.take(told(kit.rules())) is True
    kept = it.issuers.readers[kit.URL]
    assert remote.asked
    assert await it.take(told(kit.rules())) is False
    assert await it.take(told(kit.rules(), kit.rules(OTHER))) is True
    assert it.issuers.readers[kit.URL] is kept
    assert await it.take(told(kit.rules(OTHER))) is True
    assert list(it.issuers.readers) == [OTHER]


async def test_an_issuer_that_is_down_changes_nothing_until_it_is_up(
    it: Issuing, remote: kit.Remote
) -> None:
    gone = "https://gone.example"
    with pytest.raises(NotYetError, match=f"no keys were found of {gone}"):
        await it.take(told(kit.rules(), kit.rules(gone)))
    assert not it.issuers.readers
    remote.answers |= kit.documents(issuer=gone, host=gone)
    assert await it.take(told(kit.rules(), kit.rules(gone))) is True
    assert list(it.issuers.readers) == [kit.URL, gone]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[", "reading"),
        (b"{}", "missing required field"),
        (told(kit.rules("http://plain.example")), "jwt[0].issuer.url: Invalid value"),
        (told(anonymous=Anonymous(enabled=True)), "anonymous: Forbidden: changed from initial"),
    ],
)
async def test_what_is_wrong_is_refused(it: Issuing, data: bytes, words: str) -> None:
    before = it.issuers.readers
    with pytest.raises(ConfigurationError) as refused:
        await it.take(data)
    assert words in str(refused.value)
    assert it.issuers.readers is before


async def test_who_may_be_anonymous_may_be_said_again(it: Issuing) -> None:
    it.found = replace_anonymous(it.found)
    assert await it.take(told(kit.rules(), anonymous=Anonymous(enabled=True))) is True


def replace_anonymous(found: AuthenticationConfiguration) -> AuthenticationConfiguration:
    return msgspec.structs.replace(found, anonymous=Anonymous(enabled=True))
