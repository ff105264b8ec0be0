"""watch: changes from a revision on, as a stream of JSON lines.

A watch reads what the store has for it in handfuls and sends each handful in one piece; then it
sleeps until there is more. What many watches see they share (`frames`). One that reads too slowly
is overtaken by the store's history and ends with 410, so it holds no memory but its place.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from argosy.apiserver.form import form_of
from argosy.apiserver.frames import EventType
from argosy.apiserver.listoptions import check_watch
from argosy.apiserver.objects import Objects, encoded
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.read import matcher, seen
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, expired
from argosy.http.message import Response
from argosy.store.interface import Change, CompactedError, Record, Store, Watch

BOOKMARK_SECONDS = 60.0
"""So often the client is told how far it has come, if that is farther than its last event."""
LONGEST = 3600.0
"""Seconds after which the server ends a watch by itself."""
PIECE = 256 * 1024
"""Bytes of initial events that are sent in one piece, give or take one."""


async def watch(objects: Objects, call: Call) -> Response:
    """Changes of a collection, or of one object."""
    check_watch(call.query)
    view = _View(objects, call)
    after = seen(objects, call)
    initial = call.flag("sendInitialEvents") if "sendInitialEvents" in call.query else not after
    # The objects of this moment, although they are sent later, and asked for again where others'
    # answers are waited for.
    now = call.answers.once("since", lambda: objects.store.revision)
    since = now if initial or not after else after
    records = _records(objects.store, view.prefix, now) if initial else []
    first = view.initial(records, since if call.flag("sendInitialEvents") else None)
    timeout = min(call.number("timeoutSeconds") or LONGEST, LONGEST)
    headers = {"content-type": "application/json"}
    return Response(200, headers, _stream(objects, view, first, since, timeout))


def _records(store: Store, prefix: str, revision: int) -> list[Record]:
    if store.revision == revision:
        return store.list(prefix)
    return store.page(prefix, revision=revision).records


async def _stream(
    objects: Objects, view: "_View", first: Iterator[bytes], since: int, timeout: float
) -> AsyncGenerator[bytes, None]:
    for piece in first:
        yield piece
    changes = objects.store.watch(view.prefix, since)
    alarm = _Alarm(objects.clock, changes, timeout)
    told = since
    try:
        while True:
            batch = changes.ready()
            if batch and not view.current:
                return  # its definition has changed: what came is to be seen as it says now
            if batch:
                if lines := view.lines(batch):
                    told = batch[-1].revision
                    yield lines
                else:
                    await asyncio.sleep(0)  # however much there is to pass over: others' turn
            if alarm.rang and not alarm.over:
                alarm.set()
                if view.bookmarks and changes.revision > told:
                    told = changes.revision
                    yield view.bookmark(told)
            if alarm.over or not await changes.more():
                return
    except (CompactedError, StatusError) as error:
        yield _failure(error, since)
    finally:
        alarm.stop()


def _failure(error: CompactedError | StatusError, since: int) -> bytes:
    """What a watch ends with."""
    if isinstance(error, CompactedError):
        error = expired(f"too old resource version: {since} ({error.oldest})")
    return msgspec.json.encode({"type": "ERROR", "object": error.status()}) + b"\n"


class _Alarm:
    """Wakes a watch for its bookmarks, and at its end."""

    def __init__(self, clock: Clock, changes: Watch, timeout: float) -> None:
        self._clock = clock
        self._changes = changes
        self._deadline = clock.monotonic() + timeout
        self.set()

    @property
    def over(self) -> bool:
        """Whether the watch has lasted as long as it may."""
        return self._clock.monotonic() >= self._deadline

    def set(self) -> None:
        """Ring again after a while."""
        self.rang = False
        left = self._deadline - self._clock.monotonic()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(left, BOOKMARK_SECONDS), self._ring)

    def stop(self) -> None:
        """Never ring again."""
        self._timer.cancel()

    def _ring(self) -> None:
        self.rang = True
        self._changes.nudge()


class _View:
    """How one client sees changes: through its selectors, and in the form that it asks for."""

    def __init__(self, objects: Objects, call: Call) -> None:
        self._objects = objects
        self._served = call.target.served
        self._resource = self._served.resource
        self._matches = matcher(call, objects.frames.decoded)
        self._form = form_of(call.request)
        self._shared = objects.frames.of(self._resource, self._form)
        self._headed = self._form.headed
        self.bookmarks = call.flag("allowWatchBookmarks")
        self.prefix = call.target.key

    @property
    def current(self) -> bool:
        """Whether its kind is served as it was when the watch began."""
        return self._served.current

    def initial(self, records: Iterable[Record], revision: int | None) -> Iterator[bytes]:
        """The objects, as added, in pieces; with `revision`, there is a bookmark at their end."""
        lines: list[bytes] = []
        size = 0
        for record in records:
            if self._matches is None or self._matches(record.value):
                lines.append(self._line("ADDED", record.value))
                size += len(lines[-1])
            if size >= PIECE:
                yield b"".join(lines)
                lines, size = [], 0
        if revision is not None:
            lines.append(self.bookmark(revision, initial=True))
        if lines:
            yield b"".join(lines)

    def lines(self, changes: Sequence[Change]) -> bytes:
        """What the client is told of `changes`; empty where it sees none of them."""
        if self._matches is None and not self._headed:
            return self._shared.joined(changes, lambda: self._joined(changes))
        return self._joined(changes)

    def _joined(self, changes: Sequence[Change]) -> bytes:
        lines = [line for change in changes if (line := self._event(change)) is not None]
        return lines[0] if len(lines) == 1 else b"".join(lines)

    def _event(self, change: Change) -> bytes | None:
        before = change.previous is not None and self._sees(change.previous)
        after = change.value is not None and self._sees(change.value)
        if not before and not after:
            return None
        kind: EventType = "DELETED" if not after else "MODIFIED" if before else "ADDED"
        if self._headed:
            return self._line(kind, _shown(kind, change))
        return self._shared.line(
            change.revision, kind, lambda: self._turned(_shown(kind, change), headed=False)
        )

    def _sees(self, value: bytes) -> bool:
        return self._matches is None or self._matches(value)

    def bookmark(self, revision: int, *, initial: bool = False) -> bytes:
        """How far the client has come; `initial`: these were the initial objects."""
        meta: dict[str, Any] = {"resourceVersion": str(revision)}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        body: dict[str, Any] = {
            "kind": self._resource.kind,
            "apiVersion": self._resource.api_version,
            "metadata": meta,
        }
        return self._line("BOOKMARK", msgspec.json.encode(body))

    def _line(self, kind: str, value: bytes) -> bytes:
        turned = self._turned(value, headed=self._headed)
        self._headed = False
        return b'{"type":"%b","object":%b}\n' % (kind.encode(), turned)

    def _turned(self, value: bytes, *, headed: bool) -> bytes:
        if self._form.plain:
            return value
        return self._form.one(self._resource, value, self._objects.clock.now(), headed=headed)


def _shown(kind: EventType, change: Change) -> bytes:
    """The object of an event: of one that is gone, how it was, with the revision of its end."""
    if kind != "DELETED":
        assert change.value is not None
        return change.value
    gone = change.value if change.value is not None else change.previous
    assert gone is not None
    return encoded(msgspec.json.decode(gone), change.revision)
