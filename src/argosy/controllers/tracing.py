"""Following the ownership of a kind's objects: list once, then watch, and keep nothing.

Unlike an informer it holds no copy of the objects, and of each decodes only what the graph asks
for: every write of a cluster comes by here, and nearly all of them say nothing of ownership.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing

import msgspec

from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client, ListMeta
from argosy.controllers.ownership import Graph, Trace
from argosy.runtime.following import follow

log = logging.getLogger(__name__)

PAGE = "500"


class Traced(msgspec.Struct, frozen=True):
    """An object, seen as its trace; of a `Status`, what went wrong."""

    metadata: Trace = Trace()
    code: int = 0
    reason: str = ""
    message: str = ""


class Page(msgspec.Struct, frozen=True):
    """A piece of a list."""

    metadata: ListMeta
    items: list[Traced]


class _Frame(msgspec.Struct, frozen=True):
    type: str
    object: Traced


_pages = msgspec.json.Decoder(Page)
_frames = msgspec.json.Decoder(_Frame)


async def pages(
    client: Client, resource: Resource, namespace: str = ""
) -> AsyncGenerator[Page, None]:
    """The traces of all objects of a kind, piece by piece; there is one at least."""
    query, path = {"limit": PAGE}, resource.path("", namespace)
    while True:
        page = _pages.decode(await client.call("GET", path, query))
        yield page
        query["continue"] = page.metadata.continue_
        if not page.metadata.continue_:
            return


class Tracer:
    """Tells the graph of one kind. `synced` is set when it has told of all there is."""

    def __init__(self, client: Client, clock: Clock, resource: Resource, graph: Graph) -> None:
        self._client = client
        self._clock = clock
        self.resource = resource
        self._graph = graph
        self._revision = ""
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled; what fails, or ends at once, waits ever longer."""
        await follow(
            self._clock,
            lambda: self._tried(self._list()),
            lambda: self._tried(self._watch()),
            lambda: self._revision,
        )

    async def catch_up(self, namespace: str, revision: int) -> None:
        """Tell of all owned objects that there are at `revision`, in that namespace or, without
        one, everywhere; all of them are listed, where the watch has not come so far.
        """
        if (namespace and not self.resource.namespaced) or int(self._revision or 0) >= revision:
            return
        async for page in pages(self._client, self.resource, namespace):
            for item in page.items:
                if item.metadata.owner_references:
                    self._graph.observe(self.resource, item.metadata)

    async def _tried(self, step: Coroutine[None, None, None]) -> bool:
        """Whether the step came to its end; a failure is logged."""
        try:
            await step
        except (StatusError, ConnectionError, msgspec.DecodeError) as error:
            expired = isinstance(error, StatusError) and error.code == 410
            log.log(
                logging.DEBUG if expired else logging.WARNING,
                "following owners failed",
                extra={"resource": self.resource.qualified, "error": str(error)},
            )
            return False
        return True

    async def _list(self) -> None:
        """Tell of all objects; those that were known and are not among them are doubtful."""
        missing = self._graph.of(self.resource)
        async for page in pages(self._client, self.resource):
            for item in page.items:
                missing.discard(item.metadata.uid)
                self._graph.observe(self.resource, item.metadata)
            revision = page.metadata.resource_version
        for uid in missing:
            self._graph.doubt(uid)
        self._revision = revision
        self.synced.set()

    async def _watch(self) -> None:
        """Tell of changes until the server ends the watch."""
        query = {
            "watch": "true",
            "resourceVersion": self._revision,
            "allowWatchBookmarks": "true",
        }
        rest = b""
        async with aclosing(self._client.stream(self.resource.path(), query)) as pieces:
            async for piece in pieces:
                whole, _, rest = (rest + piece).rpartition(b"\n")
                for frame in _frames.decode_lines(whole):
                    self._take(frame)

    def _take(self, frame: _Frame) -> None:
        trace = frame.object.metadata
        if frame.type == "ERROR":
            error = frame.object
            raise StatusError(error.code or 500, error.reason or "Unknown", error.message)
        if frame.type == "DELETED":
            self._graph.gone(trace.uid)
        elif frame.type != "BOOKMARK":
            self._graph.observe(self.resource, trace)
        self._revision = trace.resource_version
