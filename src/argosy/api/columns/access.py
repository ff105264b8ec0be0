"""Who may what: bindings of roles, certificates, admission policies."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.columns.text import (
    NONE,
    UNSET,
    Cell,
    Json,
    at,
    duration,
    items,
    label_selector,
    pairs,
)


def _role(binding: Json, now: datetime) -> Cell:
    role = binding.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _subjects(kind: str) -> Callable[[Json, datetime], Cell]:
    def shown(binding: Json, now: datetime) -> Cell:
        subjects = [item for item in binding.get("subjects") or () if item.get("kind") == kind]
        names = (str(item.get("name") or "") for item in subjects)
        if kind != "ServiceAccount":
            return ", ".join(names)
        return ", ".join(f"{item.get('namespace', '')}/{item['name']}" for item in subjects)

    return shown


def _csr_condition(csr: Json, now: datetime) -> Cell:
    kinds = {item.get("type") for item in items(csr, "status.conditions")}
    decided = next((kind for kind in ("Denied", "Approved") if kind in kinds), "Pending")
    failed = ",Failed" * ("Failed" in kinds)
    return decided + failed + ",Issued" * bool(at(csr, "status.certificate"))


def _csr_duration(csr: Json, now: datetime) -> Cell:
    seconds = at(csr, "spec.expirationSeconds")
    return NONE if seconds is None else duration(int(seconds))


def _pod_certificate(request: Json, now: datetime) -> Cell:
    kinds = [str(item.get("type")) for item in items(request, "status.conditions")]
    known = [kind for kind in kinds if kind in ("Issued", "Denied", "Failed")]
    return known[-1] if known else "Pending"


def _parameter_kind(policy: Json, now: datetime) -> Cell:
    kind = at(policy, "spec.paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


def _parameter(binding: Json, now: datetime) -> Cell:
    reference = at(binding, "spec.paramRef") or {}
    if name := reference.get("name"):
        return f"{reference.get('namespace') or '*'}/{name}"
    return label_selector(reference.get("selector"), empty=UNSET)


def _number(path: str) -> Callable[[Json, datetime], Cell]:
    return lambda obj, now: len(items(obj, path))


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "csr-condition": _csr_condition,
    "csr-duration": _csr_duration,
    "podcertificate-state": _pod_certificate,
    "policy-mutations": _number("spec.mutations"),
    "policy-parameter": _parameter,
    "policy-parameter-kind": _parameter_kind,
    "policy-validations": _number("spec.validations"),
    "role-reference": _role,
    "subject-accounts": _subjects("ServiceAccount"),
    "subject-groups": _subjects("Group"),
    "subject-users": _subjects("User"),
    "user-annotations": lambda obj, now: pairs(at(obj, "spec.unverifiedUserAnnotations")),
    "webhooks": _number("webhooks"),
}
