"""Whether somebody may speak for a signer of certificates."""

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.authorization import attributes as access


def may(attributes: Attributes, verb: str, signer: str) -> bool:
    """Whether the user may `verb` for the signer of that name, or for all of its domain."""
    return any(
        attributes.authorize(
            access.Attributes(
                user=attributes.user,
                verb=verb,
                group="certificates.k8s.io",
                version="*",
                resource="signers",
                name=name,
            )
        ).allowed
        for name in (signer, f"{signer.partition('/')[0]}/*")
    )
