"""An informer keeps a local copy of all objects of one kind: list once, then watch.

Readers see views; subscribers are called, in the loop and without awaiting, with the old and the
new object. What the copy has reached can be awaited, so that nobody acts on a view that lacks
their own last write.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Generic, TypeVar

import msgspec

from argosy.api.meta import Key, Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client, WatchEvent
from argosy.runtime.following import follow

T = TypeVar("T", bound=Object)
Subscriber = Callable[[T | None, T | None], None]

log = logging.getLogger(__name__)


class Informer(Generic[T]):
    """A cache of one kind in one namespace (or all, where `namespace` is empty), of the objects
    that the field selector `fields` lets through.
    """

    def __init__(
        self,
        client: Client,
        kind: type[T],
        clock: Clock,
        *,
        namespace: str = "",
        resource: Resource | None = None,
        fields: str = "",
    ) -> None:
        self.kind = kind
        self.resource = resource or kind.resource
        self._client = client
        self._clock = clock
        self._namespace = namespace
        self._fields = fields
        self._objects: dict[Key, T] = {}
        self._owned: defaultdict[str, set[Key]] = defaultdict(set)
        self._subscribers: list[Subscriber[T]] = []
        self._revision = 0
        self._moved = asyncio.Event()
        self.synced = asyncio.Event()

    def get(self, namespace: str, name: str) -> T | None:
        """The object, as far as the cache knows."""
        return self._objects.get((namespace, name))

    def items(self) -> Iterable[T]:
        """All objects. Don't await while iterating."""
        return self._objects.values()

    def owned_by(self, uid: str) -> list[T]:
        """The objects whose managing controller has this uid, in key order."""
        return [self._objects[key] for key in sorted(self._owned.get(uid, ()))]

    def subscribe(self, subscriber: Subscriber[T]) -> None:
        """Call `subscriber(old, new)` at each change; objects already here come as new ones."""
        self._subscribers.append(subscriber)
        for obj in list(self._objects.values()):
            subscriber(None, obj)

    def has_reached(self, revision: str) -> bool:
        """Whether the cache has seen `revision`."""
        return self._revision >= int(revision)

    async def reached(self, revision: str) -> None:
        """Wait until the cache has seen `revision`, however long: to act on less would be wrong."""
        wanted = int(revision)
        while self._revision < wanted:
            await self._moved.wait()

    async def run(self) -> None:
        """Keep the copy fresh until cancelled; what fails, or ends at once, waits ever longer."""
        await follow(
            self._clock,
            lambda: self._tried(self._relist()),
            lambda: self._tried(self._follow()),
            lambda: self._revision,
        )

    async def _tried(self, step: Coroutine[None, None, None]) -> bool:
        """Whether the step came to its end; a failure is logged."""
        try:
            await step
        except (StatusError, ConnectionError, msgspec.DecodeError) as error:
            code = error.code if isinstance(error, StatusError) else 0
            known = code == 410 or (code == 404 and self.synced.is_set())
            if code == 404:
                self.synced.set()  # a server that does not serve the kind has none of it
            log.log(
                logging.DEBUG if known else logging.WARNING,
                "listing or watching failed",
                extra={"resource": self.resource.qualified, "error": str(error)},
            )
            return False
        return True

    async def _relist(self) -> None:
        listed = await self._client.list(
            self.kind, self._namespace, fields=self._fields, resource=self.resource
        )
        fresh = {obj.key: obj for obj in listed.items}
        for key in self._objects.keys() - fresh.keys():
            self._put(key, None)
        for key, obj in fresh.items():
            old = self._objects.get(key)
            if old is None or old.metadata.resource_version != obj.metadata.resource_version:
                self._put(key, obj)
        self._advance(listed.metadata.resource_version)
        self.synced.set()

    async def _follow(self) -> None:
        """Watch from where the copy stands until the server ends the watch."""
        events = self._client.watch(
            self.kind,
            self._namespace,
            since=str(self._revision),
            fields=self._fields,
            resource=self.resource,
        )
        async with aclosing(events) as stream:
            async for event in stream:
                self._take(event)

    def _take(self, event: WatchEvent[T]) -> None:
        if event.type != "BOOKMARK":
            gone = event.type == "DELETED"
            self._put(event.object.key, None if gone else event.object)
        self._advance(event.object.metadata.resource_version)

    def _put(self, key: Key, new: T | None) -> None:
        old = self._objects.pop(key, None)
        if old is not None and old.controller is not None:
            self._disown(old.controller.uid, key)
        if new is not None:
            self._objects[key] = new
            if new.controller is not None:
                self._owned[new.controller.uid].add(key)
        for subscriber in self._subscribers:
            subscriber(old, new)

    def _disown(self, uid: str, key: Key) -> None:
        keys = self._owned[uid]
        keys.discard(key)
        if not keys:
            del self._owned[uid]

    def _advance(self, revision: str) -> None:
        self._revision = max(self._revision, int(revision))
        self._moved.set()
        self._moved = asyncio.Event()
