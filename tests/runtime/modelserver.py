"""A model of an API server that serves ConfigMaps, as small as can be and as bad as one likes.

It answers lists by pages of two, and watches; between any two pieces others have their turn, so
that everything may happen in the middle of a list.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec

from argosy.base.errors import StatusError, expired, service_unavailable
from argosy.http.message import Request, Response

PAGE = 2
State = dict[str, tuple[int, str]]
"""The revision and the value by name."""
Change = tuple[int, str, str, str]
"""Revision, type, name, value."""
BROKEN, ENDED, GARBAGE, TOO_OLD = "broken", "ended", "garbage", "too old"


def shown(name: str, revision: int, value: str) -> dict[str, object]:
    meta = {"name": name, "namespace": "default", "resourceVersion": str(revision)}
    return {"metadata": meta, "data": {"v": value}}


def bookmark(revision: int, *, end: bool = False) -> bytes:
    meta: dict[str, object] = {"resourceVersion": str(revision)}
    if end:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return msgspec.json.encode({"type": "BOOKMARK", "object": {"metadata": meta}}) + b"\n"


def event(kind: str, name: str, revision: int, value: str) -> bytes:
    told = {"type": kind, "object": shown(name, revision, value)}
    return msgspec.json.encode(told) + b"\n"


def refusal(error: StatusError) -> Response:
    return Response(error.code, {}, msgspec.json.encode(error.status()))


@dataclass
class Model:
    """The transport of a client, and the server behind it. `streams`: whether a watch may begin
    with all objects; `down`: so many requests fail; `missing`: the kind is not served.
    """

    streams: bool = True
    down: int = 0
    missing: bool = False
    revision: int = 1
    now: State = field(default_factory=dict)
    then: dict[int, State] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    oldest: int = 0
    starts: int = 0
    lost: range = range(0)
    watches: list[asyncio.Queue[str]] = field(default_factory=list)

    # what happens to it

    def write(self, name: str, value: str) -> int:
        kind = "MODIFIED" if name in self.now else "ADDED"
        self._note(kind, name, value)
        self.now[name] = (self.revision, value)
        return self.revision

    def delete(self, name: str) -> None:
        if name in self.now:
            self._note("DELETED", name, self.now[name][1])
            del self.now[name]

    def compact(self) -> None:
        self.oldest = self.revision

    def tell(self, what: str) -> None:
        """Something to all watches: a line, or how they end."""
        for watch in self.watches:
            watch.put_nowait(what)

    def restore(self, back: int) -> None:
        """Be what it was so many revisions ago, and break all connections.

        From revisions that are lost nothing can be watched, as if they were compacted.
        """
        wanted = max(1, self.revision - back)
        self.lost = range(wanted + 1, max(self.revision + 1, self.lost.stop))
        self.now = dict({**self.then, self.revision: self.now}.get(wanted, {}))
        self.revision, self.history, self.then = wanted, [], {wanted: dict(self.now)}
        self.oldest = wanted
        self.starts += 1
        self.tell(BROKEN)

    def _note(self, kind: str, name: str, value: str) -> None:
        self.then[self.revision] = dict(self.now)
        self.revision += 1
        self.history.append((self.revision, kind, name, value))
        self.tell("")

    # what it answers

    async def send(self, request: Request) -> Response:
        starts = self.starts
        await asyncio.sleep(0)
        if self.starts != starts:
            raise ConnectionError("restarted")
        if self.down:
            self.down -= 1
            if self.down % 2:
                return refusal(service_unavailable("busy"))
            raise ConnectionError("down")
        if self.missing:
            return Response(404, {}, b"404 page not found")
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        if "watch" not in query:
            return self._page(query)
        if "sendInitialEvents" in query:
            return Response(200, {}, self._told(None)) if self.streams else Response(422, {}, b"")
        since = int(query["resourceVersion"])
        if since < self.oldest or since in self.lost:
            return refusal(expired("too old"))
        return Response(200, {}, self._told(since))

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _page(self, query: dict[str, str]) -> Response:
        at, after = self.revision, ""
        if token := query.get("continue"):
            number, _, after = token.partition("/")
            at = int(number)
            if at < self.oldest or at not in self.then:
                return refusal(expired("too old"))
        self.then[self.revision] = dict(self.now)
        state = self.then[at]
        left = sorted(name for name in state if name > after)
        some = left[: PAGE if "limit" in query else None]
        meta = {"resourceVersion": str(at)}
        if len(some) < len(left):
            meta["continue"] = f"{at}/{some[-1]}"
        items = [shown(name, *state[name]) for name in some]
        return Response(200, {}, msgspec.json.encode({"metadata": meta, "items": items}))

    async def _told(self, since: int | None) -> AsyncGenerator[bytes, None]:
        signals: asyncio.Queue[str] = asyncio.Queue()
        self.watches.append(signals)
        try:
            if since is None:
                since = self.revision
                for piece in self._all(since):
                    yield piece
                    await asyncio.sleep(0)
                    while not signals.empty():
                        _heed(signals.get_nowait())
            while True:
                for revision, kind, name, value in [it for it in self.history if it[0] > since]:
                    yield event(kind, name, revision, value)
                    since = revision
                signal = await signals.get()
                if signal == ENDED:
                    return
                _heed(signal)
                yield _line(signal, since)
        finally:
            self.watches.remove(signals)

    def _all(self, revision: int) -> list[bytes]:
        """What a watch begins with."""
        state = sorted(self.now.items())
        added = [event("ADDED", name, at, value) for name, (at, value) in state]
        return [*added, bookmark(revision, end=True)]


def _heed(signal: str) -> None:
    if signal == BROKEN:
        raise ConnectionError(signal)


def _line(signal: str, since: int) -> bytes:
    if signal == GARBAGE:
        return b'{"type":"ADDED","object":{"metadata":7}}\n'
    if signal == TOO_OLD:
        status = expired("too old").status()
        return msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"
    return bookmark(since) if signal else b"\n"
