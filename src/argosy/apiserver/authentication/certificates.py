"""Certificates of clients: the subject's common name is the user, its organizations the groups.

That an authority that is trusted issued it was checked by TLS when the connection began.
Where TLS trusts several, for different things, it is told here whose certificate it is.
It is read once and remembered by its bytes; that it is still good is asked each time, because a
connection may outlive it. Source: Kubernetes' "Authenticating", X.509 client certificates.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy.apiserver.authentication.tokens import authenticated
from argosy.apiserver.request import User
from argosy.base.clock import Clock

REMEMBERED: Final = 4096
CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"
UID: Final = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
"""Kubernetes' own attribute of a subject: the user's uid."""
FOR_CLIENTS: Final = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose certificate it is, if anybody's, and from when to when. Seconds since 1970."""

    user: User | None
    begins: float = 0.0
    ends: float = 0.0


NOBODY: Final = _Known(None)


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Reads certificates that TLS has verified, of these `issuers`; None means all it trusts."""

    clock: Clock
    issuers: tuple[x509.Certificate, ...] | None = None
    _known: dict[bytes, _Known] = field(default_factory=dict)

    def user(self, shown: bytes) -> User | None:
        """Whose certificate (DER) it is; None for one that names nobody or has ended."""
        known = self._known.get(shown)
        if known is None:
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            known = self._known[shown] = read(shown, self.issuers)
        now = self.clock.now().timestamp()
        return known.user if known.begins <= now <= known.ends else None


def read(shown: bytes, issuers: tuple[x509.Certificate, ...] | None = None) -> _Known:
    """What the certificate says."""
    try:
        certificate = x509.load_der_x509_certificate(shown)
        if issuers is not None and not any(_issued(certificate, one) for one in issuers):
            return NOBODY
        if not _for_clients(certificate):
            return NOBODY
        user = _user(certificate.subject, shown)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return NOBODY
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return _Known(user, begins.timestamp(), ends.timestamp())


def authorities(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Those of a bundle. Raises ValueError."""
    return tuple(x509.load_pem_x509_certificates(pem))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether this authority signed it, itself."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _for_clients(certificate: x509.Certificate) -> bool:
    """A certificate of a server of the same authority is nobody's."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(purpose in usage for purpose in FOR_CLIENTS)


def _user(subject: x509.Name, shown: bytes) -> User | None:
    names, uids = _texts(subject, NameOID.COMMON_NAME), _texts(subject, UID)
    if not names or not names[-1]:
        return None
    if len(uids) > 1 or "" in uids:
        raise ValueError("a certificate names one uid or none")
    identity = f"X509SHA256={hashlib.sha256(shown).hexdigest()}"
    groups = tuple(_texts(subject, NameOID.ORGANIZATION_NAME))
    return authenticated(User(names[-1], groups, "".join(uids), {CREDENTIAL: (identity,)}))


def _texts(subject: x509.Name, kind: x509.ObjectIdentifier) -> list[str]:
    """The values of an attribute. Raises TypeError where one is no text."""
    values = [attribute.value for attribute in subject.get_attributes_for_oid(kind)]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise TypeError("an attribute of the subject is no text")
    return texts
