"""The kinds that users define, as they are right now.

What there is stands in the store, as definitions. They are read there whenever somebody asks for
what is not built in: what was written since the last time is read then, so that a kind is there
with the answer to its definition's creation, and nothing runs in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from argosy.api.builtin import Builtins
from argosy.api.extensions.definition import Names, WholeDefinition
from argosy.api.resource import Resource
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.apiserver.catalog import Served
from argosy.apiserver.extensions.definitions import Definitions
from argosy.store.interface import Change, CompactedError, Record, Store, Watch

if TYPE_CHECKING:
    from argosy.apiserver.extensions.served import Custom

PREFIX = CUSTOM_RESOURCE_DEFINITION.key()
_definitions = msgspec.json.Decoder(WholeDefinition)


@dataclass
class CustomKinds:
    """Follows the definitions in `store`; `built_in` are the kinds that nobody can replace."""

    store: Store
    definitions: Builtins
    built_in: tuple[Resource, ...]
    _edition: int = field(default=1, init=False)
    _kinds: dict[str, "_Kind"] = field(default_factory=dict, init=False)
    _by_path: dict[tuple[str, str, str], "Custom"] = field(default_factory=dict, init=False)
    _watch: Watch | None = field(default=None, init=False)
    _all: "tuple[Custom, ...] | None" = field(default=None, init=False)

    @property
    def edition(self) -> int:
        """A number that changes whenever kinds come, go or change."""
        self._follow()
        return self._edition

    @property
    def all(self) -> "tuple[Custom, ...]":
        """All that are served now."""
        self._follow()
        if self._all is None:
            ordered = sorted(self._kinds.items())
            self._all = tuple(item for _, kind in ordered for item in kind.served)
        return self._all

    def find(self, group: str, version: str, plural: str) -> "Custom | None":
        """The kind at that path."""
        self._follow()
        return self._by_path.get((group, version, plural))

    def of_definitions(self, served: Served) -> Served:
        """How definitions are served: with an eye on each other's names."""
        return Definitions(
            served.resource,
            served.storage,
            served.definitions,
            None,
            served.gates,
            served.older,
            others=self.names,
        )

    def names(self, group: str, besides: str) -> Iterator[Names]:
        """The names that others than the kind `besides` have in a group."""
        self._follow()
        for kind in self._kinds.values():
            if kind.group == group and kind.name != besides:
                yield kind.names
        for resource in self.built_in:
            if resource.group == group and resource.qualified != besides:
                yield Names(
                    plural=resource.plural,
                    singular=resource.singular,
                    kind=resource.kind,
                    list_kind=resource.list_kind,
                    short_names=resource.short_names,
                )

    def _follow(self) -> None:
        """Read what was written since the last time."""
        watch = self._watch
        if watch is None:
            self._begin()
            return
        try:
            while watch.revision < self.store.revision:
                for change in watch.ready():
                    self._take(change)
        except CompactedError:
            self._begin()

    def _begin(self) -> None:
        """Read all there is."""
        self._kinds.clear()
        self._watch = self.store.watch(PREFIX, self.store.revision)
        for record in self.store.list(PREFIX):
            self._put(record, changed=True)
        self._renewed()

    def _take(self, change: Change) -> None:
        if change.value is None:
            self._kinds.pop(change.key, None)
        else:
            self._put(Record(change.key, change.value, change.revision), changed=False)
        self._renewed()

    def _put(self, record: Record, *, changed: bool) -> None:
        """Note a definition; `changed`: nobody knows when its schemas last did."""
        whole = _definitions.decode(record.value)
        known = self._kinds.get(record.key)
        generation = whole.metadata.generation
        since = 0
        if known is not None and known.uid == whole.metadata.uid:
            since = known.since if known.generation == generation else record.revision
        elif changed and generation > 1:
            since = record.revision
        facts = (generation, whole.established, whole.ending, whole.status)
        same = known is not None and known.uid == whole.metadata.uid and known.facts == facts
        self._kinds[record.key] = _Kind(
            name=whole.metadata.name,
            group=whole.spec.group,
            uid=whole.metadata.uid,
            names=whole.status.accepted_names,
            generation=generation,
            since=since,
            facts=facts,
            served=known.served if same and known else self._served(whole, since, known),
        )

    def _served(
        self, whole: WholeDefinition, since: int, known: "_Kind | None"
    ) -> "tuple[Custom, ...]":
        """Its versions; schemas that were compiled already stay so while nothing changes them.

        A kind that is built in has none, in no version: it is what it is.
        """
        if any(resource.qualified == whole.metadata.name for resource in self.built_in):
            return ()
        # Schemas are read by much that a server without such kinds never needs.
        from argosy.apiserver.extensions.served import served_of

        compiled = {}
        if known is not None and since == known.since:
            compiled = {item.resource.version: item.schemas for item in known.served}
        return tuple(served_of(whole, self.definitions, since, compiled, self.find))

    def _renewed(self) -> None:
        self._edition += 1
        self._all = None
        self._by_path = {
            (item.resource.group, item.resource.version, item.resource.plural): item
            for kind in self._kinds.values()
            for item in kind.served
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What is remembered of a definition."""

    name: str
    group: str
    uid: str
    names: Names
    generation: int
    since: int
    facts: object
    served: "tuple[Custom, ...]"
