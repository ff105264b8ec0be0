"""The rules of `resource.k8s.io` and `scheduling.k8s.io`."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.validation.rule import Json, Rule, immutable
from argosy.base.errors import FieldError, forbidden_field, invalid_value, required


def _claim_spec(spec: Json, path: str) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for i, request in enumerate((spec.get("devices") or {}).get("requests") or ()):
        field = f"{path}.devices.requests[{i}]"
        errors += names.label(request["name"], f"{field}.name")
        if request["name"] in seen:
            errors.append(
                FieldError(
                    "FieldValueDuplicate", f"{field}.name", f'Duplicate value: "{request["name"]}"'
                )
            )
        seen.add(request["name"])
        exact = request.get("exactly")
        if exact is None:
            detail = "only requests of the form `exactly` are supported"
            errors.append(
                forbidden_field(f"{field}.firstAvailable", detail)
                if request.get("firstAvailable")
                else required(field, "exactly one of `exactly` or `firstAvailable` is required")
            )
            continue
        if not exact.get("deviceClassName"):
            errors.append(required(f"{field}.exactly.deviceClassName"))
    return errors


def _resource_claim(new: Json, old: Json | None) -> list[FieldError]:
    return _claim_spec(new["spec"], "spec") + immutable("spec")(new, old)


def _claim_template(new: Json, old: Json | None) -> list[FieldError]:
    return _claim_spec(new["spec"].get("spec") or {}, "spec.spec") + immutable("spec")(new, old)


def _pod_group(new: Json, old: Json | None) -> list[FieldError]:
    policy = new["spec"].get("schedulingPolicy") or {}
    field = "spec.schedulingPolicy"
    if len([name for name in ("basic", "gang") if policy.get(name) is not None]) != 1:
        return [invalid_value(field, policy, "must specify exactly one of: `basic`, `gang`")]
    gang = policy.get("gang")
    if gang is not None and gang["minCount"] < 1:
        detail = "must be greater than or equal to 1"
        return [invalid_value(f"{field}.gang.minCount", gang["minCount"], detail)]
    return []


def _slice(new: Json, old: Json | None) -> list[FieldError]:
    return immutable("spec.driver")(new, old) + immutable("spec.nodeName")(new, old)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "PodGroup": (_pod_group,),
    "ResourceClaim": (_resource_claim,),
    "ResourceClaimTemplate": (_claim_template,),
    "ResourceSlice": (_slice,),
}
