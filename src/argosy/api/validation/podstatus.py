"""The status of pods: what a node or a controller may say, and may not take back."""

from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

GROUPS: Mapping[str, str] = {
    "containerStatuses": "containers",
    "initContainerStatuses": "initContainers",
    "ephemeralContainerStatuses": "ephemeralContainers",
}
SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})
HEALTH = ("Healthy", "Unhealthy", "Unknown")
ENDED = "may not be transitioned to non-terminated state"
NOT_NEGATIVE = "must be a non-negative integer"


def status(new: Json, old: Json | None) -> list[FieldError]:
    """A changed status."""
    if old is None:
        return []
    after, before = new.get("status") or {}, old.get("status") or {}
    if after == before:
        return []
    return [
        *_conditions(after),
        *_nomination(after, before, old["spec"]),
        *_class(after, before),
        *_transitions(after, before, old["spec"]),
        *_claims(after, new["spec"]),
        *_extended(after, new["spec"]),
        *_addresses(after, before),
        *_containers(after, new["spec"]),
    ]


def _conditions(after: Json) -> Errors:
    if after.get("observedGeneration", 0) < 0:
        field = "status.observedGeneration"
        yield invalid_value(field, after["observedGeneration"], NOT_NEGATIVE)
    for i, condition in enumerate(after.get("conditions") or ()):
        field = f"status.conditions[{i}]"
        if condition.get("observedGeneration", 0) < 0:
            generation = condition["observedGeneration"]
            yield invalid_value(f"{field}.observedGeneration", generation, NOT_NEGATIVE)
        if condition["type"] not in SYSTEM_CONDITIONS:
            yield from names.qualified(condition["type"], f"{field}.Type")


def _nomination(after: Json, before: Json, spec: Json) -> Errors:
    name, field = after.get("nominatedNodeName"), "status.nominatedNodeName"
    if not name or name == before.get("nominatedNodeName"):
        return
    yield from names.subdomain(name, field)
    if spec.get("nodeName"):
        detail = "may not be set on pods that are already bound to a node"
        yield forbidden_field(field, detail)


def _class(after: Json, before: Json) -> Errors:
    if "qosClass" in before and after.get("qosClass") != before["qosClass"]:
        yield invalid_value("status.qosClass", after.get("qosClass"), "field is immutable")


def _transitions(after: Json, before: Json, spec: Json) -> Errors:
    """What has ended and is not to be started again stays ended."""
    for group, kind in GROUPS.items():
        now = {item.get("name"): item for item in after.get(group) or ()}
        specs = {item["name"]: item for item in spec.get(kind) or ()}
        for i, was in enumerate(before.get(group) or ()):
            ended = (was.get("state") or {}).get("terminated")
            name = was.get("name")
            if ended is None or name not in now:
                continue
            runs = "terminated" not in (now[name].get("state") or {})
            if runs and not restarts(specs.get(name), spec, kind, ended.get("exitCode", 0)):
                yield forbidden_field(f"status.{group}[{i}].state", ENDED)


def restarts(container: Json | None, spec: Json, kind: str, code: int) -> bool:
    """Whether a container that ended with `code` may start again."""
    if kind == "ephemeralContainers" or container is None:
        return False
    if _all_may_restart(spec):
        return True
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        listed = code in (codes.get("values") or ())
        if listed is (codes.get("operator") == "In"):
            return bool(rule.get("action") == "Restart")
    policy = container.get("restartPolicy") or spec.get("restartPolicy", "Always")
    return bool(policy == "Always" or (policy == "OnFailure" and code != 0))


def _all_may_restart(spec: Json) -> bool:
    return any(
        rule.get("action") == "RestartAllContainers"
        for kind in ("initContainers", "containers")
        for container in spec.get(kind) or ()
        for rule in container.get("restartPolicyRules") or ()
    )


def _claims(after: Json, spec: Json) -> Errors:
    known = {claim["name"] for claim in spec.get("resourceClaims") or ()}
    seen: set[str] = set()
    for i, entry in enumerate(after.get("resourceClaimStatuses") or ()):
        field = f"status.resourceClaimStatuses[{i}]"
        name = entry.get("name", "")
        if name not in known:
            detail = "must match the name of an entry in `spec.resourceClaims`"
            yield invalid_value(f"{field}.name", name, detail)
        if name in seen:
            yield duplicate(f"{field}.name", name)
        seen.add(name)
        if "resourceClaimName" in entry:
            yield from names.subdomain(entry["resourceClaimName"], f"{field}.resourceClaimName")


def _extended(after: Json, spec: Json) -> Errors:
    entry, field = after.get("extendedResourceClaimStatus"), "status.extendedResourceClaimStatus"
    if entry is None:
        return
    mappings = entry.get("requestMappings") or ()
    if not mappings:
        yield required(f"{field}.requestMappings", "at least one request mapping is required")
    containers = {
        item["name"]: (item.get("resources") or {}).get("requests") or {}
        for kind in ("initContainers", "containers")
        for item in spec.get(kind) or ()
    }
    for i, mapping in enumerate(mappings):
        path, name = f"{field}.requestMappings[{i}]", mapping["containerName"]
        if name not in containers:
            detail = (
                "must match the name of an entry in spec.initContainers.name or "
                "spec.containers.name"
            )
            yield invalid_value(f"{path}.containerName", name, detail)
        elif mapping["resourceName"] not in containers[name]:
            detail = (
                "must match the extended resource name of an entry in "
                "spec.initContainers.resources.requests or spec.containers.resources.requests"
            )
            yield invalid_value(f"{path}.resourceName", mapping["resourceName"], detail)
        yield from names.label(mapping["requestName"], f"{field}.requestName")
    if not entry.get("resourceClaimName"):
        yield required(f"{field}.resourceClaimName")
    else:
        yield from names.subdomain(entry["resourceClaimName"], f"{field}.resourceClaimName")


def _addresses(after: Json, before: Json) -> Errors:
    hosts = after.get("hostIPs") or ()
    if hosts and hosts[0].get("ip") != after.get("hostIP"):
        detail = "must be equal to `hostIP`"
        yield invalid_value("status.hostIPs[0].ip", hosts[0].get("ip"), detail)
    for name in ("podIPs", "hostIPs"):
        known = [item.get("ip", "") for item in before.get(name) or ()]
        found = [item.get("ip", "") for item in after.get(name) or ()]
        for i, address in enumerate(found):
            yield from values.ip(f"status.{name}[{i}]", address, known)
        if len(found) > 1 and (len(found) > 2 or not values.dual_stack(found)):
            detail = "may specify no more than one IP for each IP family"
            yield invalid_value(f"status.{name}", after[name], detail)


def _containers(after: Json, spec: Json) -> Errors:
    windows = (spec.get("os") or {}).get("name") == "windows"
    for group, kind in GROUPS.items():
        specs = {item["name"]: item for item in spec.get(kind) or ()}
        for i, entry in enumerate(after.get(group) or ()):
            field = f"status.{group}[{i}]"
            user = (entry.get("user") or {}).get("linux")
            if user is not None and windows:
                yield forbidden_field(f"{field}.user.linux", "cannot be set for a windows pod")
            elif user is not None:
                yield from _user(user, f"{field}.user.linux")
            allocated = entry.get("allocatedResourcesStatus") or ()
            if allocated and kind == "ephemeralContainers":
                detail = "must not be specified in container status"
                yield forbidden_field(f"{field}.allocatedResourcesStatus", detail)
            elif allocated:
                container = specs.get(entry.get("name"))
                yield from _allocated(allocated, f"{field}.allocatedResourcesStatus", container)


def _user(user: Json, field: str) -> Errors:
    for name in ("uid", "gid"):
        yield from values.identity(f"{field}.{name}", user.get(name))
    for i, group in enumerate(user.get("supplementalGroups") or ()):
        yield from values.identity(f"{field}.supplementalGroups[{i}]", group)


def _allocated(entries: Sequence[Json], field: str, container: Json | None) -> Errors:
    for j, entry in enumerate(entries):
        path = f"{field}[{j}]"
        if container is not None and (fault := _not_asked(entry["name"], container)):
            yield invalid_value(f"{path}.name", entry["name"], fault)
        seen: set[str] = set()
        for k, resource in enumerate(entry.get("resources") or ()):
            place = f"{path}.resources[{k}]"
            if resource.get("health", "Unknown") not in HEALTH:
                yield not_supported(f"{place}.health", resource["health"], HEALTH)
            if resource["resourceID"] in seen:
                yield duplicate(f"{place}.resourceID", resource["resourceID"])
            seen.add(resource["resourceID"])


def _not_asked(name: str, container: Json) -> str:
    asked = container.get("resources") or {}
    if not name.startswith("claim:"):
        known = name in (asked.get("requests") or {})
        return "" if known else "must match one of the container's resource requests"
    claims = [
        f"claim:{claim['name']}" + (f"/{claim['request']}" if claim.get("request") else "")
        for claim in asked.get("claims") or ()
    ]
    if name in claims:
        return ""
    return (
        "must match one of the container's resource claims in a format "
        "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
    )
