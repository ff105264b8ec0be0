"""The rules of `lifecycle.k8s.io`: requests to evict, and how an eviction goes on."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.validation.changes import (
    at_update,
    changes,
    frozen,
    matched_items,
    never_less,
    never_modified,
    never_unset,
)
from argosy.api.validation.fields import (
    NEEDED,
    Table,
    at_least,
    at_most,
    characters_at_most,
    exactly_one,
    fields,
    items_at_most,
    one_of,
    unique_by,
)
from argosy.api.validation.formats import domain_key, uid
from argosy.api.validation.rule import Rule, of_part

INTENTS = ("Eviction", "Withdrawn")
STATES = ("Active", "Canceled", "Completed", "Inactive", "Interrupted")
ONCE = (never_modified, never_unset)

TARGET: Table = {
    "target": exactly_one("pod"),
    "target.pod.name": (NEEDED, names.subdomain),
    "target.pod.uid": (NEEDED, uid),
}
REQUEST = fields(
    {**TARGET, "requester": (NEEDED, domain_key), "intent": (NEEDED, one_of(*INTENTS))}
)
REQUEST_STATUS = fields({"conditions": items_at_most(100), "observedGeneration": at_least(1)})
STATUS = fields(
    {
        "conditions": items_at_most(100),
        "observedGeneration": at_least(1),
        "requesters": (items_at_most(100), unique_by("name", entire=True)),
        "requesters[].name": (NEEDED, domain_key),
        "requesters[].intent": (NEEDED, one_of(*INTENTS)),
        "targetResponders": (items_at_most(11), unique_by("name", entire=True)),
        "targetResponders[].name": (NEEDED, domain_key),
        "targetResponders[].priority": (NEEDED, at_least(0), at_most(100_000)),
        "targetResponders[].state": (NEEDED, one_of(*STATES)),
        "responders": (items_at_most(11), unique_by("name", entire=True)),
        "responders[].name": (NEEDED, domain_key),
        "responders[].message": characters_at_most(4000),
    }
)
STATUS_CHANGES = changes(
    {
        "observedGeneration": (never_unset, never_less),
        "targetResponders": matched_items(changes({"priority": ONCE})),
        "responders": matched_items(changes({"startTime": ONCE, "completionTime": ONCE})),
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Eviction": (
        of_part("spec", fields(TARGET)),
        at_update("spec", changes({"target": frozen})),
        of_part("status", STATUS),
        at_update("status", STATUS_CHANGES),
    ),
    "EvictionRequest": (
        of_part("spec", REQUEST),
        at_update("spec", changes({"target": frozen, "requester": frozen})),
        of_part("status", REQUEST_STATUS),
        at_update("status", changes({"observedGeneration": (never_unset, never_less)})),
    ),
}
