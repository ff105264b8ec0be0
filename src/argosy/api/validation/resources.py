"""Resources that containers and pods ask for: their names, their amounts, the claims they use.

A name without a domain is Kubernetes' own and must be known; one with a domain is a device's and
comes in whole numbers, requested exactly as limited.
"""

from collections.abc import Callable, Set

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json
from argosy.base import quantity
from argosy.base.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    missing_reference,
    not_supported,
    required,
)

MOST_CLAIMS = 64
"""Names that are told of those to choose from."""
HUGE_PAGES = "hugepages-"
NATIVE_DOMAIN = "kubernetes.io/"
COMPUTE = frozenset({"cpu", "memory"})
OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
OF_QUOTAS = COUNTED | {
    *OF_CONTAINERS,
    *(f"{part}.{name}" for part in ("requests", "limits") for name in OF_CONTAINERS),
    "requests.storage",
}
STANDARD = OF_QUOTAS | {"storage"}

NameCheck = Callable[[str, str], Errors]


def is_native(name: str) -> bool:
    """Whether the resource is Kubernetes' own."""
    return "/" not in name or NATIVE_DOMAIN in name


def is_extended(name: str) -> bool:
    """Whether the resource is a device's, of a domain of its own."""
    if is_native(name) or name.startswith("requests."):
        return False
    return names.is_qualified(f"requests.{name}")


def overcommits(name: str) -> bool:
    """Whether less may be requested than the limit is."""
    return is_native(name) and not name.startswith(HUGE_PAGES)


def resource_name(name: str, path: str) -> Errors:
    """Any resource's name."""
    faults = names.qualified_faults(name)
    yield from (invalid_value(path, name, fault) for fault in faults)
    huge = name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
    if not faults and "/" not in name and name not in STANDARD and not huge:
        yield invalid_value(path, name, "must be a standard resource type or fully qualified")


def container_resource(name: str, path: str) -> Errors:
    """The name of a resource that containers ask for."""
    if name in COMPUTE:
        return
    yield from resource_name(name, path)
    if "/" not in name:
        if name not in OF_CONTAINERS and not name.startswith(HUGE_PAGES):
            yield invalid_value(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid_value(path, name, "doesn't follow extended resource name standard")


def pod_resource(name: str, path: str) -> Errors:
    """The name of a resource that a pod asks for as a whole."""
    found = list(resource_name(name, path))
    yield from found
    if not found and name not in COMPUTE and not name.startswith(HUGE_PAGES):
        yield not_supported(path, name, ("cpu", HUGE_PAGES, "memory"))


def amount(name: str, value: values.Amount, path: str) -> Errors:
    """How much of a resource: not below zero, and whole where it is counted."""
    yield from values.amount(path, value)
    if (name in COUNTED or is_extended(name)) and quantity.parse(value) % 1:
        yield invalid_value(path, str(value), "must be an integer")


def requirements(
    asked: Json, path: str, claims: Set[str], *, check: NameCheck = container_resource
) -> Errors:
    """`requests`, `limits` and `claims` of a container or, with its own check, of a pod."""
    limits, requests = asked.get("limits") or {}, asked.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            field = f"{path}.{part}[{name}]"
            yield from check(name, field)
            yield from amount(name, value, field)
            if name.startswith(HUGE_PAGES):
                yield from _whole_pages(name, value, field)
    for name, value in requests.items():
        yield from _within_limit(name, value, limits, path)
    found = limits.keys() | requests.keys()
    if not found & COMPUTE and any(name.startswith(HUGE_PAGES) for name in found):
        yield forbidden_field(path, "HugePages require cpu or memory")
    if asked.get("claims"):
        yield from _claims(asked["claims"], f"{path}.claims", claims)


def _within_limit(name: str, value: values.Amount, limits: Json, path: str) -> Errors:
    if name not in limits:
        if not overcommits(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    limit = limits[name]
    if value == limit:
        return
    wanted, most = quantity.parse(value), quantity.parse(limit)
    if wanted != most and not overcommits(name):
        detail = f"must be equal to {name} limit of {limit}"
        yield invalid_value(f"{path}.requests", str(value), detail)
    elif wanted > most:
        detail = f"must be less than or equal to {name} limit of {limit}"
        yield invalid_value(f"{path}.requests", str(value), detail)


def _whole_pages(name: str, value: values.Amount, field: str) -> Errors:
    try:
        size = quantity.parse(name.removeprefix(HUGE_PAGES))
    except ValueError:
        size = quantity.parse(0)
    if size <= 0 or size % 1 or quantity.parse(value) % size:
        detail = f"{value} is not positive integer multiple of {name}"
        yield invalid_value(field, str(value), detail)


def _claims(used: list[Json], path: str, known: Set[str]) -> Errors:
    seen: set[str] = set()
    in_part: set[str] = set()  # names of claims of which one request is used
    for i, claim in enumerate(used):
        name, request = claim["name"], claim.get("request") or ""
        if not name:
            yield required(f"{path}[{i}]")
            continue
        key = f"{name}/{request}" if request else name
        if request:
            yield from names.label(request, f"{path}[{i}].request")
        if name in seen or key in seen:
            yield duplicate(f"{path}[{i}]", name if name in seen else key)
        elif not request and name in in_part:
            yield duplicate(f"{path}[{i}]", name)
        seen.add(key)
        if request:
            in_part.add(name)
        if name not in known:
            detail = "must be one of the names in pod.spec.resourceClaims"
            shown = ", ".join(sorted(known)) if len(known) <= MOST_CLAIMS else "too many to tell"
            detail += f": {shown}" if known else " which is empty"
            yield missing_reference(f"{path}[{i}]", name, detail)
