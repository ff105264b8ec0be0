"""What the cluster's own signers ask of a request for a certificate. Pure functions.

Source: Kubernetes' "Certificates and Certificate Signing Requests", the section on its signers.
"""

from collections.abc import Callable, Mapping, Set

from cryptography import x509
from cryptography.x509.oid import NameOID

from argosy.api.certificates import CertificateSigningRequest
from argosy.api.validation.pem import UNREADABLE, blocks, decoded

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"

Check = Callable[[x509.CertificateSigningRequest, Set[str]], str]
"""What is wrong with a request with these usages; "" where nothing is."""

_NODES = "system:nodes"
_NODE = "system:node:"
_OF_CLIENTS = {"client auth", "digital signature", "key encipherment"}
_OF_SERVERS = {"digital signature", "key encipherment", "server auth"}
_OPTIONAL = {"key encipherment"}
"""Keys that are not RSA encipher nothing."""
_NAMES: Mapping[type[x509.GeneralName], str] = {
    x509.DNSName: "DNS",
    x509.RFC822Name: "Email",
    x509.IPAddress: "IP",
    x509.UniformResourceIdentifier: "URI",
}


def parsed(csr: CertificateSigningRequest) -> x509.CertificateSigningRequest:
    """What the object asks to be signed. Raises ValueError."""
    first = next(blocks(decoded(csr.spec.request)), None)
    if first is None or first[0] != "CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        return x509.load_der_x509_csr(first[2])
    except UNREADABLE as error:
        raise ValueError(str(error)) from None


def common_name(request: x509.CertificateSigningRequest) -> str:
    """The last common name of the subject, which is the one that counts."""
    return "".join(_subject(request, NameOID.COMMON_NAME)[-1:])


def alternative_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """The names beside the subject, of those kinds that are signed. Raises ValueError."""
    try:
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except UNREADABLE as error:
        raise ValueError(str(error)) from None
    return [name for name in found if type(name) in _NAMES]


def kubelet_client_fault(request: x509.CertificateSigningRequest, usages: Set[str]) -> str:
    """A kubelet's way to the API server: a node's name, and no others."""
    if _subject(request, NameOID.ORGANIZATION_NAME) != [_NODES]:
        return "subject organization is not system:nodes"
    named = {_NAMES[type(name)] for name in alternative_names(request)}
    for kind in _NAMES.values():
        if kind in named:
            return f"{kind} subjectAltNames are not allowed"
    if not common_name(request).startswith(_NODE):
        return "subject common name does not begin with system:node:"
    return _unlike(usages, _OF_CLIENTS)


def kubelet_serving_fault(request: x509.CertificateSigningRequest, usages: Set[str]) -> str:
    """A kubelet's own server: a node, with the names or addresses that it is reached by."""
    if _subject(request, NameOID.ORGANIZATION_NAME) != [_NODES]:
        return "subject organization is not system:nodes"
    named = {_NAMES[type(name)] for name in alternative_names(request)}
    if not named & {"DNS", "IP"}:
        return "DNS or IP subjectAltName is required"
    for kind in ("Email", "URI"):
        if kind in named:
            return f"{kind} subjectAltNames are not allowed"
    if fault := _unlike(usages, _OF_SERVERS):
        return fault
    if not common_name(request).startswith(_NODE):
        return "subject common name does not begin with system:node:"
    return ""


def client_fault(request: x509.CertificateSigningRequest, usages: Set[str]) -> str:
    """Any other client of the API server."""
    for usage in sorted(usages - _OF_CLIENTS):
        return f"invalid usage for client certificate: {usage}"
    if "client auth" not in usages:
        return "missing required usage for client certificate: client auth"
    return ""


def _none(request: x509.CertificateSigningRequest, usages: Set[str]) -> str:
    return ""


CHECKS: Mapping[str, Check] = {
    CLIENT: client_fault,
    KUBELET_CLIENT: kubelet_client_fault,
    KUBELET_SERVING: kubelet_serving_fault,
    LEGACY: _none,
}
"""The signers that sign here, each with what it asks."""


def _unlike(usages: Set[str], wanted: Set[str]) -> str:
    if usages in (wanted, wanted - _OPTIONAL):
        return ""
    return f"usages did not match [{' '.join(sorted(wanted))}]"


def _subject(request: x509.CertificateSigningRequest, kind: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in request.subject.get_attributes_for_oid(kind)]
