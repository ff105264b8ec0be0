"""The rules of pods, alone and in templates.

Its parts have files of their own: `containers` (with `env`, `probes`, `resources`), `volumes`,
`security`, `scheduling`; what may change is in `podupdates`, the status in `podstatus`. Source:
Kubernetes' API reference and the texts of its field validation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from argosy.api import names
from argosy.api.podresources import aggregate
from argosy.api.validation import scheduling, security, values
from argosy.api.validation.containers import GROUPS, all_of, containers, file_keys, trimmed
from argosy.api.validation.podupdates import changes
from argosy.api.validation.resources import HUGE_PAGES, pod_resource, requirements
from argosy.api.validation.rule import Errors, Json
from argosy.api.validation.volumes import volumes
from argosy.base import quantity
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from argosy.base.memo import remembered

RESTART_POLICIES = ("Always", "OnFailure", "Never")
ENUMS: Mapping[str, tuple[str, ...]] = {
    "restartPolicy": RESTART_POLICIES,
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
}
NAMED = (
    "serviceAccountName",
    "nodeName",
    "priorityClassName",
    "runtimeClassName",
)
DEADLINE = "must be between 1 and 2147483647, inclusive"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
MIRROR = "kubernetes.io/config.mirror"
SEARCH_LABEL = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SEARCH = re.compile(rf"{SEARCH_LABEL}(\.{SEARCH_LABEL})*")
SEARCH_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
    f"used for validation is '{SEARCH_LABEL}(\\.{SEARCH_LABEL})*')"
)


def pod(new: Json, old: Json | None) -> list[FieldError]:
    """A pod, new or changed."""
    errors = _annotations(new)
    if old is None or new["spec"] != old["spec"]:
        errors += pod_spec(new["spec"], "spec", pod=new["metadata"].get("name") or "")
        for group in ("containers", "initContainers"):
            for i, container in enumerate(new["spec"].get(group) or ()):
                errors += trimmed(container, f"spec.{group}[{i}]")
    if old is None:
        errors += _created(new["spec"])
    return errors


def pod_change(new: Json, old: Json | None) -> list[FieldError]:
    """What an update of a pod may change."""
    return [] if old is None else list(changes(new, old))


def _created(spec: Json) -> Errors:
    if spec.get("ephemeralContainers"):
        yield forbidden_field("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        detail = "cannot be set until all schedulingGates have been cleared"
        yield forbidden_field("spec.nodeName", detail)


def _annotations(pod: Json) -> list[FieldError]:
    annotations = pod["metadata"].get("annotations") or {}
    errors = list(_cost(annotations, "metadata.annotations"))
    if MIRROR in annotations and not pod["spec"].get("nodeName"):
        detail = "must set spec.nodeName if mirror pod annotation is set"
        path = f"metadata.annotations[{MIRROR}]"
        errors.append(invalid_value(path, annotations[MIRROR], detail))
    return errors


def _cost(annotations: Json, path: str) -> Errors:
    cost = annotations.get(DELETION_COST)
    if cost is None:
        return
    number = cost.removeprefix("-")
    sound = number.isascii() and number.isdigit() and number == str(int(number))
    if not sound or not -(2**31) <= int(cost) < 2**31:
        yield invalid_value(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer")


def pod_template(
    template: Json, path: str, *, restart: str | None, owner: str = ""
) -> list[FieldError]:
    """A pod inside of a template, where its `owner` may fix the restart policy."""
    spec, meta = template.get("spec") or {}, template.get("metadata") or {}
    annotations = meta.get("annotations") or {}
    errors = names.labels(meta.get("labels") or {}, f"{path}.labels")
    errors += names.annotations(annotations, f"{path}.annotations")
    errors += _cost(annotations, f"{path}.annotations")
    errors += pod_spec(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        detail = "ephemeral containers not allowed in pod template"
        errors.append(forbidden_field(f"{path}.spec.ephemeralContainers", detail))
    if restart and spec.get("restartPolicy", restart) != restart:
        errors.append(not_supported(f"{path}.spec.restartPolicy", spec["restartPolicy"], [restart]))
    if owner and "activeDeadlineSeconds" in spec:
        detail = f"activeDeadlineSeconds in {owner} is not Supported"
        errors.append(forbidden_field(f"{path}.spec.activeDeadlineSeconds", detail))
    return errors


def pod_spec(spec: Json, path: str, *, pod: str = "") -> list[FieldError]:
    """What a pod shall be; `pod` is its name, which templates have not."""
    # The name counts for claims that are made for the pod, and are called after it.
    named = any("ephemeral" in volume for volume in spec.get("volumes") or ())
    return list(_known_errors([path, pod if named else "", spec]))


def _spec_errors(given: Any) -> tuple[FieldError, ...]:
    path, pod, spec = given
    return tuple(_all_spec_errors(spec, path, pod))


_known_errors = remembered(_spec_errors)


def _all_spec_errors(spec: Json, path: str, pod: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.get("volumes"):
        errors += volumes(spec["volumes"], f"{path}.volumes", pod)
    if spec.get("resourceClaims"):
        errors += _claims(spec["resourceClaims"], f"{path}.resourceClaims")
    errors += containers(spec, path)
    if spec.get("resources"):
        errors += _resources(spec, path)
    for name, allowed in ENUMS.items():
        if (value := spec.get(name)) is not None and value not in allowed:
            errors.append(not_supported(f"{path}.{name}", value, allowed))
    errors += _host_network(spec, f"{path}.containers")
    errors += _placement(spec, path)
    errors += _security(spec, path)
    errors += _names(spec, path)
    errors += _limits(spec, path)
    errors += file_keys(spec, path)
    return errors


def _security(spec: Json, path: str) -> Errors:
    if spec.get("securityContext") or spec.get("shareProcessNamespace"):
        yield from security.pod_security(spec, path)
    if any("windowsOptions" in context for context in _contexts(spec)):
        yield from security.host_process(spec, path, all_of(spec, path))
    if spec.get("hostUsers") is False:
        yield from security.host_users(spec, path, all_of(spec, path))
    if "os" in spec:
        yield from security.system_rules(spec, path, all_of(spec, path))


def _contexts(spec: Json) -> Iterator[Json]:
    yield spec.get("securityContext") or {}
    for group in GROUPS:
        for container in spec.get(group) or ():
            if "securityContext" in container:
                yield container["securityContext"]


def _placement(spec: Json, path: str) -> Errors:
    if spec.get("nodeSelector"):
        yield from names.labels(spec["nodeSelector"], f"{path}.nodeSelector")
    if spec.get("affinity"):
        yield from scheduling.affinity(spec["affinity"], f"{path}.affinity")
    if spec.get("tolerations"):
        yield from scheduling.tolerations(spec["tolerations"], f"{path}.tolerations")
    if spec.get("topologySpreadConstraints"):
        constraints = spec["topologySpreadConstraints"]
        yield from scheduling.spread(constraints, f"{path}.topologySpreadConstraints")
    if spec.get("schedulingGates"):
        yield from scheduling.gates(spec["schedulingGates"], f"{path}.schedulingGates")
    if "schedulingGroup" in spec:
        group, field = spec["schedulingGroup"].get("podGroupName"), f"{path}.schedulingGroup"
        if group is None:
            detail = "must specify one of: `podGroupName`"
            yield invalid_value(f"{field}.podGroupName", None, detail)
        else:
            yield from names.subdomain(group, f"{field}.podGroupName")


def _names(spec: Json, path: str) -> Errors:
    for name in NAMED:
        if spec.get(name):
            yield from names.subdomain(spec[name], f"{path}.{name}")
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from names.label(spec[name], f"{path}.{name}")
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        yield from names.qualified(
            gate["conditionType"], f"{path}.readinessGates[{i}].conditionType"
        )
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        yield from values.ip(f"{path}.hostAliases[{i}].ip", alias["ip"])
        for j, host in enumerate(alias.get("hostnames") or ()):
            yield from names.subdomain(host, f"{path}.hostAliases[{i}].hostnames[{j}]")
    if spec.get("dnsConfig") or spec.get("dnsPolicy") == "None":
        yield from _dns(spec, f"{path}.dnsConfig")
    if "hostnameOverride" in spec:
        yield from _hostname_override(spec, f"{path}.hostnameOverride")


def _hostname_override(spec: Json, field: str) -> Errors:
    for name, flag in (("setHostnameAsFQDN", "setHostnameAsFQDN"), ("hostNetwork", "hostNetwork")):
        if spec.get(name):
            yield forbidden_field(field, f"may not be specified when {flag} is true")
    if len(spec["hostnameOverride"]) > 64:
        yield too_long(field, 64)
    yield from names.subdomain(spec["hostnameOverride"], field)


def _limits(spec: Json, path: str) -> Errors:
    if (deadline := spec.get("activeDeadlineSeconds")) is not None:
        if not 0 < deadline < 2**31:
            yield invalid_value(f"{path}.activeDeadlineSeconds", deadline, DEADLINE)
    if spec.get("overhead"):
        yield from requirements({"limits": spec["overhead"]}, f"{path}.overhead", frozenset())


def _claims(claims: Sequence[Json], path: str) -> Errors:
    seen: set[str] = set()
    for i, claim in enumerate(claims):
        field, name = f"{path}[{i}]", claim["name"]
        if not name:
            yield required(f"{field}.name")
        elif name in seen:
            yield duplicate(f"{field}.name", name)
        else:
            yield from names.label(name, f"{field}.name")
        seen.add(name)
        forms = ("resourceClaimName", "resourceClaimTemplateName")
        found = [form for form in forms if form in claim]
        if len(found) > 1:
            detail = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            )
            yield invalid_value(field, claim, detail)
        if not found:
            detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            yield invalid_value(field, claim, detail)
        for form in found:
            yield from names.subdomain(claim[form], f"{field}.{form}")


def _resources(spec: Json, path: str) -> Errors:
    """What the pod asks for as a whole covers what its containers ask for."""
    asked, field = spec["resources"], f"{path}.resources"
    if (spec.get("os") or {}).get("name") == "windows":
        yield forbidden_field(field, "may not be set for a windows pod")
        return
    if "claims" in asked:
        detail = "claims may not be set for Resources at pod-level"
        yield forbidden_field(f"{field}.claims", detail)
    yield from requirements(asked, field, frozenset(), check=pod_resource)
    for part in ("requests", "limits"):
        own = asked.get(part) or {}
        for name, total in aggregate(spec, part).items():
            checked = part == "requests" or name.startswith(HUGE_PAGES)
            if checked and name in own and total > quantity.parse(own[name]):
                detail = (
                    "must be greater than or equal to aggregate container "
                    f"{part} of {_shown(total)}"
                )
                yield invalid_value(f"{field}.{part}[{name}]", str(own[name]), detail)
    yield from _container_limits(spec, field)


def _container_limits(spec: Json, field: str) -> Errors:
    most = spec["resources"].get("limits") or {}
    for i, container in enumerate(spec.get("containers") or ()):
        for name, limit in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in most and quantity.parse(limit) > quantity.parse(most[name]):
                place = f"{field}.containers[{i}][{name}].limits"
                detail = f"must be less than or equal to pod limits of {most[name]}"
                yield invalid_value(place, str(limit), detail)


def _shown(total: Decimal) -> str:
    whole = total == total.to_integral_value()
    return quantity.binary(int(total)) if whole and total else quantity.decimal(total)


def _host_network(spec: Json, path: str) -> Errors:
    if not spec.get("hostNetwork"):
        return
    for i, container in enumerate(spec.get("containers") or ()):
        for j, port in enumerate(container.get("ports") or ()):
            outside = port.get("hostPort", 0)
            if outside and outside != port["containerPort"]:
                field = f"{path}[{i}].ports[{j}].hostPort"
                detail = "must match `containerPort` when `hostNetwork` is true"
                yield invalid_value(field, outside, detail)


def _dns(spec: Json, path: str) -> Errors:
    config = spec.get("dnsConfig")
    servers = (config or {}).get("nameservers") or ()
    if spec.get("dnsPolicy") == "None" and not servers:
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        else:
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", detail)
        return
    if len(servers) > 3:
        yield invalid_value(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for i, server in enumerate(servers):
        yield from values.ip(f"{path}.nameservers[{i}]", server)
    yield from _searches((config or {}).get("searches") or (), f"{path}.searches")
    for i, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{i}]", "must not be empty")


def _searches(searches: Sequence[str], path: str) -> Errors:
    if len(searches) > 32:
        yield invalid_value(path, searches, "must not have more than 32 search paths")
    if len(" ".join(searches)) > 2048:
        detail = "must not have more than 2048 characters (including spaces) in the search list"
        yield invalid_value(path, searches, detail)
    for i, search in enumerate(searches):
        plain = search.removesuffix(".")
        if search != "." and not SEARCH.fullmatch(plain):
            yield invalid_value(f"{path}[{i}]", plain, SEARCH_RULE)
