"""watch: changes from a revision on, as a stream of JSON lines."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from argosy.apiserver.negotiate import wants_table
from argosy.apiserver.objects import Objects, encoded
from argosy.apiserver.request import Call
from argosy.apiserver.table import table
from argosy.apiserver.verbs.read import Matcher, matcher, seen
from argosy.base.errors import expired
from argosy.http.message import Response
from argosy.store.interface import Change, CompactedError, Watch

BOOKMARK_SECONDS = 60.0
"""After so long without a change the client is told how far it has come."""
LONGEST = 3600.0
"""Seconds after which the server ends a watch by itself."""


async def watch(objects: Objects, call: Call) -> Response:
    """Changes of a collection, or of one object."""
    view = _View(objects, call)
    after = seen(objects, call)
    initial = call.flag("sendInitialEvents") if "sendInitialEvents" in call.query else not after
    first = view.initial() if initial else []
    since = objects.store.revision if initial or not after else after
    if call.flag("sendInitialEvents"):
        first.append(view.bookmark(since, initial=True))
    timeout = min(call.number("timeoutSeconds") or LONGEST, LONGEST)
    headers = {"content-type": "application/json"}
    return Response(200, headers, _stream(objects, view, first, since, timeout))


async def _stream(
    objects: Objects, view: "_View", first: list[bytes], since: int, timeout: float
) -> AsyncGenerator[bytes, None]:
    if first:
        yield b"".join(first)
    changes = objects.store.watch(view.prefix, since)
    clock = objects.clock
    deadline = clock.monotonic() + timeout
    marked = since
    try:
        while (left := deadline - clock.monotonic()) > 0:
            change = await _next(changes, min(left, BOOKMARK_SECONDS))
            if change is not None and (line := view.line(change)) is not None:
                yield line
            elif change is None and view.bookmarks and changes.revision > marked:
                marked = changes.revision
                yield view.bookmark(marked)
    except StopAsyncIteration:
        return
    except CompactedError as error:
        gone = expired(f"too old resource version: {since} ({error.oldest})")
        yield msgspec.json.encode({"type": "ERROR", "object": gone.status()}) + b"\n"


async def _next(changes: Watch, timeout: float) -> Change | None:
    """The next change; None when there is none in time. Raises StopAsyncIteration at the end."""
    try:
        async with asyncio.timeout(timeout):
            return await anext(changes)
    except TimeoutError:
        return None


class _View:
    """How one client sees changes: through its selectors, as objects or as tables."""

    def __init__(self, objects: Objects, call: Call) -> None:
        self._objects = objects
        self._resource = call.target.served.resource
        self._matches: Matcher | None = matcher(call)
        self._as_table = wants_table(call.request)
        self._include = call.query.get("includeObject", "")
        self._headed = True
        self.bookmarks = call.flag("allowWatchBookmarks")
        self.prefix = call.target.key

    def initial(self) -> list[bytes]:
        """All objects there are, as added."""
        records = self._objects.store.list(self.prefix)
        return [
            self._frame("ADDED", record.value)
            for record in records
            if self._matches is None or self._matches(record.value)
        ]

    def line(self, change: Change) -> bytes | None:
        """What the client is told of a change; None where it does not see it."""
        before = change.previous is not None and self._sees(change.previous)
        after = change.value is not None and self._sees(change.value)
        if after and change.value is not None:
            return self._frame("MODIFIED" if before else "ADDED", change.value)
        if before and change.previous is not None:
            gone = change.value if change.value is not None else change.previous
            return self._frame("DELETED", encoded(msgspec.json.decode(gone), change.revision))
        return None

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
        return b'{"type":"BOOKMARK","object":' + msgspec.json.encode(body) + b"}\n"

    def _frame(self, kind: str, value: bytes) -> bytes:
        if self._as_table:
            obj = msgspec.json.decode(value)
            value = table(
                self._resource,
                [obj],
                self._objects.clock.now(),
                meta={"resourceVersion": obj["metadata"]["resourceVersion"]},
                headed=self._headed,
                include=self._include,
            )
            self._headed = False
        return b'{"type":"' + kind.encode() + b'","object":' + value + b"}\n"
