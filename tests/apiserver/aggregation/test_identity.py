"""Tests of what extension servers are told of who asks."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.aggregation.identity import (
    ProxyCertificate,
    escaped,
    identity,
    passed_on,
)
from argosy.apiserver.request import User
from argosy.testing.clock import FakeClock


def test_everything_known_of_a_user_is_told() -> None:
    user = User("eve", ("a", "b"), "7", {"example.com/Scope": ("x", "y")})
    assert identity(user) == [
        ("x-remote-user", "eve"),
        ("x-remote-uid", "7"),
        ("x-remote-group", "a"),
        ("x-remote-group", "b"),
        ("x-remote-extra-example.com%2Fscope", "x"),
        ("x-remote-extra-example.com%2Fscope", "y"),
    ]


def test_names_go_out_as_utf_8() -> None:
    assert identity(User("Zoë"))[0][1].encode("latin-1").decode() == "Zoë"


@given(st.text())
@settings(max_examples=50)
def test_keys_become_what_a_header_may_be_called(key: str) -> None:
    allowed = frozenset("!#$%&'*+-.^_`|~")
    assert all(
        letter.isascii() and (letter.isalnum() or letter in allowed) for letter in escaped(key)
    )


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Authorization",
        "proxy-authorization",
        "x-remote-user",
        "X-Remote-Group",
        "x-remote-uid",
        "x-remote-extra-scopes",
        "x_remote_user",
        "X_Remote-Extra_a",
        "impersonate-user",
        "host",
    ],
)
def test_no_credentials_and_no_claims_go_on(name: str) -> None:
    assert passed_on({name: "x", "accept": "y"}) == {"accept": "y"}


async def test_the_certificate_is_kept_and_renewed(tmp_path: Path) -> None:
    clock = FakeClock()
    front = ProxyCertificate(tmp_path, clock)
    first = front.certificates()
    shown = x509.load_pem_x509_certificate(first.cert_file.read_bytes())
    usage = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    shown.verify_directly_issued_by(x509.load_pem_x509_certificate(first.ca_pem))
    assert {file.name for file in tmp_path.iterdir()} == {
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "front-proxy-client.crt",
        "front-proxy-client.key",
    }
    assert (tmp_path / "front-proxy-client.key").stat().st_mode & 0o77 == 0
    assert ProxyCertificate(tmp_path, clock).certificates().ca_pem == first.ca_pem
    edition = front.edition
    await clock.advance(timedelta(days=340).total_seconds())
    again = front.certificates()
    assert again.ca_pem == first.ca_pem
    assert front.edition == edition + 1
