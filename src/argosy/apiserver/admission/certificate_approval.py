"""CertificateApproval: who approves a request for a certificate may do so for its signer."""

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.signers import may


def may_approve(attributes: Attributes) -> None:
    """Refuse a verdict by somebody who may not give it."""
    assert attributes.old is not None
    signer = attributes.old["spec"]["signerName"]
    if not may(attributes, "approve", signer):
        raise attributes.refusal(
            f'user not permitted to approve requests with signerName "{signer}"'
        )
