"""All rules, by kind: what `validate` runs for an object beyond its structure."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.validation import ai, core, devices
from argosy.api.validation.pods import pod
from argosy.api.validation.rule import Json, Rule
from argosy.base.errors import FieldError

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Pod": (pod,),
    **core.RULES,
    **devices.RULES,
    **ai.RULES,
}
SHORT_NAMES = frozenset({"Namespace", "Service"})
"""Kinds whose names are DNS labels rather than subdomains."""


def validate(kind: str, new: Json, old: Json | None, *, namespaced: bool) -> list[FieldError]:
    """All that is wrong with `new` beyond its structure."""
    errors = names.metadata(new["metadata"], namespaced=namespaced, short=kind in SHORT_NAMES)
    if old is not None:
        errors += names.no_new_finalizers(new["metadata"], old["metadata"])
    for rule in RULES.get(kind, ()):
        errors += rule(new, old)
    return errors
