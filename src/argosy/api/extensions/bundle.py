"""Bundles of certificates in a webhook's `clientConfig`."""

import base64
import binascii

from cryptography import x509

from argosy.api.validation.pem import UNREADABLE, blocks

WRONG = "unable to load root certificates: unable to parse bytes as PEM block"


def bundle_fault(bundle: str) -> str:
    """Why nobody can be trusted by a bundle (base64 of PEM); empty where somebody can.

    An empty one stands for whom the system trusts. One certificate that can be read is enough.
    """
    try:
        text = base64.b64decode(bundle, validate=True)
    except (binascii.Error, ValueError):
        return WRONG
    if not text.strip():
        return ""
    return "" if any(_read(kind, body) for kind, _, body in blocks(text)) else WRONG


def _read(kind: str, body: bytes) -> bool:
    if kind != "CERTIFICATE":
        return False
    try:
        x509.load_der_x509_certificate(body)
    except UNREADABLE:
        return False
    return True
