"""For whom a certificate is asked for."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from argosy.api.validation import pem


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, and the groups that they say they are in."""

    name: str
    groups: tuple[str, ...]


def subject_of(request: str) -> Subject:
    """The subject of a request for a certificate: PEM, in base64. Raises ValueError."""
    kind, _, body = next(pem.blocks(pem.decoded(request)), ("", False, b""))
    if kind != "CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        subject = x509.load_der_x509_csr(body).subject
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    groups = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Subject(
        str(names[-1].value) if names else "", tuple(str(group.value) for group in groups)
    )
