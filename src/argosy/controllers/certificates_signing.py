"""Signs requests for certificates that somebody has approved, for the cluster's own signers.

One that its signer cannot take is marked as failed, with the reason, and not looked at again. The
key is elsewhere: what signs is handed over.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography import x509

from argosy.api.certificates import CertificateSigningRequest
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import TerminalError
from argosy.client.client import Client
from argosy.controllers.certificates import CHECKS, parsed
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/certificates-signing"

Sign = Callable[[x509.CertificateSigningRequest, tuple[str, ...], int | None], bytes]
"""The certificate (PEM) for a request, with usages, for so many seconds at most. Raises ValueError
for what cannot be signed."""


@dataclass(frozen=True)
class Signing:
    """Gives certificates."""

    client: Client
    clock: Clock
    sign: Sign

    async def reconcile(self, csr: CertificateSigningRequest) -> Result:
        """Sign what waits for it, once."""
        if csr.status.certificate or not csr.approved or csr.failed:
            return DONE
        check = CHECKS.get(csr.spec.signer_name)
        if check is None:
            return DONE
        try:
            request = parsed(csr)
            fault = check(request, frozenset(csr.spec.usages))
            status = self._failed(csr, fault) if fault else self._signed(csr, request)
        except ValueError as error:
            raise TerminalError(f"signing {csr.metadata.name}, {error}") from None
        meta = csr.metadata
        # With the revision: a verdict that came meanwhile must not be lost.
        patch = {"metadata": {"resourceVersion": meta.resource_version}, "status": status}
        await self.client.merge(csr.resource, meta.name, "", patch, subresource="status")
        return DONE

    def _signed(
        self, csr: CertificateSigningRequest, request: x509.CertificateSigningRequest
    ) -> dict[str, Any]:
        certificate = self.sign(request, csr.spec.usages, csr.spec.expiration_seconds)
        return {"certificate": base64.b64encode(certificate).decode()}

    def _failed(self, csr: CertificateSigningRequest, fault: str) -> dict[str, Any]:
        now = timestamp(self.clock.now())
        failure = {
            "type": "Failed",
            "status": "True",
            "reason": "SignerValidationFailure",
            "message": fault,
            "lastUpdateTime": now,
            "lastTransitionTime": now,
        }
        return {"conditions": [*msgspec.to_builtins(csr.status.conditions), failure]}


def signing(manager: Manager, sign: Sign) -> Controller[CertificateSigningRequest]:
    """The controller, on the manager's caches."""
    controller = Signing(manager.client_as(NAME), manager.clock, sign)
    return Controller(
        name=NAME,
        informer=manager.informer(CertificateSigningRequest),
        reconcile=controller.reconcile,
    )
