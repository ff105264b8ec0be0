"""Versions of a kind: one object in the store, seen by each client as of the version it asks for.

`Converted` is the store as such a client sees it; the verbs know nothing of it. Versions of the
same shape differ in `apiVersion` alone. Events have other names for their fields in events.k8s.io
than in the core group, where they are stored. Managed fields stay as they were written: each entry
names the version that it speaks of. HorizontalPodAutoscalers have another shape in autoscaling/v1:
of them `Shaped` knows who owns what in which version.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec

from argosy.api.autoscaling_v1 import as_v1, as_v2
from argosy.api.resource import Resource
from argosy.api.resources.control import NEW_EVENT
from argosy.api.resources.core import EVENT
from argosy.api.resources.workloads import HORIZONTAL_POD_AUTOSCALER, OLD_AUTOSCALER
from argosy.api.schema import Definitions, Schema
from argosy.apiserver.fieldmanager.versions import Versions
from argosy.store.interface import DELETE, Change, Mutation, Page, Record, Store, Watch

Json = dict[str, Any]
Turn = Callable[[Json], Json]
EVENT_FIELDS: Mapping[str, str] = {
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "involvedObject": "regarding",
    "lastTimestamp": "deprecatedLastTimestamp",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
}
"""The names that differ: in core/v1, in events.k8s.io/v1."""


def _renamed(names: Mapping[str, str]) -> Turn:
    return lambda obj: {names.get(name, name): item for name, item in obj.items()}


TURNED: Mapping[tuple[Resource, Resource], Turn] = {
    (EVENT, NEW_EVENT): _renamed(EVENT_FIELDS),
    (NEW_EVENT, EVENT): _renamed({new: old for old, new in EVENT_FIELDS.items()}),
    (HORIZONTAL_POD_AUTOSCALER, OLD_AUTOSCALER): as_v1,
    (OLD_AUTOSCALER, HORIZONTAL_POD_AUTOSCALER): as_v2,
}
"""From one resource to another, where more than `apiVersion` differs."""
SHAPES: Mapping[str, tuple[Resource, ...]] = {
    HORIZONTAL_POD_AUTOSCALER.key(): (HORIZONTAL_POD_AUTOSCALER, OLD_AUTOSCALER),
}
"""By the store's prefix of a kind: its versions, where they have other shapes."""


def convert(value: bytes, old: Resource, new: Resource) -> bytes:
    """The object `value`, which is an `old`, as a `new`."""
    turn = TURNED.get((old, new))
    head = f'{{"apiVersion":"{old.api_version}",'.encode()
    if turn is None and value.startswith(head):
        return f'{{"apiVersion":"{new.api_version}",'.encode() + value[len(head) :]
    obj: Json = msgspec.json.decode(value)
    turned = obj if turn is None else turn(obj)
    return msgspec.json.encode({**turned, "apiVersion": new.api_version})


@dataclass(frozen=True, slots=True)
class Converted:
    """`store`, for a client that speaks `version` of what is stored as `stored`."""

    store: Store
    stored: Resource
    version: Resource

    @property
    def revision(self) -> int:
        """The store's."""
        return self.store.revision

    @property
    def versions(self) -> Versions | None:
        """What tells ownership in one version from that in another; None where names are alike."""
        return None

    @property
    def commit_seconds(self) -> float:
        """The store's."""
        return self.store.commit_seconds

    def hasten(self, wanted: Callable[[], bool]) -> None:
        """The store's."""
        self.store.hasten(wanted)

    def get(self, key: str) -> Record | None:
        """The record, converted if it is of the kind: admission looks at others too."""
        record = self.store.get(key)
        if record is None or not key.startswith(self.stored.key()):
            return record
        return self._out(record)

    def list(self, prefix: str) -> list[Record]:
        """The records, converted if they are of the kind."""
        records = self.store.list(prefix)
        if not prefix.startswith(self.stored.key()):
            return records
        return [self._out(record) for record in records]

    def page(
        self, prefix: str, *, start_after: str = "", limit: int = 0, revision: int | None = None
    ) -> Page:
        """A piece of the list, converted."""
        page = self.store.page(prefix, start_after=start_after, limit=limit, revision=revision)
        return replace(page, records=[self._out(record) for record in page.records])

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        """A write: `mutate` sees and gives converted objects."""

        def converted(record: Record | None, revision: int) -> bytes | object | None:
            outcome = mutate(None if record is None else self._out(record), revision)
            if outcome is None or outcome is DELETE:
                return outcome
            return self.inwards(cast(bytes, outcome))

        written = await self.store.write(key, converted)
        return None if written is None else self._out(written)

    def watch(self, prefix: str, after: int) -> Watch:
        """The changes, converted."""
        return _Watch(self.store.watch(prefix, after), self)

    def compact(self, keep_after: int) -> None:
        """As the store does it."""
        self.store.compact(keep_after)

    async def close(self) -> None:
        """As the store does it."""
        await self.store.close()

    def outwards(self, value: bytes, revision: int) -> bytes:
        """A stored value of that revision, converted."""
        return convert(value, self.stored, self.version)

    def inwards(self, value: bytes) -> bytes:
        """A client's value, as it is stored."""
        return convert(value, self.version, self.stored)

    def _out(self, record: Record) -> Record:
        return replace(record, value=self.outwards(record.value, record.revision))


@dataclass(frozen=True, slots=True)
class Shapes:
    """The versions of a kind that have other shapes."""

    known: Mapping[str, Resource]
    definitions: Definitions

    def shape(self, api_version: str) -> Schema | None:
        """The schema of a version; None for one that is not there."""
        found = self.known.get(api_version)
        return None if found is None else self.definitions(found.definition)

    def turned(self, obj: Json, api_version: str) -> Json:
        """An object in that version."""
        old, new = self.known.get(str(obj.get("apiVersion"))), self.known[api_version]
        turn = None if old is None else TURNED.get((old, new))
        return obj if turn is None else turn(obj)


@dataclass(frozen=True, slots=True)
class Shaped(Converted):
    """`store`, where versions have other shapes; `stored` and `version` may be the same."""

    definitions: Definitions

    @property
    def versions(self) -> Versions | None:
        """What tells ownership in one version from that in another."""
        known = {one.api_version: one for one in SHAPES[self.stored.key()]}
        return Shapes(known, self.definitions)

    def outwards(self, value: bytes, revision: int) -> bytes:
        """A stored value, converted."""
        same = self.stored is self.version
        return value if same else convert(value, self.stored, self.version)

    def inwards(self, value: bytes) -> bytes:
        """A client's value, as it is stored."""
        return value if self.stored is self.version else convert(value, self.version, self.stored)


@dataclass(slots=True)
class _Watch:
    """A watch whose objects are converted."""

    changes: Watch
    store: Converted

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        return self._out(await anext(self.changes))

    def ready(self) -> Sequence[Change]:
        """The watch's, converted."""
        return [self._out(change) for change in self.changes.ready()]

    async def more(self) -> bool:
        """As the watch."""
        return await self.changes.more()

    def nudge(self) -> None:
        """As the watch."""
        self.changes.nudge()

    def _out(self, change: Change) -> Change:
        turned = [
            None if value is None else self.store.outwards(value, change.revision)
            for value in (change.value, change.previous)
        ]
        return replace(change, value=turned[0], previous=turned[1])

    @property
    def revision(self) -> int:
        """The watch's."""
        return self.changes.revision
