"""Defaults of `resource.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json


def _count(request: Json) -> None:
    request["allocationMode"] = request.get("allocationMode") or "ExactCount"
    if request["allocationMode"] == "ExactCount":
        request["count"] = request.get("count") or 1


def _claim_spec(spec: Json) -> None:
    for request in spec.get("devices", {}).get("requests") or ():
        if "exactly" in request:
            _count(request["exactly"])
        for alternative in request.get("firstAvailable") or ():
            _count(alternative)


def _resource_claim(claim: Json) -> None:
    _claim_spec(claim.setdefault("spec", {}))


def _claim_template(template: Json) -> None:
    _claim_spec(template.setdefault("spec", {}).setdefault("spec", {}))


def _allocated(claim: Json | None) -> set[tuple[str, ...]]:
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    return {_identity(device) for device in (allocation.get("devices") or {}).get("results") or ()}


def _identity(device: Json) -> tuple[str, ...]:
    return tuple(device.get(name) or "" for name in ("driver", "pool", "device", "shareID"))


def _given_back(new: Json, old: Json | None) -> None:
    """A device that is given back is no longer reported on."""
    gone = _allocated(old) - _allocated(new)
    status = new.get("status") or {}
    if gone and status.get("devices"):
        kept = [device for device in status["devices"] if _identity(device) not in gone]
        status["devices"] = kept


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "ResourceClaim": _resource_claim,
    "ResourceClaimTemplate": _claim_template,
}
PREPARE: Mapping[tuple[str, str], Callable[[Json, Json | None], None]] = {
    ("ResourceClaim", "status"): _given_back,
}
