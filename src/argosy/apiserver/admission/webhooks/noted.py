"""What the audit log and the client are told of webhooks."""

import json
from collections.abc import Sequence
from typing import Any, Final

from argosy.api.names import qualified_faults
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.calling import Phase
from argosy.apiserver.admission.webhooks.hook import Hook
from argosy.apiserver.admission.webhooks.review import JSON_PATCH, Verdict
from argosy.apiserver.audit import notes

MUTATION: Final = "mutation.webhook.admission.k8s.io/"
PATCH: Final = "patch.webhook.admission.k8s.io/"
FAILED_OPEN: Final = {
    "admit": f"failed-open.{MUTATION}",
    "validating": "failed-open.validating.webhook.admission.k8s.io/",
}


def _place(attributes: Attributes, index: int) -> str:
    return f"round_{attributes.round}_index_{index}"


def mutated(attributes: Attributes, hook: Hook, index: int, *, changed: bool) -> None:
    """Whether a webhook changed the object."""
    told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
    notes.annotate(MUTATION + _place(attributes, index), _text(told))


def patched(attributes: Attributes, hook: Hook, index: int, operations: Sequence[Any]) -> None:
    """How it changed it: only where the log may show objects."""
    told = {
        "configuration": hook.configuration,
        "webhook": hook.name,
        "patch": operations,
        "patchType": JSON_PATCH,
    }
    notes.annotate_request(PATCH + _place(attributes, index), lambda: _text(told))


def failed_open(attributes: Attributes, hook: Hook, index: int, phase: Phase) -> None:
    """That it was passed over."""
    place = _place(attributes, index) if phase == "admit" else f"round_0_index_{index}"
    notes.annotate(FAILED_OPEN[phase] + place, hook.name)


def said(attributes: Attributes, hook: Hook, verdict: Verdict) -> None:
    """What it wants to be told beside its verdict."""
    for key, value in (verdict.annotations or {}).items():
        whole = f"{hook.name}/{key}"
        if whole.count("/") == 1 and not qualified_faults(whole):
            notes.annotate(whole, value)
    attributes.warnings.extend(verdict.warnings)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
