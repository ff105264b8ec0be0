"""`metadata.managedFields`: who owns what, read from and written to its wire form.

A manager is known by its name, the operation, the subresource and, for updates, the API version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from argosy.apiserver.fieldmanager.fieldset import FieldSet, parse, union

MAX_UPDATERS = 10
"""Entries of updates that an object keeps; older ones are put together beyond that."""

ANCIENT = "ancient-changes"

SERVER_SET = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "selfLink",
)
"""Metadata that only the server sets: ignored in a configuration."""

UNOWNED = frozenset(("name", "namespace", "uid", "resourceVersion", "managedFields", *SERVER_SET))
"""Metadata that no writer owns."""


class Identity(NamedTuple):
    """What tells one manager from another."""

    manager: str
    operation: str
    api_version: str
    subresource: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager and its fields."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    fields: FieldSet

    @property
    def identity(self) -> Identity:
        applied = self.operation == "Apply"
        version = "" if applied else self.api_version
        return Identity(self.manager, self.operation, version, self.subresource)

    def __str__(self) -> str:
        shown = f'"{self.manager}"'
        if self.subresource:
            shown += f' with subresource "{self.subresource}"'
        return shown if self.operation == "Apply" else f"{shown} using {self.api_version}"


def decode(raw: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """The entries of a stored object."""
    return [
        Entry(
            entry.get("manager", ""),
            entry["operation"],
            entry["apiVersion"],
            entry.get("subresource", ""),
            entry.get("time", ""),
            entry.get("fieldsV1", {}),
        )
        for entry in raw
    ]


def decode_foreign(raw: Any) -> list[Entry] | None:
    """The entries that a writer sent, or None if they can't be read."""
    try:
        checked = [_checked(entry) for entry in raw]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return decode(checked)


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    texts = [entry.get(name, "") for name in ("manager", "subresource", "time", "apiVersion")]
    if not all(isinstance(text, str) for text in texts) or not entry.get("apiVersion"):
        raise ValueError("apiVersion must not be empty, and all names must be strings")
    if entry.get("operation") not in ("Apply", "Update") or entry.get("fieldsType") != "FieldsV1":
        raise ValueError("operation must be Apply or Update, and fieldsType FieldsV1")
    return {**entry, "fieldsV1": parse(entry.get("fieldsV1") or {})}


def encode(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The wire form, in Kubernetes' order: appliers first, then by time and name."""
    return [_encoded(entry) for entry in sorted(entries, key=_place)]


def _place(entry: Entry) -> tuple[str, ...]:
    return entry.operation, entry.time, entry.manager, entry.api_version, entry.subresource


def _encoded(entry: Entry) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields,
    }
    if not entry.time:
        del raw["time"]
    if entry.subresource:
        raw["subresource"] = entry.subresource
    return raw


def capped(entries: list[Entry]) -> list[Entry]:
    """`entries` with the oldest updates of one version put together while there are too many."""
    if len(entries) <= MAX_UPDATERS:
        return entries
    updates = [entry for entry in entries if entry.operation == "Update"]
    surplus = len(updates) - MAX_UPDATERS
    if surplus <= 0:
        return entries
    kept = {entry.identity: entry for entry in entries}
    oldest: dict[str, Entry] = {}
    for entry in sorted(updates, key=lambda entry: (entry.manager != ANCIENT, _place(entry))):
        before = oldest.get(entry.api_version)
        if surplus and before is not None:
            del kept[entry.identity]
            kept.pop(before.identity)
            fields = union(before.fields, entry.fields)
            entry = replace(entry, manager=ANCIENT, subresource="", fields=fields)
            kept[entry.identity] = entry
            surplus -= 1
        oldest[entry.api_version] = entry
    return list(kept.values())
