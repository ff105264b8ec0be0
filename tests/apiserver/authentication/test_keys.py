"""The signing key: kept, private, published, and the only one that is believed."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.authentication.keys import KeyFileError, Keys
from argosy.apiserver.authentication.tokens import TokenError
from tests.apiserver.authentication.kit import keys


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.get_unverified_header(token)
    return found


def public_pem() -> bytes:
    key = jwt.PyJWK.from_dict(keys().published()["keys"][0]).key
    return bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def refused(token: str) -> str:
    with pytest.raises(TokenError) as caught:
        keys().verified(token)
    return str(caught.value)


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "pki" / "sa.key"
    first = Keys(file)
    assert not first.made and not file.exists()

    token = first.sign(b"{}")

    assert first.made
    assert file.stat().st_mode & 0o777 == 0o600
    again = Keys(file)
    assert again.made
    assert again.verified(token) == b"{}"
    assert again.published() == first.published()
    assert [path.name for path in file.parent.iterdir()] == ["sa.key"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_told_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sa.key"
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match="sa.key"):
        Keys(file)
    assert file.read_bytes() == content


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "sa.key").write_bytes(other)
    with pytest.raises(KeyFileError, match="no RSA key"):
        Keys(tmp_path / "sa.key")


def test_others_can_check_a_token_with_what_is_published() -> None:
    token = keys().sign(b'{"sub":"me"}')
    published = keys().published()["keys"]

    assert header(token) == {"alg": "RS256", "kid": published[0]["kid"]}
    assert {key: published[0][key] for key in ("use", "kty", "alg", "e")} == {
        "use": "sig",
        "kty": "RSA",
        "alg": "RS256",
        "e": "AQAB",
    }
    read = jwt.decode(token, jwt.PyJWK.from_dict(published[0]), algorithms=["RS256"])
    assert read == {"sub": "me"}


def test_a_token_without_an_identifier_is_tried_with_the_key() -> None:
    head, payload, _ = keys().sign(b"{}").split(".")
    private = keys()._needed().private
    bare = jwt.PyJWS(["RS256"]).encode(b"{}", private, "RS256")
    assert keys().verified(bare) == b"{}"
    assert refused(f"{head}.{payload}.") == "invalid bearer token"


def test_algorithms_cannot_be_confused() -> None:
    kid = header(keys().sign(b"{}"))["kid"]
    unsigned = f"{part({'alg': 'none', 'kid': kid})}.{part({})}."
    assert refused(unsigned) == "invalid bearer token"
    for name in ("HS256", "RS512", "PS256", "ES256", "none", "None", "", None, 3, ["RS256"]):
        forged = f"{part({'alg': name, 'kid': kid})}.{part({})}.{part(public_pem())}"
        assert refused(forged) == "invalid bearer token", name
    secret = public_pem().replace(b"-", b"")  # libraries refuse to sign with a whole key
    confused = jwt.PyJWS(["HS256"]).encode(b"{}", secret, "HS256", {"kid": kid})
    assert refused(confused) == "invalid bearer token"


def test_another_key_or_identifier_is_refused() -> None:
    other = Keys()
    assert refused(other.sign(b"{}")) == "invalid signature, no keys found"
    kid = header(keys().sign(b"{}"))["kid"]
    forged = jwt.PyJWS(["RS256"]).encode(b"{}", other._needed().private, "RS256", {"kid": kid})
    assert refused(forged) == "invalid bearer token"
    with pytest.raises(TokenError, match="no keys found"):
        Keys().verified(forged)  # a cluster that never signed anything


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        "{}.{}.{}",
        f"{part([])}.{part({})}.",
        f"{part(b'[' * 9000)}.{part({})}.",
        f"{part({'alg': 'RS256', 'crit': ['b64'], 'b64': False})}..AAAA",
        f"{part({'alg': 'RS256', 'kid': {}})}.{part({})}.AAAA",
        "\u00e9.\u00e9.\u00e9",
        "=.=.=",
    ],
)
def test_nonsense_is_refused(token: str) -> None:
    assert refused(token).startswith("invalid")


@settings(max_examples=60)
@given(st.integers(0, 400), st.characters(max_codepoint=0x2FF))
def test_no_changed_token_is_believed(where: int, char: str) -> None:
    token = keys().sign(b'{"sub":"me","aud":["a"]}')
    where %= len(token)
    changed = f"{token[:where]}{char}{token[where + 1 :]}"
    try:
        assert keys().verified(changed) == b'{"sub":"me","aud":["a"]}'
    except TokenError:
        return
    # Some of the last character's bits are not part of the signature.
    assert changed == token or where == len(token) - 1
