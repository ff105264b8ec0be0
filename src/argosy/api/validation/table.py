"""All rules, by kind: what `validate` runs for an object beyond its structure."""

from collections.abc import Mapping
from itertools import islice

from argosy.api import names
from argosy.api.validation import (
    ai,
    autoscaling,
    certificates,
    control,
    core,
    cronjobs,
    devices,
    endpoints,
    flowcontrol,
    jobs,
    lifecycle,
    networking,
    placement,
    podstatus,
    podupdates,
    policies,
    quota,
    rbac,
    registration,
    storage,
    webhooks,
    workloads,
)
from argosy.api.validation.fields import Check
from argosy.api.validation.pods import pod, pod_change
from argosy.api.validation.rule import Json, Rule
from argosy.base.errors import MOST_FIELDS, FieldError

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Pod": (pod, pod_change, podstatus.status),
    **ai.RULES,
    **autoscaling.RULES,
    **certificates.RULES,
    **control.RULES,
    **core.RULES,
    **cronjobs.RULES,
    "Event.events.k8s.io": core.RULES["Event"],
    **devices.RULES,
    **endpoints.RULES,
    **flowcontrol.RULES,
    **jobs.RULES,
    **lifecycle.RULES,
    **networking.RULES,
    **placement.RULES,
    **policies.RULES,
    **quota.RULES,
    **rbac.RULES,
    **registration.RULES,
    **storage.RULES,
    **webhooks.RULES,
    **workloads.RULES,
}
SUBRESOURCES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    **certificates.SUBRESOURCES,
    **registration.SUBRESOURCES,
    ("Pod", "ephemeralcontainers"): (pod, podupdates.ephemeral_containers),
    ("Pod", "resize"): (pod, podupdates.resize),
}
"""Subresources whose writes have rules of their own, in the place of the kind's."""
NAMES: Mapping[str, Check] = {
    **dict.fromkeys(("Namespace", "Service", "StatefulSet"), names.label),
    **certificates.NAMES,
    **control.NAMES,
    **networking.NAMES,
    **rbac.NAMES,
    **registration.NAMES,
}
"""What objects may be called, where that is not a DNS subdomain."""
ANY_FINALIZER = frozenset(
    (
        *ai.RULES,
        *registration.RULES,
        *webhooks.RULES,
        *policies.RULES,
        "Event",
        "Event.events.k8s.io",
        "Lease",
        "LeaseCandidate",
        "RuntimeClass",
        "CustomResourceDefinition",
        "InferenceService",
    )
)
"""Kinds whose finalizers need no domain: upstream has that rule for its older groups only."""


def validate(
    kind: str, new: Json, old: Json | None, *, namespaced: bool, subresource: str = ""
) -> list[FieldError]:
    """All that is wrong with `new` beyond its structure."""
    called = NAMES.get(kind, names.subdomain)
    errors = names.metadata(new["metadata"], namespaced=namespaced, called=called)
    if kind not in ANY_FINALIZER:
        errors += names.finalizers_of_somebody(new["metadata"])
    if old is not None:
        errors += names.no_new_finalizers(new["metadata"], old["metadata"])
    for rule in SUBRESOURCES.get((kind, subresource)) or RULES.get(kind, ()):
        errors += islice(rule(new, old), MOST_FIELDS + 1)  # more are not told
    return errors
