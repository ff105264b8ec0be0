"""Which names a kind gets, and what its definition's status says of that.

In a group each name is one kind's: whoever has it first keeps it, and a kind whose names are taken
is not served until they are free. Pure decisions, the same as those of kube-apiserver's naming and
establishing controllers, made in one step when a definition is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from argosy.api.extensions.approval import CONFORMS, approval, protected, said
from argosy.api.extensions.bundle import bundle_fault
from argosy.api.extensions.definition import Names

Json = dict[str, Any]
ACCEPTED = {"reason": "NoConflicts", "message": "no conflicts found"}
ESTABLISHED = {
    "reason": "InitialNamesAccepted",
    "message": "the initial names have been accepted",
}
DISTRUSTED = {
    "reason": "InvalidCABundle",
    "message": "The conversion webhook CABundle is invalid",
}
REFUSED = {"reason": "NotAccepted", "message": "not all names are accepted"}


def settled(definition: Mapping[str, Any], others: Iterable[Names], now: str) -> Json:
    """The status that follows from a definition, given the names of all others in its group."""
    status: Json = dict(definition.get("status") or {})
    wanted = msgspec.convert(definition["spec"]["names"], Names)
    had = msgspec.convert(status.get("acceptedNames") or {}, Names)
    taken = tuple(others)
    names, reason, message = _accept(wanted, had, taken)
    conditions = [dict(item) for item in status.get("conditions") or ()]
    told = ACCEPTED if not reason else {"reason": reason, "message": message}
    _tell(conditions, "NamesAccepted", not reason, told, now)
    known = {item["type"]: item.get("status") for item in conditions}
    if not reason and known.get("Established") != "True" and _distrusted(definition["spec"]):
        _tell(conditions, "Established", False, DISTRUSTED, now)
    elif not reason:
        _tell(conditions, "Established", True, ESTABLISHED, now)
    elif "Established" not in known:
        _tell(conditions, "Established", False, REFUSED, now)
    if protected(definition["spec"].get("group") or ""):
        found = approval(said(definition["metadata"]))
        told = {"reason": found.reason, "message": found.message}
        _tell(conditions, CONFORMS, found.conforms, told, now)
    status["conditions"] = conditions
    always = {"plural": names.plural, "kind": names.kind}
    status["acceptedNames"] = {**always, **msgspec.to_builtins(names)}
    status["storedVersions"] = _stored(definition["spec"], status.get("storedVersions") or [])
    return status


def _accept(wanted: Names, had: Names, taken: tuple[Names, ...]) -> tuple[Names, str, str]:
    """The names that the kind has now; and the reason and message of a conflict."""
    resources: set[str] = set().union(*(item.of_resource for item in taken))
    kinds: set[str] = set().union(*(item.of_kind for item in taken))
    changes: dict[str, Any] = {"categories": wanted.categories}
    conflict = ("", "")
    for field, used, reason in (
        ("plural", resources, "PluralConflict"),
        ("singular", resources, "SingularConflict"),
        ("short_names", resources, "ShortNamesConflict"),
        ("kind", kinds, "KindConflict"),
        ("list_kind", kinds, "ListKindConflict"),
    ):
        new, old = getattr(wanted, field), getattr(had, field)
        asked = (new,) if isinstance(new, str) else new
        kept = (old,) if isinstance(old, str) else old
        if clash := [name for name in asked if name not in kept and name in used]:
            texts = [f'"{name}" is already in use' for name in clash]
            text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            conflict = (reason, text)
        else:
            changes[field] = new
    return msgspec.structs.replace(had, **changes), *conflict


def _distrusted(spec: Mapping[str, Any]) -> bool:
    """Whether nobody could be trusted as the webhook that converts versions."""
    webhook = (spec.get("conversion") or {}).get("webhook") or {}
    bundle = (webhook.get("clientConfig") or {}).get("caBundle")
    return bool(bundle and bundle_fault(bundle))


def _stored(spec: Mapping[str, Any], before: list[str]) -> list[str]:
    storage = next((item["name"] for item in spec.get("versions") or () if item.get("storage")), "")
    return before if not storage or storage in before else [*before, storage]


def ending(definition: Json, now: str) -> Json:
    """The definition, as the deletion of its objects begins."""
    status = dict(definition.get("status") or {})
    conditions = [dict(item) for item in status.get("conditions") or ()]
    text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    told = {"reason": "InstanceDeletionPending", "message": text}
    _tell(conditions, "Terminating", True, told, now)
    return {**definition, "status": {**status, "conditions": conditions}}


def _tell(
    conditions: list[Json], kind: str, holds: bool, told: Mapping[str, str], now: str
) -> None:
    """Set a condition, dated by when its status last changed."""
    status = "True" if holds else "False"
    known = next((item for item in conditions if item.get("type") == kind), None)
    if known is None:
        conditions.append({"type": kind, "status": status, "lastTransitionTime": now, **told})
        return
    if known.get("status") != status:
        known["lastTransitionTime"] = now
    known.update(told, status=status)
