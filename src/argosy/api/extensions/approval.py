"""Groups of Kubernetes' own: who defines a kind there says who approved of it.

Source: apiextensions' `apihelpers` and `apiapproval`, Kubernetes 1.36.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

Json = Mapping[str, Any]
APPROVED = "api-approved.kubernetes.io"
CONFORMS = "KubernetesAPIApprovalPolicyConformant"
KEP = "https://github.com/kubernetes/enhancements/pull/1111"


class Approval(NamedTuple):
    """What an annotation says, as a condition's reason, and in words."""

    reason: Literal[
        "MissingAnnotation", "UnapprovedAnnotation", "ApprovedAnnotation", "InvalidAnnotation"
    ]
    message: str

    @property
    def conforms(self) -> bool:
        """Whether the policy is kept."""
        return self.reason == "ApprovedAnnotation"


def protected(group: str) -> bool:
    """Whether a group is Kubernetes' own."""
    return f".{group}".endswith((".k8s.io", ".kubernetes.io"))


def said(metadata: Json) -> str:
    """The annotation; empty where there is none."""
    return str((metadata.get("annotations") or {}).get(APPROVED) or "")


def approval(text: str) -> Approval:
    """What the annotation says."""
    needs = f'protected groups must have approval annotation "{APPROVED}"'
    if not text:
        return Approval("MissingAnnotation", f"{needs}, see {KEP}")
    if text.startswith("unapproved"):
        return Approval("UnapprovedAnnotation", f'not approved: "{text}"')
    if _is_url(text):
        return Approval("ApprovedAnnotation", f"approved in {text}")
    either = 'with either a URL or a reason starting with "unapproved"'
    return Approval("InvalidAnnotation", f"{needs} {either}, see {KEP}")


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return bool(url.scheme and url.netloc)
