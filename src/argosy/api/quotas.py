"""What objects take of a ResourceQuota, and which objects a quota is about: pure functions.

Each kind is counted (`count/deployments.apps`), pods, claims and services by more than that.
Source: upstream's quota evaluators.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from argosy.api.amounts import Amounts, parsed
from argosy.api.podresources import aggregate, qos_class
from argosy.base import quantity

Json = Mapping[str, Any]
ONE = Decimal(1)
IGNORED = frozenset({"events", "events.events.k8s.io"})
ALIASES = frozenset({"configmaps", "replicationcontrollers", "resourcequotas", "secrets"})
"""Kinds that have a name of old beside `count/…`."""
COMPUTE = ("cpu", "memory", "ephemeral-storage")
HUGE_PAGES = "hugepages-"
OF_PODS = frozenset(
    {"pods", *COMPUTE, *(f"{part}.{name}" for part in ("requests", "limits") for name in COMPUTE)}
)
OF_SERVICES = frozenset({"services", "services.nodeports", "services.loadbalancers"})
OF_CLAIMS = ("persistentvolumeclaims", "requests.storage")
BY_CLASS = ".storageclass.storage.k8s.io/"
BY_DEVICE = ".deviceclass.resource.k8s.io/devices"
MOST_DEVICES = 32
"""How many devices `All` counts for: no allocation has more."""
DEMANDED = ("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory")


def usage(resource: str, obj: Json) -> Amounts:
    """What an object of `resource` (`plural.group`) takes, of everything that can be limited."""
    count = {f"count/{resource}": ONE}
    special = EVALUATORS.get(resource)
    if special is not None:
        return {**count, **special(obj)}
    return {**count, resource: ONE} if resource in ALIASES else count


def counted(resource: str, names: Iterable[str]) -> list[str]:
    """Of the names in a quota those that objects of `resource` count for."""
    return [name for name in names if _counts(resource, name)]


def counting(names: Collection[str]) -> list[str]:
    """The resources whose objects count for any of `names`."""
    named = {name.removeprefix("count/") for name in names if name.startswith("count/")}
    known = sorted((named | ALIASES | EVALUATORS.keys()) - IGNORED)
    return [resource for resource in known if counted(resource, names)]


def _counts(resource: str, name: str) -> bool:
    if name == f"count/{resource}" or (name == resource and resource in ALIASES):
        return True
    if resource == "pods":
        extended = name.startswith("requests.") and "/" in name
        huge = name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
        return name in OF_PODS or huge or extended
    if resource == "services":
        return name in OF_SERVICES
    if resource == "persistentvolumeclaims":
        return name in OF_CLAIMS or name.endswith(tuple(f"{BY_CLASS}{one}" for one in OF_CLAIMS))
    return resource == "resourceclaims.resource.k8s.io" and name.endswith(BY_DEVICE)


def covers(spec: Json, resource: str, obj: Json) -> bool:
    """Whether the object is in all scopes of a quota with that `spec`."""
    terms = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    scopes = SCOPES.get(resource, {})
    return all(
        term["scopeName"] in scopes and scopes[term["scopeName"]](term, obj) for term in terms
    )


def lacking(names: Collection[str], pod: Json) -> str:
    """Which of the limited `names` containers of the pod say nothing of, in upstream's words."""
    spec = pod["spec"]
    if spec.get("resources"):
        return ""
    missing: dict[str, list[str]] = {}
    for group in ("containers", "initContainers"):
        for container in spec.get(group) or ():
            there = _compute(*(_part(container, part) for part in ("requests", "limits")))
            for name in DEMANDED:
                if name in names and name not in there:
                    missing.setdefault(name, []).append(container["name"])
    parts = (f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
    return f"must specify {'; '.join(parts)}" if missing else ""


def _part(container: Json, part: str) -> Amounts:
    return parsed((container.get("resources") or {}).get(part))


def _pod(pod: Json) -> Amounts:
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    spec = pod["spec"]
    return {"pods": ONE, **_compute(*(_of_pod(spec, part) for part in ("requests", "limits")))}


def _of_pod(spec: Json, part: str) -> Amounts:
    total = {**aggregate(spec, part), **_part(spec, part)}
    for name, amount in parsed(spec.get("overhead")).items():
        if part == "requests" or name in total:
            total[name] = total.get(name, Decimal(0)) + amount
    return total


def _compute(requests: Amounts, limits: Amounts) -> dict[str, Decimal]:
    found = {f"limits.{name}": limits[name] for name in COMPUTE if name in limits}
    for name, amount in requests.items():
        if name in COMPUTE or name.startswith(HUGE_PAGES):
            found[name] = amount
            found[f"requests.{name}"] = amount
        elif "/" in name:
            found[f"requests.{name}"] = amount
    return found


def _service(service: Json) -> Amounts:
    spec = service["spec"]
    ports, kind = spec.get("ports") or (), spec.get("type")
    nodes = len(ports) if kind in ("NodePort", "LoadBalancer") else 0
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        nodes = sum(1 for port in ports if port.get("nodePort"))
    return {
        "services": ONE,
        "services.nodeports": Decimal(nodes),
        "services.loadbalancers": Decimal(kind == "LoadBalancer"),
    }


def _claim(claim: Json) -> Amounts:
    spec, status = claim["spec"], claim.get("status") or {}
    found = {"persistentvolumeclaims": ONE}
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is not None:
        given = (status.get("allocatedResources") or {}).get("storage", 0)
        size = max(quantity.parse(asked), quantity.parse(given))
        found["requests.storage"] = size.to_integral_value(ROUND_CEILING)
    annotations = claim["metadata"].get("annotations") or {}
    name = annotations.get("volume.beta.kubernetes.io/storage-class")
    if name := name or spec.get("storageClassName"):
        found |= {f"{name}{BY_CLASS}{key}": amount for key, amount in found.items()}
    return found


def _devices(claim: Json) -> Amounts:
    found: dict[str, Decimal] = {}
    for request in (claim["spec"].get("devices") or {}).get("requests") or ():
        choices = request.get("firstAvailable") or [request.get("exactly") or {}]
        most: dict[str, Decimal] = {}
        for choice in choices:
            if name := choice.get("deviceClassName"):
                every = choice.get("allocationMode") == "All"
                number = MOST_DEVICES if every else choice.get("count") or 1
                most[name] = max(most.get(name, Decimal(0)), Decimal(number))
        for name, number in most.items():
            key = f"{name}{BY_DEVICE}"
            found[key] = found.get(key, Decimal(0)) + number
    return found


EVALUATORS: Mapping[str, Callable[[Json], Amounts]] = {
    "pods": _pod,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "resourceclaims.resource.k8s.io": _devices,
}


def _limited_in_time(pod: Json) -> bool:
    return pod["spec"].get("activeDeadlineSeconds") is not None


def _best_effort(pod: Json) -> bool:
    return qos_class(pod["spec"]) == "BestEffort"


def _crosses(pod: Json) -> bool:
    """Whether it is attracted or repelled by pods of other namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        weighted = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [one.get("podAffinityTerm") or {} for one in weighted]
        if any(one.get("namespaces") or one.get("namespaceSelector") is not None for one in terms):
            return True
    return False


def _selects(term: Json, names: Collection[str]) -> bool:
    """Whether a scope's selector takes an object that names these classes."""
    operator, values = term.get("operator"), term.get("values") or ()
    if operator == "Exists":
        return bool(names)
    if operator == "DoesNotExist":
        return not names
    if operator == "NotIn":
        return not names or any(name not in values for name in names)
    return any(name in values for name in names)


def _priority(term: Json, pod: Json) -> bool:
    name = pod["spec"].get("priorityClassName")
    return _selects(term, [name] if name else [])


def _attributes(term: Json, claim: Json) -> bool:
    status = claim.get("status") or {}
    names = {
        claim["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    }
    return _selects(term, [name for name in names if name])


SCOPES: Mapping[str, Mapping[str, Callable[[Json, Json], bool]]] = {
    "pods": {
        "Terminating": lambda _, pod: _limited_in_time(pod),
        "NotTerminating": lambda _, pod: not _limited_in_time(pod),
        "BestEffort": lambda _, pod: _best_effort(pod),
        "NotBestEffort": lambda _, pod: not _best_effort(pod),
        "CrossNamespacePodAffinity": lambda _, pod: _crosses(pod),
        "PriorityClass": _priority,
    },
    "persistentvolumeclaims": {"VolumeAttributesClass": _attributes},
}
"""Which objects are in a scope; objects of other resources are in none."""
