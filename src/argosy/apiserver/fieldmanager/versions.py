"""Ownership of fields in other versions than the one that is written.

An entry names its fields as its version has them. Where versions of a kind differ by more than
their name, what a write changed is looked at in the version of each entry, and what an apply takes
away is taken away in the version in which it was applied: unless somebody else holds it in theirs.
Source: structured-merge-diff's `merge.Updater`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.entries import Entry
from argosy.apiserver.fieldmanager.fieldset import FieldSet, difference, intersection, union
from argosy.apiserver.fieldmanager.merge import prune
from argosy.apiserver.fieldmanager.shape import Changes, compare, from_object
from argosy.base.errors import StatusError

Json = dict[str, Any]
HEAD: FieldSet = {"f:metadata": {}}
"""Which stays though a configuration may not mention it."""


class Versions(Protocol):
    """The versions of a kind; to look at an object in another may take an answer of others."""

    def shape(self, api_version: str) -> Schema | None:
        """The schema of a version; None for one that is not there."""
        ...

    def turned(self, obj: Json, api_version: str) -> Json:
        """An object in that version. Raises StatusError where it can't be had."""
        ...


@dataclass(slots=True)
class Compared:
    """What a write changed: `here` in its own version; elsewhere it is found out when asked for.

    Where that can't be found out and `lenient`, it is taken to be the same as here.
    """

    here: Changes
    before: Json
    after: Json
    api_version: str
    versions: Versions | None = None
    cut: Callable[[Changes], Changes] = lambda changes: changes
    lenient: bool = False
    _there: dict[str, Changes] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether it changed nothing."""
        return not self.here.written and not self.here.removed

    def of(self, entry: Entry) -> Changes:
        """The changes, as the version of an entry has them."""
        version, versions = entry.api_version, self.versions
        if versions is None or version == self.api_version or self.nothing:
            return self.here
        schema = versions.shape(version)
        if schema is None:
            return self.here
        if version not in self._there:
            self._there[version] = self._found(versions, version, schema)
        return self._there[version]

    def _found(self, versions: Versions, version: str, schema: Schema) -> Changes:
        try:
            before, after = (versions.turned(one, version) for one in (self.before, self.after))
        except StatusError:
            if self.lenient:
                return self.here
            raise
        return self.cut(compare(before, after, schema))


def pruned_across(merged: Json, last: Entry, claims: Iterable[Entry], versions: Versions) -> Json:
    """`merged` without the fields of `last` that nobody claims any more, in whatever version."""
    schema = versions.shape(last.api_version)
    held = _by_version(claims)
    kept = union(HEAD, held.pop(last.api_version, {}))
    if schema is None or not difference(last.fields, kept):
        return merged
    whole = versions.turned(merged, last.api_version)
    left: Json = prune(whole, last.fields, kept, schema)
    for version, owned in held.items():
        left = _given_back(merged, left, owned, version, versions)
    # A structure that went with its last field took what is nobody's with it. If it came back for
    # somebody else's, so does that: nothing goes that was not applied.
    there = from_object(left, schema)
    lost = intersection(difference(from_object(whole, schema), there), last.fields)
    left = prune(whole, lost, union(HEAD, there), schema)
    return versions.turned(left, str(merged["apiVersion"]))


def _by_version(claims: Iterable[Entry]) -> dict[str, FieldSet]:
    held: dict[str, FieldSet] = {}
    for entry in claims:
        held[entry.api_version] = union(held.get(entry.api_version, {}), entry.fields)
    return held


def _given_back(
    merged: Json, left: Json, owned: FieldSet, version: str, versions: Versions
) -> Json:
    """`left` with what was lost of the fields that are owned in a version."""
    schema = versions.shape(version)
    if schema is None:
        return left
    before, after = versions.turned(merged, version), versions.turned(left, version)
    there = from_object(after, schema)
    lost = difference(from_object(before, schema), there)
    if not intersection(lost, owned):
        return left
    whole: Json = prune(before, lost, union(there, owned), schema)
    return versions.turned(whole, str(left["apiVersion"]))
