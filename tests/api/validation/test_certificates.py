"""What requests for certificates may ask, what is given, and bundles of trust."""

import base64
import datetime
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api.kit import GONE, Json, errors, made, put

V1 = "certificates.k8s.io/v1"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
NOON = datetime.datetime(2026, 1, 1, 12)
UID = "01234567-89ab-cdef-0123-456789abcdef"


@cache
def key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def request(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key(curve), hashes.SHA256())


@cache
def certificate(*, anchor: bool) -> bytes:
    built = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + datetime.timedelta(hours=2))
        .add_extension(x509.BasicConstraints(ca=anchor, path_length=None), critical=True)
    )
    return built.sign(key(), hashes.SHA256()).public_bytes(PEM)


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


@cache
def signing() -> Json:
    return made(
        V1,
        "CertificateSigningRequest",
        "Jane:1",
        spec={
            "request": encoded(request().public_bytes(PEM)),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    )


@cache
def bundle() -> Json:
    anchor = certificate(anchor=True).decode()
    return made(
        "certificates.k8s.io/v1beta1", "ClusterTrustBundle", "roots", spec={"trustBundle": anchor}
    )


@cache
def of_pod() -> Json:
    return made(
        V1,
        "PodCertificateRequest",
        spec={
            "signerName": "a.example/s",
            "podName": "p",
            "podUID": UID,
            "serviceAccountName": "s",
            "serviceAccountUID": UID,
            "nodeName": "n",
            "nodeUID": UID,
            "maxExpirationSeconds": 86400,
            "stubPKCS10Request": encoded(request().public_bytes(DER)),
        },
    )


def test_what_is_taken() -> None:
    for obj in (signing(), bundle(), of_pod()):
        assert errors(obj) == []
        assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("usages", [], "usages: Required value"),
        ("usages", ["client auth", "client auth"], 'usages[1]: Duplicate value: "client auth"'),
        (
            "signerName",
            "kubernetes.io/legacy-unknown",
            'signerName: Invalid value: "kubernetes.io/legacy-unknown": '
            "the legacy signerName is not allowed via this API version",
        ),
        (
            "signerName",
            "me",
            'signerName: Invalid value: "me": '
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        ),
        (
            "signerName",
            "me/you",
            'signerName: Invalid value: "me": '
            "should be a domain with at least two segments separated by dots",
        ),
        (
            "expirationSeconds",
            599,
            "expirationSeconds: Invalid value: 599: "
            "may not specify a duration less than 600 seconds (10 minutes)",
        ),
        (
            "request",
            encoded(b"me"),
            'request: Invalid value: "bWU=": PEM block type must be CERTIFICATE REQUEST',
        ),
    ],
)
def test_requests_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(signing(), f"spec.{path}", value)) == [f"spec.{error}"]


def test_a_request_is_signed_by_who_asks() -> None:
    body = bytearray(request().public_bytes(DER))
    body[-1] ^= 1
    text = base64.b64encode(bytes(body))
    forged = b"-----BEGIN CERTIFICATE REQUEST-----\n%s\n-----END CERTIFICATE REQUEST-----\n" % text
    (error,) = errors(put(signing(), "spec.request", encoded(forged)))
    assert error.startswith("spec.request: Invalid value: ")


def approved(kind: str = "Approved", status: str = "True") -> Json:
    return put(signing(), "status.conditions", [{"type": kind, "status": status}])


def test_a_verdict_has_its_own_way() -> None:
    assert errors(approved(), signing(), subresource="approval") == []
    assert errors(approved(), signing(), subresource="status") == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    assert errors(signing(), approved(), subresource="approval") == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    ]
    assert errors(approved(status="False"), signing(), subresource="approval") == [
        'status.conditions[0].status: Unsupported value: "False": supported values: "True"'
    ]
    both = put(approved(), "status.conditions.1", {"type": "Denied", "status": "True"})
    assert errors(both, signing(), subresource="approval") == [
        'status.conditions: Invalid value: "Denied": '
        "Approved and Denied conditions are mutually exclusive"
    ]


def test_a_certificate_is_given_once() -> None:
    issued = put(approved(), "status.certificate", encoded(certificate(anchor=False)))
    assert errors(issued, approved(), subresource="status") == []
    assert errors(issued, approved(), subresource="approval") == [
        "status.certificate: Forbidden: updates may not set certificate content"
    ]
    again = put(issued, "status.certificate", encoded(certificate(anchor=True)))
    assert errors(again, issued, subresource="status") == [
        "status.certificate: Forbidden: updates may not modify existing certificate content"
    ]
    broken = put(approved(), "status.certificate", encoded(b"x"))
    assert errors(broken, approved(), subresource="status") == [
        'status.certificate: Invalid value: "<certificate data>": '
        "must contain at least one CERTIFICATE PEM block"
    ]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "at least one trust anchor must be provided"),
        (certificate(anchor=False).decode(), "entry 0 does not have the CA bit set"),
        (certificate(anchor=True).decode() * 2, "duplicate trust anchor (indices [0 1])"),
        (request().public_bytes(PEM).decode(), "entry 0 has bad block type: CERTIFICATE REQUEST"),
        (
            "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
            "entry 0 does not parse as X.509",
        ),
        (
            "-----BEGIN CERTIFICATE-----\na: b\n\nYQ==\n-----END CERTIFICATE-----\n",
            "entry 0 has PEM block headers",
        ),
    ],
)
def test_bundles_that_are_refused(text: str, detail: str) -> None:
    assert errors(put(bundle(), "spec.trustBundle", text)) == [
        f'spec.trustBundle: Invalid value: "<value omitted>": {detail}'
    ]


def test_a_bundle_is_called_after_its_signer() -> None:
    signed = put(bundle(), "spec.signerName", "a.example/s")
    assert errors(put(signed, "metadata.name", "a.example:s:roots")) == []
    assert errors(signed) == [
        'metadata.name: Invalid value: "roots": ClusterTrustBundle for signerName a.example/s '
        "must be named with prefix a.example:s:"
    ]
    assert errors(put(bundle(), "metadata.name", "a:b")) == [
        'metadata.name: Invalid value: "a:b": '
        'ClusterTrustBundle without signer name must not have ":" in its name'
    ]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "maxExpirationSeconds",
            60,
            "maxExpirationSeconds: Invalid value: 60: must be in the range [3600, 7862400]",
        ),
        ("maxExpirationSeconds", GONE, "maxExpirationSeconds: Required value: must be set"),
        ("podUID", "", 'podUID: Invalid value: "": must not be empty'),
        (
            "stubPKCS10Request",
            encoded(b"me"),
            "stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR",
        ),
        (
            "stubPKCS10Request",
            encoded(request(ec.SECP256K1).public_bytes(DER)),
            'stubPKCS10Request: Invalid value: "curve secp256k1": '
            "elliptic public keys must use curve P256, P384, or P521",
        ),
    ],
)
def test_pods_requests_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(of_pod(), f"spec.{path}", value)) == [f"spec.{error}"]


def ended(kind: str, **status: Any) -> Json:
    condition = {
        "type": kind,
        "status": "True",
        "reason": "Done",
        "message": "",
        "lastTransitionTime": "2026-01-01T12:00:00Z",
    }
    return put(of_pod(), "status", {"conditions": [condition], **status})


def test_a_pods_request_ends_once() -> None:
    times = {
        "notBefore": "2026-01-01T12:00:00Z",
        "notAfter": "2026-01-01T14:00:00Z",
        "beginRefreshAt": "2026-01-01T13:00:00Z",
    }
    chain = certificate(anchor=False).decode()
    issued = ended("Issued", certificateChain=chain, **times)
    assert errors(issued, of_pod(), subresource="status") == []
    assert errors(ended("Denied"), of_pod(), subresource="status") == []
    assert errors(ended("Denied"), issued, subresource="status") == [
        "status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed"
    ]
    assert errors(ended("Failed", certificateChain=chain), of_pod(), subresource="status") == [
        "status: Invalid value: non-condition status fields must be empty when denying or failing "
        "the PodCertificateRequest"
    ]
    assert errors(ended("Issued", certificateChain="x", **times), of_pod()) == [
        'status.certificateChain: Invalid value: "x": '
        "issued certificate chain must contain at least one certificate"
    ]
    (error,) = errors(ended("Lost"), of_pod(), subresource="status")
    assert error.startswith('status.conditions.[0].type: Unsupported value: "Lost"')
