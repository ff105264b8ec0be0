"""Defaults of `resource.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json


def _resource_claim(claim: Json) -> None:
    for request in claim.setdefault("spec", {}).get("devices", {}).get("requests") or ():
        exact = request.get("exactly")
        if isinstance(exact, dict):
            exact.setdefault("allocationMode", "ExactCount")
            if exact["allocationMode"] == "ExactCount":
                exact.setdefault("count", 1)


def _claim_template(template: Json) -> None:
    _resource_claim(template.setdefault("spec", {}))


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "ResourceClaim": _resource_claim,
    "ResourceClaimTemplate": _claim_template,
}
