"""Requests for certificates: what the signers ask of them, and what becomes of them."""

import base64
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy.api.certificates import CertificateSigningRequest
from argosy.api.resources.access import CERTIFICATE_SIGNING_REQUEST
from argosy.cluster.authority import Authority
from argosy.controllers.certificates import CHECKS, CLIENT, KUBELET_CLIENT, KUBELET_SERVING
from argosy.controllers.certificates_approval import approval
from argosy.controllers.certificates_cleaning import (
    PODS_WAIT,
    PodCertificateRequest,
    cleaning,
    pod_cleaning,
)
from argosy.controllers.certificates_signing import signing
from argosy.http.tls import ensure_certificates
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]
KEY = ec.generate_private_key(ec.SECP256R1())
OF_CLIENTS = ("client auth", "digital signature")
OF_SERVERS = ("digital signature", "key encipherment", "server auth")
NODE = "system:node:here"
UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")


def request(
    *names: x509.GeneralName, cn: str = NODE, groups: tuple[str, ...] = ("system:nodes",)
) -> x509.CertificateSigningRequest:
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject += [x509.NameAttribute(NameOID.COMMON_NAME, cn), x509.NameAttribute(UID, "u-1")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256())


DNS = x509.DNSName("here")
IP = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
MAIL = x509.RFC822Name("a@b.c")
LINK = x509.UniformResourceIdentifier("spiffe://a/b")
NO_NODES = "subject organization is not system:nodes"
NO_NODE = "subject common name does not begin with system:node:"


@pytest.mark.parametrize(
    ("signer", "asked", "usages", "fault"),
    [
        (CLIENT, request(cn="jane", groups=("staff",)), OF_CLIENTS, ""),
        (CLIENT, request(cn="jane"), ("client auth",), ""),
        (
            CLIENT,
            request(cn="jane"),
            ("digital signature",),
            "missing required usage for client certificate: client auth",
        ),
        (
            CLIENT,
            request(cn="jane"),
            ("client auth", "server auth"),
            "invalid usage for client certificate: server auth",
        ),
        (KUBELET_CLIENT, request(), OF_CLIENTS, ""),
        (KUBELET_CLIENT, request(), (*OF_CLIENTS, "key encipherment"), ""),
        (
            KUBELET_CLIENT,
            request(),
            ("client auth",),
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (KUBELET_CLIENT, request(groups=()), OF_CLIENTS, NO_NODES),
        (KUBELET_CLIENT, request(groups=("system:nodes", "staff")), OF_CLIENTS, NO_NODES),
        (KUBELET_CLIENT, request(cn="jane"), OF_CLIENTS, NO_NODE),
        (KUBELET_CLIENT, request(DNS), OF_CLIENTS, "DNS subjectAltNames are not allowed"),
        (KUBELET_CLIENT, request(IP), OF_CLIENTS, "IP subjectAltNames are not allowed"),
        (KUBELET_CLIENT, request(MAIL), OF_CLIENTS, "Email subjectAltNames are not allowed"),
        (KUBELET_CLIENT, request(LINK), OF_CLIENTS, "URI subjectAltNames are not allowed"),
        (KUBELET_SERVING, request(DNS), OF_SERVERS, ""),
        (KUBELET_SERVING, request(IP, DNS), ("digital signature", "server auth"), ""),
        (KUBELET_SERVING, request(), OF_SERVERS, "DNS or IP subjectAltName is required"),
        (KUBELET_SERVING, request(DNS, MAIL), OF_SERVERS, "Email subjectAltNames are not allowed"),
        (KUBELET_SERVING, request(DNS, LINK), OF_SERVERS, "URI subjectAltNames are not allowed"),
        (KUBELET_SERVING, request(DNS, groups=("staff",)), OF_SERVERS, NO_NODES),
        (KUBELET_SERVING, request(DNS, cn="jane"), OF_SERVERS, NO_NODE),
        (
            KUBELET_SERVING,
            request(DNS),
            OF_CLIENTS,
            "usages did not match [digital signature key encipherment server auth]",
        ),
    ],
)
def test_what_signers_ask(
    signer: str, asked: x509.CertificateSigningRequest, usages: tuple[str, ...], fault: str
) -> None:
    assert CHECKS[signer](asked, frozenset(usages)) == fault


@dataclass
class Scene:
    """A cluster with the controllers, and an authority."""

    cluster: Cluster
    clock: FakeClock
    ca: x509.Certificate

    async def ask(
        self, asked: x509.CertificateSigningRequest, signer: str = CLIENT, **spec: Any
    ) -> CertificateSigningRequest:
        text = base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode()
        body = {
            "metadata": {"name": "it"},
            "spec": {"request": text, "signerName": signer, "usages": list(OF_CLIENTS), **spec},
        }
        await self.cluster.client.create(CERTIFICATE_SIGNING_REQUEST, body)
        return await self.now()

    async def verdict(self, kind: str) -> CertificateSigningRequest:
        condition = {"type": kind, "status": "True", "reason": "ByHand"}
        patch = {"status": {"conditions": [condition]}}
        await self.cluster.client.merge(
            CERTIFICATE_SIGNING_REQUEST, "it", "", patch, subresource="approval"
        )
        return await self.now()

    async def now(self) -> CertificateSigningRequest:
        await settle()
        return await self.cluster.client.get(CertificateSigningRequest, "it")

    async def there(self) -> bool:
        await settle()
        return await self.cluster.client.find(CertificateSigningRequest, "it") is not None


@asynccontextmanager
async def certifying(folder: Path) -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    pem = ensure_certificates(folder, ["localhost"], clock.now()).ca_pem
    async with cluster(clock=clock) as running:
        for add in (approval, cleaning):
            running.manager.add(add(running.manager))
        running.manager.add(signing(running.manager, Authority(folder, clock).sign))
        running.start()
        yield Scene(running, clock, x509.load_pem_x509_certificate(pem))


def issued(csr: CertificateSigningRequest) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(csr.status.certificate))


async def test_what_is_approved_is_signed(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        asked = request(DNS, cn="jane", groups=("staff", "ops"))
        csr = await it.ask(asked, expirationSeconds=3600)
        assert not csr.status.certificate
        given = issued(await it.verdict("Approved"))

        given.verify_directly_issued_by(it.ca)
        assert given.public_key() == KEY.public_key()
        shown = [(attribute.oid, attribute.value) for attribute in given.subject]
        assert shown == [
            (NameOID.ORGANIZATION_NAME, "staff"),
            (NameOID.ORGANIZATION_NAME, "ops"),
            (NameOID.COMMON_NAME, "jane"),
        ]
        assert given.not_valid_before_utc == it.clock.now() - timedelta(minutes=5)
        assert given.not_valid_after_utc == it.clock.now() + timedelta(hours=1)
        extensions = given.extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        assert constraints.ca is False
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert list(names) == [DNS]


async def test_without_a_verdict_or_with_a_no_there_is_no_certificate(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        assert not (await it.ask(request(cn="jane"))).status.certificate
        assert not (await it.verdict("Denied")).status.certificate


async def test_what_the_signer_cannot_take_has_failed(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        await it.ask(request(cn="jane"), usages=["server auth", "client auth"])
        csr = await it.verdict("Approved")

        assert not csr.status.certificate
        kinds = {item.type: item for item in csr.status.conditions}
        assert (kinds["Approved"].reason, kinds["Failed"].reason) == (
            "ByHand",
            "SignerValidationFailure",
        )
        assert kinds["Failed"].message == "invalid usage for client certificate: server auth"


async def test_other_signers_sign_for_themselves(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        await it.ask(request(cn="jane"), "example.com/own")
        assert not (await it.verdict("Approved")).status.certificate


async def test_a_kubelet_that_may_is_approved(tmp_path: Path) -> None:
    """Whoever asks here may do anything, so the broader ground applies: it is not the node."""
    async with certifying(tmp_path) as it:
        csr = await it.ask(request(), KUBELET_CLIENT)
        (verdict,) = csr.status.conditions

        assert (verdict.type, verdict.reason) == ("Approved", "AutoApproved")
        assert verdict.message == (
            "Auto approving kubelet client certificate after SubjectAccessReview."
        )
        assert issued(csr).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == NODE


@pytest.mark.parametrize("signer", [CLIENT, KUBELET_SERVING])
async def test_nothing_else_is_approved_by_itself(tmp_path: Path, signer: str) -> None:
    async with certifying(tmp_path) as it:
        assert not (await it.ask(request(), signer)).status.conditions


@pytest.mark.parametrize(("verdict", "hours"), [("Approved", 1), ("Denied", 1), ("", 24)])
async def test_what_is_done_with_goes(tmp_path: Path, verdict: str, hours: int) -> None:
    async with certifying(tmp_path) as it:
        await it.ask(request(cn="jane"))
        if verdict:
            await it.verdict(verdict)
        await it.clock.advance(hours * 3600 - 5)
        assert await it.there()
        await it.clock.advance(10)
        assert not await it.there()


async def test_what_nobody_signs_goes_after_a_day(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        await it.ask(request(cn="jane"), "example.com/own")
        await it.verdict("Approved")
        await it.clock.advance(24 * 3600 - 5)
        assert await it.there()
        await it.clock.advance(10)
        assert not await it.there()


async def test_a_certificate_that_has_ended_takes_its_request_along(tmp_path: Path) -> None:
    async with certifying(tmp_path) as it:
        await it.ask(request(cn="jane"), expirationSeconds=600)
        await it.verdict("Approved")
        await it.clock.advance(595)
        assert await it.there()
        await it.clock.advance(10)
        assert not await it.there()


async def test_requests_of_pods_go_when_they_are_old() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        running.manager.add(pod_cleaning(running.manager))
        running.start()
        stub = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        signed = stub.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        spec = {
            "signerName": "example.com/signer",
            "podName": "it",
            "podUID": "u-1",
            "serviceAccountName": "default",
            "serviceAccountUID": "u-2",
            "nodeName": "here",
            "nodeUID": "u-3",
            "maxExpirationSeconds": 86400,
            "stubPKCS10Request": base64.b64encode(signed).decode(),
        }
        body = {"metadata": {"name": "it", "namespace": "default"}, "spec": spec}
        await running.client.create(PodCertificateRequest.resource, body)
        await clock.advance(PODS_WAIT.total_seconds() - 5)
        assert await running.client.find(PodCertificateRequest, "it", "default")
        await clock.advance(10)
        assert await running.client.find(PodCertificateRequest, "it", "default") is None
