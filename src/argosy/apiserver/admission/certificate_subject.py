"""CertificateSubjectRestriction: no client certificate makes its holder a master of the cluster."""

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.subjects import subject_of
from argosy.apiserver.authorization.authorizer import MASTERS

SIGNER = "kubernetes.io/kube-apiserver-client"


def no_masters(attributes: Attributes) -> None:
    """Refuse a request for a certificate of the group that may do everything."""
    spec = attributes.new["spec"]
    if spec.get("signerName") != SIGNER:
        return
    try:
        groups = subject_of(spec["request"]).groups
    except ValueError as error:
        raise attributes.refusal(f"failed to parse CSR: {error}") from None
    if MASTERS in groups:
        raise attributes.refusal(f"use of {SIGNER} signer with system:masters group is not allowed")
