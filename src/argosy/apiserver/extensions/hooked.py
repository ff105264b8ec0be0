"""The store as a client of one version sees it, where a webhook converts versions.

Inside the verbs nothing waits: an answer that isn't there yet ends the attempt (see `answers`), and
what a call has read stays as it was read, so that the next attempt finds all that it needs. Watches
wait for themselves: what came is converted before it is told of. Objects that are stored in the
version that is asked for are passed on, and so are objects of other kinds. Where all of them are
(the plan is `plain`), only who owns which field is a question of versions.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec

from argosy.api.schema import Schema
from argosy.apiserver.answers import Answers, Ask
from argosy.apiserver.extensions.conversions import Conversions, Hook, State
from argosy.apiserver.extensions.review import restored
from argosy.apiserver.extensions.view import View, version_of
from argosy.apiserver.fieldmanager.versions import Versions
from argosy.apiserver.objects import encoded
from argosy.base.errors import StatusError
from argosy.store.interface import DELETE, Change, Mutation, Page, Record, Watch

Json = dict[str, Any]
Records = list[Record]
Changes = list[Change]
Known = dict[State, bytes]
CHANGING = frozenset({"resourceVersion", "managedFields", "creationTimestamp", "deletionTimestamp"})
"""Metadata that differs from attempt to attempt, and that no webhook has a say in."""


class _Meta(msgspec.Struct):
    resource_version: str = msgspec.field(default="0", name="resourceVersion")


class _Head(msgspec.Struct):
    metadata: _Meta


_heads = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Hooked(View):
    """`store` for a call, in one version; `answers` are the call's."""

    hook: Hook
    answers: Answers
    conversions: Conversions

    @property
    def _wanted(self) -> str:
        return self.version.api_version

    def get(self, key: str) -> Record | None:
        """The record; one that has to be converted stays as it was first seen."""
        record = self.store.get(key)
        if record is None or self.plan.plain:
            return record
        if not self._foreign(record):
            return self._passed(record)
        first = self.answers.once(f"get {key}", lambda: record)
        return self._all([first], f"get {key}")[0]

    def list(self, prefix: str) -> Records:
        """The records, converted."""
        records = self.store.list(prefix)
        return records if self.plan.plain else self._all(records, f"list {prefix}")

    def page(
        self, prefix: str, *, start_after: str = "", limit: int = 0, revision: int | None = None
    ) -> Page:
        """A piece of the list, converted, as it was when the call first asked for it."""
        name = f"page {prefix} {start_after}"
        if revision is None and not self.plan.plain:
            revision = self.answers.once(name, lambda: self.store.revision)
        page = self.store.page(prefix, start_after=start_after, limit=limit, revision=revision)
        if self.plan.plain:
            return page
        return replace(page, records=self._all(page.records, name))

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        """A write. What was stored in an older version is stored in today's, changed or not."""
        if self.plan.plain:
            return await self.store.write(key, mutate)
        shown: bytes | None = None

        def turned(record: Record | None, revision: int) -> bytes | object | None:
            nonlocal shown
            seen = None if record is None else self._all([record], f"write {key}")[0]
            shown = None if seen is None else seen.value
            outcome = mutate(seen, revision)
            if outcome is None and record is not None and seen is not None:
                if version_of(record.value) != self.stored.api_version:
                    outcome = encoded(msgspec.json.decode(seen.value), revision)
            if outcome is None or outcome is DELETE:
                return outcome
            stored, shown = self._stored(key, cast(bytes, outcome))
            return stored

        written = await self.store.write(key, turned)
        if written is None or shown is None:
            return written
        if version_of(written.value) != self._wanted:
            self.conversions.keep(self.hook.state(written, self._wanted), shown)
        return replace(written, value=shown)

    def watch(self, prefix: str, after: int) -> Watch:
        """The changes, converted ahead."""
        changes = self.store.watch(prefix, after)
        return changes if self.plan.plain else Turning(changes, self)

    def outwards(self, value: bytes, revision: int) -> bytes:
        """An object that is stored in the version that is asked for, in its newest form."""
        if revision > self.plan.since:
            return value
        return msgspec.json.encode(self.hook.filled(value))

    def _passed(self, record: Record) -> Record:
        """A record that no webhook needs to convert."""
        ours = record.key.startswith(self.stored.key())
        if not ours or record.revision > self.plan.since:
            return record
        value = self.outwards(record.value, record.revision)
        return Record(record.key, value, record.revision)

    def _foreign(self, record: Record) -> bool:
        """Whether only the webhook can convert it."""
        if record.value.startswith(f'{{"apiVersion":"{self._wanted}"'.encode()):
            return False
        ours = record.key.startswith(self.stored.key())
        return ours and version_of(record.value) != self._wanted

    def _all(self, records: Sequence[Record], asker: str) -> Records:
        """The records, converted. Raises Unanswered."""
        mine: Known = self.answers.once("conversions", dict)
        turned: Records = []
        missing: Records = []
        for record in records:
            if not self._foreign(record):
                turned.append(self._passed(record))
                continue
            state = self.hook.state(record, self._wanted)
            known = mine.get(state) or self.conversions.known(state)
            if known is None:
                missing.append(record)
            else:
                mine[state] = known  # others' answers may be forgotten before the next attempt
                turned.append(Record(record.key, known, record.revision))

        async def ask() -> None:
            mine.update(await self.conversions.all(self.hook, self._wanted, missing))

        if missing:
            about = tuple((record.key, record.revision) for record in missing)
            self.answers.need(Ask(f"conversion {self._wanted} {asker}", about, ask))
        return turned

    def _stored(self, key: str, outcome: bytes) -> tuple[bytes, bytes]:
        """What a client writes as it is stored, and as it is seen then. Raises Unanswered."""
        if self._wanted == self.stored.api_version:
            return outcome, outcome
        obj: Json = msgspec.json.decode(outcome)
        inside = self._turned(f"{key} in", obj, self.stored.api_version)
        back = self._turned(f"{key} out", inside, self._wanted)
        return msgspec.json.encode(inside), msgspec.json.encode(back)

    @property
    def versions(self) -> Versions:
        """Itself: its versions may name the same field differently."""
        return self

    def shape(self, api_version: str) -> Schema | None:
        """The schema of a version of the kind; None for one that it hasn't."""
        form = self.hook.forms.get(api_version)
        return None if form is None else form.shape

    def turned(self, obj: Json, api_version: str) -> Json:
        """An object of the call in that version. Raises Unanswered, or StatusError."""
        if obj["apiVersion"] == api_version:
            return obj
        return self._turned("", obj, api_version)

    def _turned(self, asker: str, obj: Json, wanted: str) -> Json:
        """An object in another version. Raises Unanswered, or StatusError for no good answer.

        An asker that is named may ask so often only: see `answers`.
        """
        meta: Json = obj["metadata"]
        lasting = {name: item for name, item in meta.items() if name not in CHANGING}
        about = msgspec.json.encode({**obj, "metadata": lasting})
        sent = {name: item for name, item in meta.items() if name != "resourceVersion"}

        async def ask() -> Json | StatusError:
            objects = [{**obj, "metadata": sent}]
            try:
                return (await self.conversions.turned(self.hook, wanted, objects))[0]
            except StatusError as error:
                return error  # whoever needs it says whether they can do without

        named = f"conversion {wanted} {asker or hash(about)}"
        found: Json | StatusError = self.answers.need(Ask(named, about, ask))[0]
        if isinstance(found, StatusError):
            raise found
        return {**found, "metadata": restored(meta, found["metadata"])}

    async def changed(self, changes: Sequence[Change]) -> Changes:
        """Changes, converted. Raises StatusError 500."""
        records = [record for change in changes for record in _records(change)]
        foreign = [record for record in records if self._foreign(record)]
        known: Known = {}
        if foreign:
            known = await self.conversions.all(self.hook, self._wanted, foreign)
        return [self._change(change, known) for change in changes]

    def _change(self, change: Change, known: Known) -> Change:
        turned = [self._given(record, known) for record in _records(change)]
        value = None if change.value is None else turned[0]
        previous = None if change.previous is None else turned[-1]
        return replace(change, value=value, previous=previous)

    def _given(self, record: Record, known: Known) -> bytes:
        """A record's object, converted: by the webhook if `known` has it."""
        if not self._foreign(record):
            return self._passed(record).value
        return known[self.hook.state(record, self._wanted)]


def _records(change: Change) -> Iterable[Record]:
    """What was written, and what it replaced: of this only the object itself tells the revision."""
    if change.value is not None:
        yield Record(change.key, change.value, change.revision)
    if change.previous is not None:
        known = _heads.decode(change.previous).metadata.resource_version
        yield Record(change.key, change.previous, int(known) if known.isdigit() else 0)


@dataclass(slots=True)
class Turning:
    """A watch whose changes are converted in `more`, in order; `ready` has those that are."""

    changes: Watch
    view: Hooked
    _came: Sequence[Change] = ()
    _done: list[Change] = field(default_factory=list)
    _before: int = 0

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while not self._done:
            if not await self.more():
                raise StopAsyncIteration
        return self._done.pop(0)

    def ready(self) -> Sequence[Change]:
        """The changes that are converted."""
        done, self._done = self._done, []
        return done

    async def more(self) -> bool:
        """Wait for changes, and for their conversion. Raises StatusError where that fails.

        What came stays until it is converted, so that the wait may be cancelled.
        """
        if self._done:
            return True
        if not self._came:
            self._before = self.changes.revision
            self._came = self.changes.ready()
            if not self._came:
                return await self.changes.more()
        self._done = await self.view.changed(self._came)
        self._came = ()
        return True

    def nudge(self) -> None:
        """As the watch; a question that is asked is waited for."""
        self.changes.nudge()

    @property
    def revision(self) -> int:
        """Up to where changes were handed out."""
        return self._before if self._came or self._done else self.changes.revision
