"""All objects of a kind, by a watch that begins with them or page by page.

The watch (KEP-3157) costs the server no list, and goes on with what comes: one request for both.
Where a server does not offer that there are pages, and where it fails in any other way but being
away there are too: getting on is better than insisting.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from argosy.api.meta import Key, Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import INITIAL_END, PAGE, Client
from argosy.client.watching import WatchEvent

T = TypeVar("T", bound=Object)
Events = AsyncGenerator[WatchEvent[T], None]

SILENCE = 30.0
"""Seconds without a new object after which a server has no bookmark to come."""
TURN = 256
"""Objects after which others have their turn."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """All objects, the revision they are of, and the watch that goes on from there, if one does."""

    objects: dict[Key, T]
    revision: str
    events: Events[T] | None


@dataclass
class Source(Generic[T]):
    """What a cache holds, as the server is asked for it.

    `streams`: whether it may begin a watch with all objects; `broke`: whether the connection broke
    when it last did.
    """

    client: Client
    clock: Clock
    kind: type[T]
    resource: Resource
    namespace: str
    fields: str
    streams: bool = True
    broke: bool = False

    async def all(self, kept: Callable[[T], T]) -> Found[T]:
        """All objects as `kept` makes them. Raises what the client does."""
        found = None
        if self.streams and not self.broke:
            self.broke = True
            found = await self._streamed(kept)
        self.broke = False
        return found or await self._paged(kept)

    def watch(self, since: str, *, initial: bool = False) -> Events[T]:
        """What comes after the revision."""
        return self.client.watch(
            self.kind,
            self.namespace,
            since=since,
            initial=initial,
            fields=self.fields,
            resource=self.resource,
        )

    async def _streamed(self, kept: Callable[[T], T]) -> Found[T] | None:
        """None where the server does it otherwise."""
        events, objects = self.watch("", initial=True), dict[Key, T]()
        reading = asyncio.ensure_future(_collect(events, objects, kept))
        revision = ""
        try:
            await self._while_it_speaks(reading, objects)
            if reading.done():
                revision = reading.result()
            else:
                self.streams = False
        except StatusError as error:
            if error.code in (404, 429) or error.code >= 500:
                raise
            self.streams = error.code not in (400, 422)
        except msgspec.DecodeError:
            pass
        finally:
            if not revision:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                await events.aclose()
        return Found(objects, revision, events) if revision else None

    async def _while_it_speaks(self, reading: asyncio.Future[str], objects: dict[Key, T]) -> None:
        """Wait until all is read, or until the server sends nothing new."""
        seen = -1
        while not reading.done() and len(objects) > seen:
            seen = len(objects)
            alarm = asyncio.ensure_future(self.clock.sleep(SILENCE))
            try:
                await asyncio.wait((reading, alarm), return_when=asyncio.FIRST_COMPLETED)
            finally:
                alarm.cancel()

    async def _paged(self, kept: Callable[[T], T]) -> Found[T]:
        """By pages; where the server forgets what they are of before the last, by one."""
        try:
            return await self._by(PAGE, kept)
        except StatusError as error:
            if error.code != 410:
                raise
            return await self._by(0, kept)

    async def _by(self, limit: int, kept: Callable[[T], T]) -> Found[T]:
        pages = self.client.pages(
            self.kind, self.namespace, fields=self.fields, resource=self.resource, limit=limit
        )
        objects: dict[Key, T] = {}
        async with aclosing(pages):
            async for page in pages:
                for at, obj in enumerate(page.items, 1):
                    objects[obj.key] = kept(obj)
                    if at % TURN == 0:
                        await asyncio.sleep(0)
        return Found(objects, page.metadata.resource_version, None)


async def _collect(events: Events[T], objects: dict[Key, T], kept: Callable[[T], T]) -> str:
    """The revision at which `objects` is all there is; "" where the watch ends before."""
    at = 0
    async for event in events:
        meta = event.object.metadata
        if event.type == "BOOKMARK":
            if INITIAL_END in meta.annotations:
                return meta.resource_version
        elif event.type == "DELETED":
            objects.pop(event.object.key, None)
        else:
            objects[event.object.key] = kept(event.object)
        at += 1
        if at % TURN == 0:
            await asyncio.sleep(0)
    return ""
