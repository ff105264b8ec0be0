"""The rules of `scheduling.k8s.io` and `node.k8s.io`: how pods are placed, alone and in groups."""

from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.validation import resources, scheduling
from argosy.api.validation.changes import (
    Change,
    at_update,
    changes,
    frozen,
    never_set,
    never_unset,
    same_items,
)
from argosy.api.validation.conditions import conditions
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Table,
    at_least,
    at_most,
    checked,
    each,
    exactly_one,
    fields,
    items_at_most,
    one_of,
    together,
    unique_by,
    unless_empty,
)
from argosy.api.validation.formats import path_segment
from argosy.api.validation.rule import Json, Rule, immutable, of_part
from argosy.base.errors import FieldError, duplicate, forbidden_field, invalid_value

Errors = Iterator[FieldError]

HIGHEST_PRIORITY = 1_000_000_000
SYSTEM = "system-"
SYSTEM_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
NOT_A_CLAIM = "must match the name of an entry in `spec.resourceClaims`"


def _priority_class(new: Json, old: Json | None) -> list[FieldError]:
    name, value = new["metadata"].get("name") or "", new.get("value") or 0
    if old is not None:
        if value == (old.get("value") or 0):
            return []
        return [forbidden_field("value", "may not be changed in an update.")]
    if name.startswith(SYSTEM):
        fault = _system_fault(name, value, globally=bool(new.get("globalDefault")))
        detail = (
            f"priority class names with '{SYSTEM}' prefix are reserved for system use only. "
            f"error: {fault}"
        )
        return [forbidden_field("metadata.name", detail)] if fault else []
    if value > HIGHEST_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}"
        return [forbidden_field("value", detail)]
    return []


def _system_fault(name: str, value: int, *, globally: bool) -> str:
    if name not in SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if value != SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if globally else ""


def _claim_statuses(new: Json, old: Json | None) -> list[FieldError]:
    known = {claim["name"] for claim in new["spec"].get("resourceClaims") or ()}
    found = (new.get("status") or {}).get("resourceClaimStatuses") or ()
    return [
        invalid_value(f"status.resourceClaimStatuses[{i}].name", name, NOT_A_CLAIM)
        for i, name in enumerate(entry.get("name") or "" for entry in found)
        if name not in known
    ]


def _templates(value: list[Json], path: str) -> Errors:
    yield from TEMPLATES(value, path)


def _composites(value: list[Json], path: str) -> Errors:
    """Composite templates hold templates of both kinds."""
    yield from COMPOSITES(value, path)


def _composite_changes(new: Json, old: Json, path: str) -> Errors:
    yield from COMPOSITE_CHANGES(new, old, path)


def _tolerations(items: list[Json], path: str) -> Errors:
    yield from scheduling.tolerations(items, path)
    seen = set()
    for i, item in enumerate(items):
        key = tuple(item.get(name) or "" for name in ("key", "operator", "value", "effect"))
        if key in seen:
            yield duplicate(f"{path}[{i}]", item)
        seen.add(key)


def _overhead(overhead: Json, path: str) -> Errors:
    yield from resources.requirements({"limits": overhead.get("podFixed")}, path, frozenset())


PREEMPTION = one_of("Never", "PreemptLowerPriority")
POLICY = together(exactly_one("basic", "gang"), fields({"gang.minCount": at_least(1)}))
COMPOSITE_POLICY = together(
    exactly_one("basic", "gang"), fields({"gang.minGroupCount": at_least(1)})
)
COMMON: Table = {
    "schedulingConstraints.topology": items_at_most(1),
    "schedulingConstraints.topology[].key": (NEEDED, names.qualified),
    "disruptionMode": exactly_one("single", "all"),
    "priorityClassName": unless_empty(names.subdomain),
    "priority": at_most(HIGHEST_PRIORITY),
    "preemptionPolicy": PREEMPTION,
}
"""What groups, composite ones too, have in common with their templates."""

RESOURCE_CLAIMS: Table = {
    "resourceClaims": (items_at_most(4), unique_by("name", entire=True)),
    "resourceClaims[]": exactly_one("resourceClaimName", "resourceClaimTemplateName"),
    "resourceClaims[].name": (NEEDED, names.label),
    "resourceClaims[].resourceClaimName": names.subdomain,
    "resourceClaims[].resourceClaimTemplateName": names.subdomain,
}
WORKLOAD_REF: Table = {
    "workloadRef.workloadName": (NEEDED, names.subdomain),
    "workloadRef.templateName": (NEEDED, names.label),
}
TEMPLATES: Check = each(
    fields({"name": (NEEDED, names.label), "schedulingPolicy": POLICY, **COMMON, **RESOURCE_CLAIMS})
)
NESTED: Table = {
    "podGroupTemplates": (items_at_most(8), unique_by("name", entire=True), _templates),
    "compositePodGroupTemplates": (items_at_most(8), unique_by("name", entire=True), _composites),
}
COMPOSITES: Check = each(
    fields(
        {"name": (NEEDED, names.label), "schedulingPolicy": COMPOSITE_POLICY, **COMMON, **NESTED}
    )
)
POD_GROUP = fields(
    {
        "parentCompositePodGroupName": names.subdomain,
        **WORKLOAD_REF,
        "schedulingPolicy": POLICY,
        **COMMON,
        **RESOURCE_CLAIMS,
    }
)
COMPOSITE = fields(
    {
        "parentCompositePodGroupName": names.subdomain,
        "workloadRef": NEEDED,
        **WORKLOAD_REF,
        "schedulingPolicy": COMPOSITE_POLICY,
        **COMMON,
    }
)
WORKLOAD = together(
    exactly_one("podGroupTemplates", "compositePodGroupTemplates"),
    fields(
        {
            "controllerRef.apiGroup": unless_empty(names.subdomain),
            "controllerRef.kind": (NEEDED, path_segment),
            "controllerRef.name": (NEEDED, path_segment),
            **NESTED,
        }
    ),
)
STATUS = fields(
    {
        "conditions": conditions,
        "resourceClaimStatuses": (items_at_most(4), unique_by("name", entire=True)),
        "resourceClaimStatuses[].resourceClaimName": names.subdomain,
    }
)
FIXED = (
    "schedulingConstraints",
    "disruptionMode",
    "priorityClassName",
    "priority",
    "preemptionPolicy",
)
POLICY_CHANGES: Mapping[str, Change | tuple[Change, ...]] = {
    "schedulingPolicy.basic": frozen,
    "schedulingPolicy.gang": (never_set, never_unset),
}
"""A gang stays a gang; how many it takes may change."""

TEMPLATE_CHANGES = changes({**POLICY_CHANGES, **dict.fromkeys((*FIXED, "resourceClaims"), frozen)})
GROUP_CHANGES = changes(
    {
        **POLICY_CHANGES,
        **dict.fromkeys(
            ("parentCompositePodGroupName", "workloadRef", *FIXED, "resourceClaims"), frozen
        ),
    }
)
COMPOSITE_CHANGES: Change = changes(
    {
        **POLICY_CHANGES,
        **dict.fromkeys(FIXED, frozen),
        "podGroupTemplates": same_items(TEMPLATE_CHANGES),
        "compositePodGroupTemplates": same_items(_composite_changes),
    }
)
WORKLOAD_CHANGES = changes(
    {
        "controllerRef": frozen,
        "podGroupTemplates": same_items(TEMPLATE_CHANGES),
        "compositePodGroupTemplates": same_items(_composite_changes),
    }
)
COMPOSITE_GROUP_CHANGES = changes(
    dict.fromkeys(
        ("parentCompositePodGroupName", "workloadRef", "schedulingPolicy", *FIXED), frozen
    )
)
RUNTIME_CLASS = fields(
    {
        "handler": (NEEDED, names.label),
        "overhead": _overhead,
        "scheduling.nodeSelector": names.labels,
        "scheduling.tolerations": _tolerations,
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "CompositePodGroup": (
        of_part("spec", COMPOSITE),
        at_update("spec", COMPOSITE_GROUP_CHANGES),
        of_part("status", STATUS),
    ),
    "PodGroup": (
        of_part("spec", POD_GROUP),
        at_update("spec", GROUP_CHANGES),
        of_part("status", STATUS),
        _claim_statuses,
    ),
    "PriorityClass": (
        _priority_class,
        checked(fields({"preemptionPolicy": one_of("PreemptLowerPriority", "Never")})),
        immutable("preemptionPolicy"),
    ),
    "RuntimeClass": (checked(RUNTIME_CLASS), immutable("handler")),
    "Workload": (of_part("spec", WORKLOAD), at_update("spec", WORKLOAD_CHANGES)),
}
