"""Approves kubelets' requests for client certificates, where whoever asks is allowed to have them.

Allowed are those who may `create` the subresource `nodeclient` of requests for certificates, and
for a node that renews its own certificate those who may create `selfnodeclient`. Everything else
waits for somebody's verdict. Source: Kubernetes' "TLS bootstrapping".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.certificates import CertificateSigningRequest
from argosy.api.resources.identity import SUBJECT_ACCESS_REVIEW
from argosy.base.errors import TerminalError
from argosy.client.client import Client
from argosy.controllers.certificates import (
    KUBELET_CLIENT,
    common_name,
    kubelet_client_fault,
    parsed,
)
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/certificates-approval"
SELF = "Auto approving self kubelet client certificate after SubjectAccessReview."
OTHER = "Auto approving kubelet client certificate after SubjectAccessReview."


@dataclass(frozen=True)
class Approval:
    """Gives the one verdict that needs nobody."""

    client: Client

    async def reconcile(self, csr: CertificateSigningRequest) -> Result:
        """Approve what may be approved."""
        if csr.status.certificate or csr.approved or csr.denied:
            return DONE
        try:
            grounds = list(_grounds(csr))
        except ValueError as error:
            raise TerminalError(f"approving {csr.metadata.name}, {error}") from None
        for subresource, message in grounds:
            if await self._allowed(csr, subresource):
                await self._approve(csr, message)
                break
        return DONE

    async def _allowed(self, csr: CertificateSigningRequest, subresource: str) -> bool:
        asker = csr.spec
        asked = {
            "group": csr.resource.group,
            "resource": csr.resource.plural,
            "subresource": subresource,
            "verb": "create",
            "version": "*",
        }
        spec = {
            "user": asker.username,
            "uid": asker.uid,
            "groups": asker.groups,
            "extra": asker.extra,
            "resourceAttributes": asked,
        }
        review = await self.client.call(
            "POST", SUBJECT_ACCESS_REVIEW.path(""), body={"metadata": {}, "spec": spec}
        )
        return msgspec.json.decode(review)["status"]["allowed"] is True

    async def _approve(self, csr: CertificateSigningRequest, message: str) -> None:
        verdict = {
            "type": "Approved",
            "status": "True",
            "reason": "AutoApproved",
            "message": message,
        }
        conditions: list[Any] = [*msgspec.to_builtins(csr.status.conditions), verdict]
        meta = csr.metadata
        patch = {
            "metadata": {"resourceVersion": meta.resource_version},
            "status": {"conditions": conditions},
        }
        await self.client.merge(csr.resource, meta.name, "", patch, subresource="approval")


def _grounds(csr: CertificateSigningRequest) -> Iterator[tuple[str, str]]:
    """What would allow it, the narrower first, each with what is then said. Raises ValueError."""
    if csr.spec.signer_name != KUBELET_CLIENT:
        return
    request = parsed(csr)
    if kubelet_client_fault(request, frozenset(csr.spec.usages)):
        return
    if csr.spec.username == common_name(request):
        yield "selfnodeclient", SELF
    yield "nodeclient", OTHER


def approval(manager: Manager) -> Controller[CertificateSigningRequest]:
    """The controller, on the manager's caches."""
    return Controller(
        name=NAME,
        informer=manager.informer(CertificateSigningRequest),
        reconcile=Approval(manager.client_as(NAME)).reconcile,
    )
