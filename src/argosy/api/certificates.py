"""Views of `certificates.k8s.io`: what controllers read of requests for certificates."""

from typing import ClassVar

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources.access import CERTIFICATE_SIGNING_REQUEST


class SigningCondition(View, frozen=True, kw_only=True):
    """A verdict, or a failure; all of its fields, so that it can be written back."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: str | None = None
    last_transition_time: str | None = None


class SigningSpec(View, frozen=True, kw_only=True):
    """What is asked for, and by whom. `request` is base64 of PEM."""

    request: str = ""
    signer_name: str = ""
    expiration_seconds: int | None = None
    usages: tuple[str, ...] = ()
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}


class SigningStatus(View, frozen=True, kw_only=True):
    """What became of it. `certificate` is base64 of PEM."""

    conditions: tuple[SigningCondition, ...] = ()
    certificate: str = ""


class CertificateSigningRequest(Object, frozen=True, kw_only=True):
    """A request for a certificate."""

    resource: ClassVar[Resource] = CERTIFICATE_SIGNING_REQUEST

    spec: SigningSpec = SigningSpec()
    status: SigningStatus = SigningStatus()

    @property
    def denied(self) -> bool:
        """Whether somebody has said no."""
        return any(item.type == "Denied" for item in self.status.conditions)

    @property
    def approved(self) -> bool:
        """Whether somebody has said yes, and nobody no."""
        said = any(item.type == "Approved" for item in self.status.conditions)
        return said and not self.denied

    @property
    def failed(self) -> bool:
        """Whether a signer has given up on it."""
        found = (item for item in self.status.conditions if item.type == "Failed")
        return any(item.status in ("", "True") for item in found)
