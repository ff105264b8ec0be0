"""The rules of `certificates.k8s.io`: who asks for a certificate, and what is given.

Certificates themselves are read in `pem`.
"""

from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.validation import pem
from argosy.api.validation.conditions import conditions, is_true
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Needed,
    at_least,
    bytes_at_most,
    each,
    fields,
    one_of,
    together,
    unique,
    unless_empty,
)
from argosy.api.validation.formats import of_kubernetes, signer_name
from argosy.api.validation.rule import IMMUTABLE, Json, Rule, immutable, of_part
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_combination,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]

USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
VERDICTS = ("Approved", "Denied")
FINAL = (*VERDICTS, "Failed")
"""Conditions of a request that hold, once there, and stay."""
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
TOO_SHORT = "may not specify a duration less than 600 seconds (10 minutes)"
HOUR, DAY = 3600, 86400
ISSUE_CONDITIONS = ("Issued", "Denied", "Failed")
ONE_OUTCOME = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
OPAQUE = "<value omitted>"


def _signer(name: str, path: str) -> Errors:
    if name == LEGACY_SIGNER:
        detail = "the legacy signerName is not allowed via this API version"
        yield invalid_value(path, name, detail)
    else:
        yield from signer_name(name, path)


def _request(text: str, path: str) -> Errors:
    if fault := pem.request_fault(pem.decoded(text)):
        yield invalid_value(path, text, fault)


def _certificate(text: str, path: str) -> Errors:
    if fault := pem.chain_fault(pem.decoded(text)):
        yield invalid_value(path, "<certificate data>", fault)


def _request_conditions(found: list[Json], path: str) -> Errors:
    seen: set[str] = set()
    for i, condition in enumerate(found):
        field, kind = f"{path}[{i}]", condition.get("type") or ""
        yield from CONDITION(condition, field)
        allowed = ("True",) if kind in FINAL else ("False", "True", "Unknown")
        if (status := condition.get("status")) and status not in allowed:
            yield not_supported(f"{field}.status", status, allowed)
        if kind in VERDICTS and seen.issuperset(set(VERDICTS) - {kind}):
            detail = "Approved and Denied conditions are mutually exclusive"
            yield invalid_value(path, kind, detail)
        if kind in seen:
            yield duplicate(f"{field}.type", kind)
        seen.add(kind)


def _lasting(new: Json, old: Json | None) -> list[FieldError]:
    """A verdict and a certificate, once given, stay."""
    after, before = ((obj or {}).get("status") or {} for obj in (new, old))
    if old is None:
        return []
    gone = {one.get("type") for one in before.get("conditions") or ()}
    gone -= {one.get("type") for one in after.get("conditions") or ()}
    errors = [
        forbidden_field("status.conditions", f'updates may not remove a condition of type "{kind}"')
        for kind in FINAL
        if kind in gone
    ]
    was = before.get("certificate")
    if was and after.get("certificate") != was:
        detail = "updates may not modify existing certificate content"
        errors.append(forbidden_field("status.certificate", detail))
    return errors


def _no_certificate(new: Json, old: Json | None) -> list[FieldError]:
    after, before = ((obj or {}).get("status") or {} for obj in (new, old))
    if after.get("certificate") == before.get("certificate"):
        return []
    return [forbidden_field("status.certificate", "updates may not set certificate content")]


def _no_verdict(new: Json, old: Json | None) -> list[FieldError]:
    after, before = (
        {one.get("type") for one in ((obj or {}).get("status") or {}).get("conditions") or ()}
        for obj in (new, old)
    )
    return [
        forbidden_field("status.conditions", f'updates may not add a condition of type "{kind}"')
        for kind in VERDICTS
        if kind in after - before
    ]


def bundle_name(new: Json) -> list[FieldError]:
    """A bundle of a signer is called after it: `signer:with:colons:name`."""
    name, path = new["metadata"].get("name") or "", "metadata.name"
    signer = (new.get("spec") or {}).get("signerName") or ""
    if not signer and ":" in name:
        detail = 'ClusterTrustBundle without signer name must not have ":" in its name'
        return [invalid_value(path, name, detail)]
    prefix = f"{signer.replace('/', ':')}:" if signer else ""
    if not name.startswith(prefix):
        detail = f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
        return [invalid_value(path, name, detail)]
    rest = name.removeprefix(prefix)
    return [invalid_value(path, name, fault) for fault in names.subdomain_faults(rest)]


def _bundle(text: str, path: str) -> Errors:
    for fault in pem.bundle_faults(text.encode()):
        yield invalid_value(path, OPAQUE, fault)


def _trust_bundle(new: Json, old: Json | None) -> list[FieldError]:
    spec, before = new["spec"], (old or {}).get("spec") or {}
    errors = bundle_name(new)
    if signer := spec.get("signerName"):
        errors += signer_name(signer, "spec.signerName")
    if spec["trustBundle"] != before.get("trustBundle"):
        errors += BUNDLE(spec["trustBundle"], "spec.trustBundle")
    if old is not None and signer != before.get("signerName"):
        errors.append(invalid_value("spec.signerName", signer or "", IMMUTABLE))
    return errors


def _lifetime(spec: Json, path: str) -> Errors:
    most = DAY if of_kubernetes(spec["signerName"]) else 91 * DAY
    seconds, field = spec.get("maxExpirationSeconds"), f"{path}.maxExpirationSeconds"
    if seconds is None:
        yield required(field, "must be set")
    elif not HOUR <= seconds <= most:
        yield invalid_value(field, seconds, f"must be in the range [{HOUR}, {most}]")


def _stub(text: str, path: str) -> Errors:
    shown, fault = pem.stub_fault(pem.decoded(text))
    if fault:
        yield invalid_value(path, shown, fault) if shown else invalid_combination(path, fault)


def _uid(text: str, path: str) -> Errors:
    if not text:
        yield invalid_value(path, text, "must not be empty")
    yield from bytes_at_most(128)(text, path)


def _outcome(new: Json, old: Json | None) -> list[FieldError]:
    """A request for a pod's certificate is issued, denied or failed once, and then stays so."""
    after, before = ((obj or {}).get("status") or {} for obj in (new, old))
    if old is None or after == before:
        return []
    found = after.get("conditions") or []
    errors = [*_outcomes(found, "status.conditions"), *conditions(found, "status.conditions")]
    if errors:
        return errors
    detail = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
    if any(is_true(before.get("conditions") or (), kind) for kind in ISSUE_CONDITIONS):
        detail = "immutable after PodCertificateRequest is issued, denied, or failed"
    elif is_true(found, "Denied") or is_true(found, "Failed"):
        if after.keys() <= {"conditions"}:
            return []
        detail = (
            "non-condition status fields must be empty when denying or failing the "
            "PodCertificateRequest"
        )
    elif is_true(found, "Issued"):
        return list(ISSUED(after, "status"))
    return [invalid_combination("status", detail)]


def _outcomes(found: list[Json], path: str) -> Errors:
    known = 0
    for i, condition in enumerate(found):
        field, kind, status = f"{path}.[{i}]", condition["type"], condition["status"]
        if kind not in ISSUE_CONDITIONS:
            yield not_supported(f"{field}.type", kind, ISSUE_CONDITIONS)
            continue
        known += 1
        if known > 1:
            yield invalid_value(f"{field}.type", kind, ONE_OUTCOME)
        if status != "True":
            yield not_supported(f"{field}.status", status, ["True"])


def _chain(text: str, path: str) -> Errors:
    if fault := pem.issued_fault(text.encode()):
        yield invalid_value(path, text, fault)


CONDITION = fields({"type": NEEDED, "status": NEEDED})
SIGNING_SPEC = fields(
    {
        "request": _request,
        "usages": (NEEDED, together(each(one_of(*USAGES)), unique)),
        "signerName": (NEEDED, _signer),
        "expirationSeconds": at_least(600, TOO_SHORT),
    }
)
SIGNING_STATUS = fields(
    {"conditions": _request_conditions, "certificate": unless_empty(_certificate)}
)
BUNDLE: Check = together(bytes_at_most(1024 * 1024), _bundle)
POD_SPEC = together(
    fields(
        {
            "signerName": (NEEDED, signer_name),
            "unverifiedUserAnnotations": names.annotations,
            "podName": names.subdomain,
            "podUID": _uid,
            "serviceAccountName": names.subdomain,
            "serviceAccountUID": _uid,
            "nodeName": names.subdomain,
            "nodeUID": _uid,
            "stubPKCS10Request": _stub,
        }
    ),
    _lifetime,
)
ISSUED = fields(
    {
        "certificateChain": (NEEDED, bytes_at_most(100 * 1024), _chain),
        "notBefore": Needed("must be present and consistent with the issued certificate"),
        "notAfter": Needed("must be present and consistent with the issued certificate"),
        "beginRefreshAt": Needed(
            "must be present and in the range [notbefore+10min, notafter-10min]"
        ),
    }
)
SIGNING: tuple[Rule, ...] = (
    of_part("spec", SIGNING_SPEC),
    of_part("status", SIGNING_STATUS),
    _lasting,
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "CertificateSigningRequest": SIGNING,
    "ClusterTrustBundle": (_trust_bundle,),
    "PodCertificateRequest": (of_part("spec", POD_SPEC), immutable("spec"), _outcome),
}
SUBRESOURCES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("CertificateSigningRequest", "approval"): (*SIGNING, _no_certificate),
    ("CertificateSigningRequest", "status"): (*SIGNING, _no_verdict),
}
"""A verdict comes by way of `approval`, a certificate by way of `status`."""
NAMES: Mapping[str, Check] = {
    "CertificateSigningRequest": lambda name, path: (),
    "ClusterTrustBundle": lambda name, path: (),
}
"""A request may be called anything; a bundle's name is checked against its signer's."""
