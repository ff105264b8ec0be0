"""What is wrong with certificates and requests for them, in PEM or in DER. Nothing here is trusted.

A certificate is only asked whether it is one, not who signed it.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

BLOCK = re.compile(rb"-----BEGIN ([^\n-]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)
CURVES = ("secp256r1", "secp384r1", "secp521r1")
RSA_SIZES = (3072, 4096)


def decoded(text: str) -> bytes:
    """The bytes in base64; none where it is not that."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def blocks(text: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """The blocks of a PEM text: what each is, whether it has headers, and its bytes."""
    for match in BLOCK.finditer(text):
        body = match[2]
        headers, blank, rest = body.partition(b"\n\n")
        has_headers = b":" in headers and bool(blank)
        yield (
            match[1].decode(errors="replace"),
            has_headers,
            decoded((rest if has_headers else body).translate(None, b" \r\n\t").decode("latin-1")),
        )


def request_fault(text: bytes) -> str:
    """What keeps `text` from being a request for a certificate, signed by who asks."""
    first = next(blocks(text), None)
    if first is None or first[0] != "CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        signed = x509.load_der_x509_csr(first[2]).is_signature_valid
    except UNREADABLE as error:
        return str(error)
    return "" if signed else "x509: signature does not match"


def chain_fault(text: bytes) -> str:
    """What keeps `text` from being a chain of certificates."""
    found = list(blocks(text))
    for kind, headers, body in found:
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
        if headers:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(body)
        except UNREADABLE as error:
            return str(error)
    return "" if found else "must contain at least one CERTIFICATE PEM block"


def bundle_faults(text: bytes) -> list[str]:
    """What keeps `text` from being a bundle of trust anchors, each once."""
    found = list(blocks(text))
    faults = [
        f"entry {i} {fault}"
        for i, (kind, headers, body) in enumerate(found)
        if (fault := _anchor_fault(kind, body, headers=headers))
    ]
    if faults:
        return faults
    if not found:
        return ["at least one trust anchor must be provided"]
    places: dict[bytes, list[str]] = {}
    for i, (_, _, body) in enumerate(found):
        places.setdefault(body, []).append(str(i))
    return [
        f"duplicate trust anchor (indices [{' '.join(where)}])"
        for where in places.values()
        if len(where) > 1
    ]


def _anchor_fault(kind: str, body: bytes, *, headers: bool) -> str:
    if kind != "CERTIFICATE":
        return f"has bad block type: {kind}"
    if headers:
        return "has PEM block headers"
    try:
        certificate = x509.load_der_x509_certificate(body)
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return "does not have the CA bit set"
    except UNREADABLE:
        return "does not parse as X.509"
    return "" if basic.value.ca else "does not have the CA bit set"


def stub_fault(body: bytes) -> tuple[str, str]:
    """What keeps `body` from being a pod's request: what the error shows, and what it says."""
    try:
        request = x509.load_der_x509_csr(body)
        key = request.public_key()
        signed = request.is_signature_valid
    except (*UNREADABLE, InvalidSignature):
        return "", "must be a valid PKCS#10 CSR"
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            detail = "elliptic public keys must use curve P256, P384, or P521"
            return f"curve {key.curve.name}", detail
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in RSA_SIZES:
            detail = "RSA keys must have modulus size 3072 or 4096"
            return f"{key.key_size}-bit modulus", detail
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        return "", "unknown public key type; supported types are Ed25519, ECDSA, and RSA"
    return "", "" if signed else "invalid signature"


def issued_fault(text: bytes) -> str:
    """What keeps `text` from being the chain that a pod is given."""
    found = list(blocks(text))
    if not found:
        return "issued certificate chain must contain at least one certificate"
    for i, (kind, _, body) in enumerate(found):
        if kind != "CERTIFICATE":
            return "issued certificate chain must consist entirely of CERTIFICATE PEM blocks"
        try:
            x509.load_der_x509_certificate(body)
        except UNREADABLE:
            which = "intermediate certificate" if i else "leaf certificate"
            return f"{which} does not parse as valid X.509"
    return ""
