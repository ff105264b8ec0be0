"""The field manager: what a write does to an object and to the ownership of its fields.

`apply_patch` is server-side apply (KEP-555): the writer says all that it wants, and the server adds
what is new, takes away what the writer no longer asks for, and refuses to change what others own.
`track_update` follows every other write: what it changed is now the writer's. Both are functions of
objects, a name and a time; the verbs call them, `shape` and `merge` know about values, `fieldset`
about sets of fields, `entries` about their wire form.

Ownership is kept in the versions in which it was claimed. Where the versions of a kind differ by
their name alone, all entries are read as if they were of one; where not, see `versions`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.check import check, without_nulls
from argosy.apiserver.fieldmanager.entries import (
    SERVER_SET,
    UNOWNED,
    Entry,
    capped,
    decode,
    decode_foreign,
    encode,
)
from argosy.apiserver.fieldmanager.fieldset import (
    FieldSet,
    difference,
    exclude,
    from_names,
    intersection,
    paths,
    union,
)
from argosy.apiserver.fieldmanager.merge import merge, prune
from argosy.apiserver.fieldmanager.shape import Changes, compare, from_object, unset
from argosy.apiserver.fieldmanager.versions import Compared, Versions, pruned_across
from argosy.base.errors import StatusError, bad_request

BEFORE_FIRST_APPLY = "before-first-apply"

_UNOWNED = frozenset(f"f:{name}" for name in UNOWNED) | {"."}


def apply_patch(
    live: Mapping[str, Any] | None,
    patch: Mapping[str, Any],
    *,
    manager: str,
    force: bool,
    schema: Schema,
    api_version: str,
    time: str,
    subresource: str = "",
    strip: Sequence[str] = (),
    versions: Versions | None = None,
) -> dict[str, Any]:
    """The object after `manager` applied `patch` to `live` (None: it does not exist yet).

    `strip` names the fields, by dotted path, that this endpoint does not write (`status`). An apply
    that changes nothing returns an object equal to `live`. Raises a StatusError: 400 for a
    configuration that can't be read, 409 for fields of others unless `force`.
    """
    wanted = _configuration(patch, schema, api_version, strip)
    bare, entries = _taken_apart(live or {})
    if live is not None and not entries:
        found = exclude(compare(unset(schema), bare, schema).written, from_names(strip))
        entries = _before_first_apply(_without_unowned(found), api_version, time)
    self = Entry(manager or "unknown", "Apply", api_version, subresource, time, {})
    last = next((entry for entry in entries if entry.identity == self.identity), None)
    others = [entry for entry in entries if entry is not last]
    fields = from_object(wanted, schema)
    owned = _without_unowned(fields)
    merged = merge(bare, wanted, schema)
    claims = [replace(self, fields=fields), *others]
    if last is not None and last.fields != owned:
        foreign = any(item.api_version != api_version for item in (last, *others))
        if versions is not None and foreign:
            merged = pruned_across(merged, last, claims, versions)
        else:
            merged = _pruned(merged, last.fields, [item.fields for item in claims], schema)
    changes = Compared(compare(bare, merged, schema), bare, merged, api_version, versions)
    if not force:
        _refuse_conflicts(others, changes)
    unchanged = merged == bare and not changes.here.written and last is not None
    if last is not None and unchanged and (last.fields, last.api_version) == (owned, api_version):
        self = last
    entries = _shrunk(others, changes) + [replace(self, fields=owned)]
    return _with_entries(merged, [entry for entry in entries if entry.fields])


def _configuration(
    patch: Mapping[str, Any], schema: Schema, api_version: str, strip: Iterable[str]
) -> dict[str, Any]:
    """`patch`, checked, without what can't be applied."""
    version = patch.get("apiVersion", "")
    if version != api_version:
        raise bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {api_version}"
        )
    check(patch, schema, f"{api_version}, Kind={patch.get('kind', '')}")
    metadata = patch.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    if metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    wanted = without_nulls(dict(patch), schema)
    if metadata:
        names = wanted["metadata"].items()
        wanted["metadata"] = {name: item for name, item in names if name not in SERVER_SET}
    for path in strip:
        wanted = _without(wanted, path.split("."))
    return wanted


def _without(value: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    name, *rest = path
    if name not in value:
        return value
    below = value[name]
    if not rest:
        return {key: item for key, item in value.items() if key != name}
    if not isinstance(below, dict):
        return value
    return {**value, name: _without(below, rest)}


def _taken_apart(obj: Mapping[str, Any]) -> tuple[dict[str, Any], list[Entry]]:
    """`obj` without its managedFields, and these."""
    metadata = obj.get("metadata") or {}
    raw = metadata.get("managedFields")
    bare = dict(obj)
    if raw is None and "managedFields" not in metadata:
        return bare, []
    bare["metadata"] = {key: item for key, item in metadata.items() if key != "managedFields"}
    return bare, decode(raw or ())


def _with_entries(bare: Mapping[str, Any], entries: Sequence[Entry]) -> dict[str, Any]:
    if not entries:
        return dict(bare)
    return {**bare, "metadata": {**(bare.get("metadata") or {}), "managedFields": encode(entries)}}


def _before_first_apply(fields: FieldSet, api_version: str, time: str) -> list[Entry]:
    """The owner of what an untracked object has when it is first applied to."""
    return [Entry(BEFORE_FIRST_APPLY, "Update", api_version, "", time, fields)] if fields else []


def _without_unowned(fields: FieldSet) -> FieldSet:
    """`fields` less the type and the metadata that no writer owns."""
    owned = {key: node for key, node in fields.items() if key not in ("f:apiVersion", "f:kind")}
    if "f:metadata" in owned:
        metadata = owned["f:metadata"].items()
        owned["f:metadata"] = {key: node for key, node in metadata if key not in _UNOWNED}
        if not owned["f:metadata"]:
            del owned["f:metadata"]
    return owned


def _pruned(
    merged: dict[str, Any], last: FieldSet, claims: Iterable[FieldSet], schema: Schema
) -> dict[str, Any]:
    """`merged` without the fields of `last` that nobody claims any more."""
    kept: FieldSet = {"f:metadata": {}}  # which stays though a configuration may not mention it
    for fields in claims:
        kept = union(kept, fields)
    if not difference(last, kept):
        return merged
    pruned: dict[str, Any] = prune(merged, last, kept, schema)
    return pruned


def _refuse_conflicts(others: Iterable[Entry], changes: Compared) -> None:
    clashes = [
        (entry, list(paths(shared)))
        for entry in sorted(others, key=lambda entry: entry.identity)
        if (shared := intersection(entry.fields, changes.of(entry).written))
    ]
    if not clashes:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {entry}", "field": path}
        for entry, fields in clashes
        for path in fields
    ]
    if len(causes) == 1:
        told = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = [
            line
            for entry, fields in clashes
            for line in (f"conflicts with {entry}:", *(f"- {path}" for path in fields))
        ]
        told = "\n".join([f"{len(causes)} conflicts: {lines[0]}", *lines[1:]])
    raise StatusError(409, "Conflict", f"Apply failed with {told}", details={"causes": causes})


def _shrunk(entries: Iterable[Entry], changes: Compared) -> list[Entry]:
    """`entries` without what the write of another changed; empty ones go."""
    if changes.nothing:
        return list(entries)
    left: list[Entry] = []
    for entry in entries:
        there = changes.of(entry)
        fields = difference(difference(entry.fields, there.written), there.removed)
        if fields:
            left.append(replace(entry, fields=fields))
    return left


def track_update(
    live: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    *,
    manager: str,
    schema: Schema,
    api_version: str,
    time: str,
    subresource: str = "",
    strip: Sequence[str] = (),
    versions: Versions | None = None,
) -> dict[str, Any]:
    """`new`, as a create, update or patch leaves it, with the managedFields that follow from it.

    `live` is the object before the write (None on create). An object that nobody tracks, or whose
    writer reset its managedFields (`[]` or `[{}]`), has none until it is first applied to.
    """
    bare, sent = _sent(new)
    before, known = _taken_apart(live or {})
    entries = _basis(sent, known, live, subresource)
    if live is not None and not entries:
        return bare
    if live is None:
        before = unset(schema)
    changes = _stripped(compare(before, bare, schema), strip)
    seen = versions if live is not None else None
    cut = partial(_stripped, strip=strip)
    compared = Compared(changes, before, bare, api_version, seen, cut, lenient=True)
    entries = _shrunk(entries, compared)
    written = _without_unowned(changes.written)
    if written:
        entries = _credited(
            entries, Entry(manager or "unknown", "Update", api_version, subresource, time, written)
        )
    return _with_entries(bare, capped(entries))


def _sent(new: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    metadata = new.get("metadata") or {}
    if "managedFields" not in metadata:
        return dict(new), None
    rest = {key: item for key, item in metadata.items() if key != "managedFields"}
    return {**new, "metadata": rest}, metadata["managedFields"]


def _basis(
    sent: Any, known: list[Entry], live: Mapping[str, Any] | None, subresource: str
) -> list[Entry]:
    """The entries to go on from: the writer's, if it sent any and has a say in them.

    Writers that know nothing of managedFields must not delete them by leaving them out.
    """
    stored = (live or {}).get("metadata", {}).get("managedFields")
    if sent is None or subresource or sent == stored:
        return known
    if sent in ([], [{}]):
        return []
    return decode_foreign(sent) or known


def _stripped(changes: Changes, strip: Sequence[str]) -> Changes:
    if not strip:
        return changes
    cut = from_names(strip)
    return Changes(exclude(changes.written, cut), exclude(changes.removed, cut))


def _credited(entries: Sequence[Entry], self: Entry) -> list[Entry]:
    """`entries` with the fields of `self` added to those that it had."""
    others: list[Entry] = []
    for entry in entries:
        if entry.identity == self.identity:
            self = replace(self, fields=union(entry.fields, self.fields))
        else:
            others.append(entry)
    return [*others, self]
