"""LimitRange and ResourceQuota: bounds of what a namespace may ask for."""

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal

from argosy.api import names
from argosy.api.validation.resources import (
    HUGE_PAGES,
    OF_QUOTAS,
    amount,
    container_resource,
    overcommits,
    resource_name,
)
from argosy.api.validation.rule import Errors, Json, Rule, at, of_part
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
)

LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
PARTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
OF_PODS = frozenset(
    {"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
)
SCOPES: Mapping[str, Set[str]] = {
    "BestEffort": frozenset({"pods"}),
    "CrossNamespacePodAffinity": OF_PODS,
    "NotBestEffort": OF_PODS,
    "NotTerminating": OF_PODS,
    "PriorityClass": OF_PODS,
    "Terminating": OF_PODS,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
"""What a quota of that scope can count."""
ONLY_EXISTS = SCOPES.keys() - {"PriorityClass", "VolumeAttributesClass"}
CONFLICTING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def _limits(spec: Json, path: str) -> Errors:
    seen: set[str] = set()
    for i, limit in enumerate(spec.get("limits") or ()):
        field, kind = f"{path}.limits[{i}]", limit["type"]
        faults = names.qualified_faults(kind)
        yield from (invalid_value(f"{field}.type", kind, fault) for fault in faults)
        if not faults and "/" not in kind and kind not in LIMIT_TYPES:
            detail = "must be a standard limit type or fully qualified"
            yield invalid_value(f"{field}.type", kind, detail)
        if kind in seen:
            yield duplicate(f"{field}.type", kind)
        seen.add(kind)
        yield from _limit(limit, field)


def _limit(limit: Json, field: str) -> Errors:
    kind = limit["type"]
    check = container_resource if kind in ("Pod", "Container") else resource_name
    for part in PARTS:
        if kind == "Pod" and part.startswith("default"):
            if limit.get(part):
                detail = "may not be specified when `type` is 'Pod'"
                yield forbidden_field(f"{field}.{part}", detail)
            continue
        for name in limit.get(part) or ():
            yield from check(name, f"{field}.{part}[{name}]")
    if kind == "PersistentVolumeClaim":
        if not any("storage" in (limit.get(part) or ()) for part in ("min", "max")):
            detail = "either minimum or maximum storage value is required, but neither was provided"
            yield required(f"{field}.limits", detail)
    known = sorted({name for part in PARTS for name in limit.get(part) or ()})
    for name in known:
        yield from _in_order(
            name, {part: (limit.get(part) or {}).get(name) for part in PARTS}, field
        )


ORDER = (
    ("min", "max", "min", "min value {0} is greater than max value {1}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "min value {0} is greater than default request value {1}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "default request value {0} is greater than max value {1}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "default request value {0} is greater than default limit value {1}",
    ),
    ("min", "default", "default", "min value {0} is greater than default value {1}"),
    ("default", "max", "default", "default value {0} is greater than max value {1}"),
)
"""(what is smaller, what is larger, whose path an error has, its text)"""


def _in_order(name: str, parts: Json, field: str) -> Errors:
    for low, high, shown, text in ORDER:
        small, large = parts[low], parts[high]
        if None not in (small, large) and quantity.parse(small) > quantity.parse(large):
            value = parts[shown]
            if shown == "default":  # upstream shows the bound here, not the default itself
                value = small if low == "min" else large
            path = f"{field}.{shown}[{name}]"
            yield invalid_value(path, value, text.format(small, large))
    yield from _ratio(name, parts, field)
    default, request = parts["default"], parts["defaultRequest"]
    if not overcommits(name) and None not in (default, request):
        if quantity.parse(default) != quantity.parse(request):
            path = f"{field}.defaultRequest[{name}]"
            detail = (
                f"default value {default} must equal to defaultRequest value {request} in {name}"
            )
            yield invalid_value(path, request, detail)


def _ratio(name: str, parts: Json, field: str) -> Errors:
    ratio, path = parts["maxLimitRequestRatio"], f"{field}.maxLimitRequestRatio[{name}]"
    if ratio is None:
        return
    if quantity.parse(ratio) < 1:
        yield invalid_value(path, ratio, f"ratio {ratio} is less than 1")
    if None in (parts["min"], parts["max"]) or quantity.parse(parts["min"]) <= 0:
        return
    most = quantity.parse(parts["max"]) / quantity.parse(parts["min"])
    if quantity.parse(ratio) > most:
        detail = f"ratio {ratio} is greater than max/min = {Decimal(most):f}"
        yield invalid_value(path, ratio, detail)


def _amounts(amounts: Json, path: str) -> Errors:
    for name, value in amounts.items():
        field = f"{path}[{name}]"
        yield from resource_name(name, field)
        huge = name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
        if "/" not in name and name not in OF_QUOTAS and not huge:
            yield invalid_value(field, name, "must be a standard resource for quota")
        yield from amount(name, value, field)


def _quota(spec: Json, path: str) -> Errors:
    hard, scopes = spec.get("hard") or {}, spec.get("scopes") or []
    yield from _amounts(hard, f"{path}.hard")
    for scope in scopes:
        if scope not in SCOPES:
            yield invalid_value(f"{path}.scopes", scopes, "unsupported scope")
        elif _uncounted(scope, hard):
            detail = "unsupported scope applied to resource"
            yield invalid_value(f"{path}.scopes", scopes, detail)
    yield from _conflicts(set(scopes), f"{path}.scopes", scopes)
    selector = spec.get("scopeSelector") or {}
    terms = selector.get("matchExpressions") or ()
    field = f"{path}.scopeSelector.matchExpressions"
    for term in terms:
        yield from _scope_term(term, field)
        if term["scopeName"] in SCOPES and _uncounted(term["scopeName"], hard):
            yield invalid_value(field, selector, "unsupported scope applied to resource")
    yield from _conflicts({term["scopeName"] for term in terms}, field, scopes)


def _uncounted(scope: str, hard: Json) -> bool:
    return any(name in OF_QUOTAS and name not in SCOPES[scope] for name in hard)


def _conflicts(found: Set[str], path: str, scopes: Sequence[str]) -> Errors:
    for pair in CONFLICTING:
        if pair <= found:
            yield invalid_value(path, scopes, "conflicting scopes")


def _scope_term(term: Json, field: str) -> Errors:
    scope, operator, given = term["scopeName"], term["operator"], term.get("values") or ()
    if scope not in SCOPES:
        yield invalid_value(f"{field}.scopeName", scope, "unsupported scope")
    if scope in ONLY_EXISTS and operator != "Exists":
        detail = (
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        )
        yield invalid_value(f"{field}.operator", operator, detail)
    if operator in ("In", "NotIn"):
        if not given:
            detail = (
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
            yield required(f"{field}.values", detail)
    elif operator in ("Exists", "DoesNotExist"):
        if given:
            detail = (
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            )
            yield invalid_value(f"{field}.values", given, detail)
    else:
        yield invalid_value(f"{field}.operator", operator, "not a valid selector operator")


def _same_scopes(new: Json, old: Json | None) -> list[FieldError]:
    before, after = (at(obj, "spec.scopes") or [] for obj in (old, new))
    if old is None or set(before) == set(after):
        return []
    return [invalid_value("spec.scopes", after, "field is immutable")]


def _status(status: Json, path: str) -> Errors:
    for part in ("hard", "used"):
        yield from _amounts(status.get(part) or {}, f"{path}.{part}")


RULES: Mapping[str, tuple[Rule, ...]] = {
    "LimitRange": (of_part("spec", _limits),),
    "ResourceQuota": (of_part("spec", _quota), _same_scopes, of_part("status", _status)),
}
