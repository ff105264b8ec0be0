"""Removes requests for certificates that have done their work, or will not.

One hour after a verdict that was carried out, a day after one that was not and for what nobody ever
judged, and when the certificate itself has ended. Those of pods go a quarter of an hour after they
were made, whatever became of them: nobody waits that long. Source: Kubernetes' "Certificates and
Certificate Signing Requests".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from cryptography import x509

from argosy.api.certificates import CertificateSigningRequest
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.resources.access import POD_CERTIFICATE_REQUEST
from argosy.api.validation.pem import UNREADABLE, blocks, decoded
from argosy.base.clock import Clock, parse_timestamp
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "controllers/certificates-cleaning"
DONE_WITH = timedelta(hours=1)
PENDING = timedelta(hours=24)
OF_PODS = "controllers/certificates-cleaning-pods"
PODS_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Cleaning:
    """Deletes what is due."""

    client: Client
    clock: Clock

    async def reconcile(self, csr: CertificateSigningRequest) -> Result:
        """Delete the request, or look again when that is due."""
        due = min(_ends(csr), default=None)
        if due is None or csr.metadata.deletion_timestamp is not None:
            return DONE
        left = (due - self.clock.now()).total_seconds()
        if left >= 0:
            return Result(after=left + 1.0)
        meta = csr.metadata
        await self.client.delete(csr.resource, meta.name, uid=meta.uid)
        return DONE


class PodCertificateRequest(Object, frozen=True, kw_only=True):
    """A pod's request: how old it is is all that matters here."""

    resource: ClassVar[Resource] = POD_CERTIFICATE_REQUEST


@dataclass(frozen=True)
class PodCleaning:
    """Deletes what is old."""

    client: Client
    clock: Clock

    async def reconcile(self, request: PodCertificateRequest) -> Result:
        """Delete the request, or look again when it is old."""
        meta = request.metadata
        if not meta.creation_timestamp or meta.deletion_timestamp is not None:
            return DONE
        old = parse_timestamp(meta.creation_timestamp) + PODS_WAIT
        left = (old - self.clock.now()).total_seconds()
        if left > 0:
            return Result(after=left)
        await self.client.delete(request.resource, meta.name, meta.namespace, uid=meta.uid)
        return DONE


def _ends(csr: CertificateSigningRequest) -> Iterator[datetime]:
    """The moments from which on the request is of no use."""
    created, issued = csr.metadata.creation_timestamp, csr.status.certificate
    if not csr.status.conditions and created:
        yield parse_timestamp(created) + PENDING
    for condition in csr.status.conditions:
        if condition.type == "Approved" and issued and (end := _end(issued)) is not None:
            yield end
        if condition.last_update_time is None:
            continue
        since = parse_timestamp(condition.last_update_time)
        if condition.type in ("Denied", "Failed"):
            yield since + DONE_WITH
        if condition.type == "Approved":
            yield since + (DONE_WITH if issued else PENDING)


def _end(certificate: str) -> datetime | None:
    """When the first certificate in base64 of PEM ends."""
    first = next(blocks(decoded(certificate)), None)
    if first is None:
        return None
    try:
        return x509.load_der_x509_certificate(first[2]).not_valid_after_utc
    except UNREADABLE:
        return None


def cleaning(manager: Manager) -> Controller[CertificateSigningRequest]:
    """The controller, on the manager's caches."""
    return Controller(
        name=NAME,
        informer=manager.informer(CertificateSigningRequest),
        reconcile=Cleaning(manager.client_as(NAME), manager.clock).reconcile,
    )


def pod_cleaning(manager: Manager) -> Controller[PodCertificateRequest]:
    """The one for pods' requests."""
    return Controller(
        name=OF_PODS,
        informer=manager.informer(PodCertificateRequest),
        reconcile=PodCleaning(manager.client_as(OF_PODS), manager.clock).reconcile,
    )
