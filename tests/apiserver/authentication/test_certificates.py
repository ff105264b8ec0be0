"""Certificates of clients: who they are, and which are nobody's."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy.apiserver.authentication.authenticator import Authenticator
from argosy.apiserver.authentication.certificates import REMEMBERED, UID, ClientCertificates
from argosy.apiserver.authentication.tokens import ANONYMOUS, Tokens, token_hash
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.http.message import Request
from argosy.testing.clock import EPOCH, FakeClock

KEY = ec.generate_private_key(ec.SECP256R1())
CN, ORGANIZATION = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME
FOR_CLIENTS = ExtendedKeyUsageOID.CLIENT_AUTH
Subject = Iterable[tuple[x509.ObjectIdentifier, str]]


def shown(
    subject: Subject, *purposes: x509.ObjectIdentifier, minutes: tuple[int, int] = (-1, 1)
) -> bytes:
    name = x509.Name(x509.NameAttribute(kind, value) for kind, value in subject)
    begins, ends = (EPOCH + timedelta(minutes=count) for count in minutes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


JANE = shown([(CN, "jane"), (ORGANIZATION, "staff")], FOR_CLIENTS)


@pytest.mark.parametrize(
    ("subject", "name", "groups", "uid"),
    [
        ([(CN, "jane")], "jane", ("system:authenticated",), ""),
        (
            [(ORGANIZATION, "b"), (ORGANIZATION, "a"), (CN, "jane"), (UID, "u-1")],
            "jane",
            ("b", "a", "system:authenticated"),
            "u-1",
        ),
        ([(CN, "first"), (CN, "last")], "last", ("system:authenticated",), ""),
        ([(CN, "x"), (ORGANIZATION, "system:authenticated")], "x", ("system:authenticated",), ""),
        (
            [(CN, "x"), (ORGANIZATION, "system:unauthenticated")],
            "x",
            ("system:unauthenticated",),
            "",
        ),
        ([(CN, "system:anonymous")], "system:anonymous", (), ""),
    ],
)
def test_the_subject_says_who(
    subject: Subject, name: str, groups: tuple[str, ...], uid: str
) -> None:
    user = ClientCertificates(FakeClock()).user(shown(subject))
    assert user is not None
    assert (user.name, user.groups, user.uid) == (name, groups, uid)
    (identity,) = user.extra["authentication.kubernetes.io/credential-id"]
    assert identity.startswith("X509SHA256=")
    assert len(identity) == len("X509SHA256=") + 64


@pytest.mark.parametrize(
    "certificate",
    [
        shown([]),
        shown([(ORGANIZATION, "system:masters")]),
        shown([(CN, "jane")], ExtendedKeyUsageOID.SERVER_AUTH),
        shown([(CN, "jane"), (UID, "a"), (UID, "b")]),
        shown([(CN, "jane")], minutes=(-2, -1)),
        shown([(CN, "jane")], minutes=(1, 2)),
        b"",
        b"\x30\x80",
        JANE[:-1],
    ],
)
def test_what_is_nobodys(certificate: bytes) -> None:
    assert ClientCertificates(FakeClock()).user(certificate) is None


async def test_a_connection_may_outlive_the_certificate() -> None:
    clock = FakeClock()
    certificates = ClientCertificates(clock)
    assert certificates.user(JANE) is not None
    await clock.advance(61)
    assert certificates.user(JANE) is None


def test_what_is_remembered_is_bounded() -> None:
    certificates = ClientCertificates(FakeClock())
    for number in range(REMEMBERED + 10):
        certificates.user(str(number).encode())
    assert len(certificates._known) == REMEMBERED


class Caller:
    """A peer with a certificate, or none."""

    address = None

    def __init__(self, certificate: bytes | None) -> None:
        self.certificate = certificate


ALICE = User("alice")
AUTHENTICATOR = Authenticator(
    Tokens({token_hash("a-secret"): ALICE}), certificates=ClientCertificates(FakeClock())
)


async def who(certificate: bytes | None, authorization: str = "", path: str = "/api") -> str:
    headers = {"authorization": authorization} if authorization else {}
    request = Request("GET", path, headers=headers, peer=Caller(certificate))
    return (await AUTHENTICATOR.authenticate(request)).name


async def test_a_certificate_speaks_before_a_token() -> None:
    nobody = shown([(ORGANIZATION, "staff")])
    assert await who(JANE) == "jane"
    assert await who(JANE, "Bearer a-secret") == "jane"
    assert await who(JANE, "Bearer wrong") == "jane"
    assert await who(nobody, "Bearer a-secret") == "alice"
    assert await who(None, "Bearer a-secret") == "alice"
    assert await who(nobody, path="/livez") == ANONYMOUS.name
    for certificate in (nobody, None):
        with pytest.raises(StatusError) as caught:
            await who(certificate)
        assert caught.value.code == 401
