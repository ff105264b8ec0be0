"""The authority: how long what it signs is good, and what it does not sign."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from argosy.cluster.authority import BACKDATED, LONGEST, SHORT, SHORTEST, Authority, lifetime
from argosy.http.tls import ensure_certificates
from argosy.testing.clock import EPOCH, FakeClock

FAR = EPOCH + timedelta(days=3650)
JANE = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])


@given(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), st.integers(1, 10**9))
def test_a_certificate_ends_in_time(seconds: int | None, left: int) -> None:
    last = EPOCH + timedelta(seconds=left)
    begins, ends = lifetime(EPOCH, seconds, last)

    assert begins == EPOCH - BACKDATED
    assert EPOCH < ends <= last
    assert ends <= EPOCH + LONGEST
    if seconds is not None and last == FAR:
        assert ends <= EPOCH + max(timedelta(seconds=seconds), SHORTEST)


@pytest.mark.parametrize(
    ("seconds", "length"),
    [
        (None, LONGEST - BACKDATED),
        (1, SHORTEST),
        (3600, timedelta(hours=1)),
        (8 * 3600, SHORT - BACKDATED),
        (10**9, LONGEST - BACKDATED),
    ],
)
def test_how_long(seconds: int | None, length: timedelta) -> None:
    assert lifetime(EPOCH, seconds, FAR)[1] - EPOCH == length


def test_an_authority_that_has_ended_signs_nothing() -> None:
    with pytest.raises(ValueError, match="expired"):
        lifetime(EPOCH, None, EPOCH)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder().subject_name(JANE).sign(key, hashes.SHA256())


def test_keys_of_any_kind_are_certified(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, ["localhost"], EPOCH)
    authority = Authority(tmp_path, FakeClock())
    odd = x509.CertificateSigningRequestBuilder().subject_name(JANE)
    for asked in (
        request(ec.generate_private_key(ec.SECP384R1())),
        request(rsa.generate_private_key(65537, 2048)),
        odd.sign(ed25519.Ed25519PrivateKey.generate(), None),
    ):
        given = x509.load_pem_x509_certificate(authority.sign(asked, ("client auth",), None))
        assert given.public_key() == asked.public_key()


def test_what_cannot_be_signed(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(tmp_path, FakeClock())
    with pytest.raises(ValueError, match="reading the authority's key"):
        authority.sign(request(key), ("client auth",), None)
    ensure_certificates(tmp_path, ["localhost"], EPOCH)
    with pytest.raises(ValueError):
        authority.sign(request(key), ("encipher only",), None)
