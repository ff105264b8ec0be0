"""The cluster's certificate authority, as a function that signs.

Its key is in the folder that `argosy.http.tls` keeps, and is read when something is to be signed: a
new authority signs from the moment on at which it is there. Source of the rules: upstream's
signing policy, with its year at most and its five minutes for clocks that are behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy.base.clock import Clock
from argosy.controllers.certificates import alternative_names, common_name

LONGEST: Final = timedelta(days=365)
SHORTEST: Final = timedelta(minutes=10)
BACKDATED: Final = timedelta(minutes=5)
SHORT: Final = timedelta(hours=8)
"""A certificate that lasts no longer than this gets its whole time."""

KEY_USAGES: Final[Mapping[str, str]] = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
PURPOSES: Final[Mapping[str, x509.ObjectIdentifier]] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}

SHOWN: Final = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.STREET_ADDRESS,
    NameOID.POSTAL_CODE,
    NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)
"""What is taken over of a subject: what whoever approves it is shown. A uid is not."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs with `ca.key` in `folder`."""

    folder: Path
    clock: Clock

    def sign(
        self, request: x509.CertificateSigningRequest, usages: tuple[str, ...], seconds: int | None
    ) -> bytes:
        """The certificate, PEM, for `seconds` or what is allowed of them.

        Raises ValueError for a request or an authority that is not good for it.
        """
        certificate, key = _read(self.folder)
        try:
            if not request.is_signature_valid:
                raise ValueError("unable to verify certificate request signature")
            builder = self._builder(certificate, request, usages, seconds)
            return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(str(error)) from None

    def _builder(
        self,
        issuer: x509.Certificate,
        request: x509.CertificateSigningRequest,
        usages: tuple[str, ...],
        seconds: int | None,
    ) -> x509.CertificateBuilder:
        begins, ends = lifetime(self.clock.now(), seconds, issuer.not_valid_after_utc)
        # Of the request names alone are taken over: what they are good for, the usages say.
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(request))
            .issuer_name(issuer.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_authority(issuer), critical=False)
        )
        for extension, critical in _usages(usages):
            builder = builder.add_extension(extension, critical=critical)
        if names := alternative_names(request):
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder


def lifetime(now: datetime, seconds: int | None, last: datetime) -> tuple[datetime, datetime]:
    """From when to when a certificate is good, whose issuer ends at `last`. Raises ValueError."""
    if now >= last:
        raise ValueError(f"the signer has expired: NotAfter={last}")
    wanted = LONGEST if seconds is None else timedelta(seconds=seconds)
    length = max(min(wanted, LONGEST), SHORTEST)
    ends = now + (length if length < SHORT else length - BACKDATED)
    return now - BACKDATED, min(ends, last)


def _subject(request: x509.CertificateSigningRequest) -> x509.Name:
    known = [attribute for attribute in request.subject if attribute.oid in SHOWN]
    last = common_name(request)
    return x509.Name(
        attribute
        for attribute in known
        if attribute.oid != NameOID.COMMON_NAME or attribute.value == last
    )


def _authority(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    key = issuer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usages(usages: tuple[str, ...]) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    keyed = {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}
    if keyed:
        flags = {name: name in keyed for name in KEY_USAGES.values()}
        found.append((x509.KeyUsage(**flags), True))
    purposes = dict.fromkeys(PURPOSES[usage] for usage in usages if usage in PURPOSES)
    if purposes:
        found.append((x509.ExtendedKeyUsage(purposes), False))
    return found


def _read(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    except (OSError, TypeError) as error:
        raise ValueError(f"reading the authority's key: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is of another kind than it was made")
    return certificate, key
