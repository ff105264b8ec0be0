"""ClusterTrustBundleAttest: who writes a signer's trust bundle may attest for the signer."""

from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.signers import may

OF_GARBAGE = ("finalizers", "ownerReferences", "managedFields", "resourceVersion")
"""What the garbage collector may change of anything."""


def may_attest(attributes: Attributes) -> None:
    """Refuse a bundle by somebody who may not speak for its signer."""
    signer = attributes.new["spec"].get("signerName")
    if not signer or (attributes.old and _beside(attributes.new) == _beside(attributes.old)):
        return
    if not may(attributes, "attest", signer):
        raise attributes.refusal(f'user not permitted to attest for signerName "{signer}"')


def _beside(bundle: Json) -> Json:
    meta = {name: item for name, item in bundle["metadata"].items() if name not in OF_GARBAGE}
    return {**bundle, "metadata": meta}
