"""CertificateSigning: who gives a certificate may sign for its signer."""

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.signers import may

GIVEN = ("certificate", "conditions")


def may_sign(attributes: Attributes) -> None:
    """Refuse a certificate, or a condition, from somebody who may not give it."""
    assert attributes.old is not None
    before, after = attributes.old.get("status") or {}, attributes.new.get("status") or {}
    changed = any((before.get(f) or None) != (after.get(f) or None) for f in GIVEN)
    signer = attributes.old["spec"]["signerName"]
    if changed and not may(attributes, "sign", signer):
        raise attributes.refusal(f'user not permitted to sign requests with signerName "{signer}"')
