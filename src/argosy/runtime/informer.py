"""An informer keeps a local copy of all objects of one kind: it learns of all, then watches.

Readers see views; subscribers are called, in the loop and without awaiting, with the old and the
new object. What the copy has reached can be awaited, so that nobody acts on a view that lacks
their own last write. How all is learnt is told in `listing`, what a copy takes in `sharing`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextlib import aclosing
from typing import Generic, TypeVar

import msgspec

from argosy.api.meta import Key, Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.watching import WatchEvent
from argosy.runtime.following import Reach, follow
from argosy.runtime.indexes import Index, Values, owner_uid
from argosy.runtime.listing import TURN, Events, Source
from argosy.runtime.progress import Progress
from argosy.runtime.resync import resync
from argosy.runtime.sharing import Sharing

T = TypeVar("T", bound=Object)
Subscriber = Callable[[T | None, T | None], None]
Trim = Callable[[T], T]

OWNER = "owner"
"""The index of who manages what."""

log = logging.getLogger(__name__)


def untrimmed(obj: T) -> T:
    """All that the view reads."""
    return obj


class Informer(Generic[T]):
    """A cache of one kind in one namespace (or all, where `namespace` is empty), of the objects
    that the field selector `fields` lets through.

    It holds what the view reads, less what `trim` takes out of that (`msgspec.structs.replace`).
    Of a `PartialObject` the server sends no more than the metadata. Those that share a `reach` tell
    each other when the server answers again.
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
        trim: Trim[T] = untrimmed,
        reach: Reach | None = None,
    ) -> None:
        self.kind = kind
        self.resource = resource or kind.resource
        self._clock = clock
        self._source = Source(client, clock, kind, self.resource, namespace, fields)
        self._trim = trim
        self._reach = reach
        self._share = Sharing()
        self._objects: dict[Key, T] = {}
        self._indexes: dict[Hashable, Index[T]] = {OWNER: Index(owner_uid)}
        self._subscribers: list[Subscriber[T]] = []
        self._progress = Progress()
        self._trouble = ""  # what was told last
        self._period = 0.0
        self._events: Events[T] | None = None  # a watch that began with all objects
        self.synced = asyncio.Event()

    def get(self, namespace: str, name: str) -> T | None:
        """The object, as far as the cache knows."""
        return self._objects.get((namespace, name))

    def items(self) -> Iterable[T]:
        """All objects. Don't await while iterating."""
        return self._objects.values()

    def add_index(self, name: Hashable, values: Values[T]) -> None:
        """Find objects by what `values` tells of them; two of the same name are one."""
        if name not in self._indexes:
            self._indexes[name] = index = Index(values)
            for key, obj in self._objects.items():
                index.changed(key, None, obj)

    def by_index(self, name: Hashable, value: Hashable) -> list[T]:
        """The objects of which the index tells this value, in key order."""
        return [self._objects[key] for key in self._indexes[name].keys(value)]

    def owned_by(self, uid: str) -> list[T]:
        """The objects whose managing controller has this uid, in key order."""
        return self.by_index(OWNER, uid)

    def subscribe(self, subscriber: Subscriber[T]) -> None:
        """Call `subscriber(old, new)` at each change; objects already here come as new ones."""
        self._subscribers.append(subscriber)
        for obj in list(self._objects.values()):
            subscriber(None, obj)

    def resync(self, period: float) -> None:
        """Tell subscribers of each object again, as old and new, once in so many seconds (or more
        often, where others ask for that). To be called before it runs.
        """
        self._period = min(self._period or period, period)

    def has_reached(self, revision: str) -> bool:
        """Whether the cache has seen `revision`, or never will: see `Progress`."""
        return self._progress.has_reached(int(revision))

    async def reached(self, revision: str) -> None:
        """Wait until the cache has seen `revision`, however long: to act on less would be wrong."""
        await self._progress.reached(int(revision))

    async def run(self) -> None:
        """Keep the copy fresh until cancelled; what fails, or ends at once, waits ever longer."""
        again = asyncio.ensure_future(self._resync()) if self._period else None
        try:
            await follow(
                self._clock,
                lambda: self._tried(self._relist()),
                lambda: self._tried(self._follow()),
                lambda: self._progress.revision,
                self._reach,
            )
        finally:
            if again is not None:
                again.cancel()
            await self._leave()

    async def _tried(self, step: Coroutine[None, None, None]) -> bool:
        """Whether the step came to its end; a failure is logged."""
        try:
            await step
        except (StatusError, ConnectionError, msgspec.DecodeError) as error:
            self._complain(error)
            if isinstance(error, StatusError) and error.code == 404:
                await self._gone()
            return False
        return True

    def _complain(self, error: Exception) -> None:
        """Loud once of each trouble, which may go on for ever; of what is usual, not at all."""
        code = error.code if isinstance(error, StatusError) else 0
        usual = code == 410 or (code == 404 and self.synced.is_set())
        told = usual or str(error) == self._trouble
        if not usual:
            self._trouble = str(error)
        log.log(
            logging.DEBUG if told else logging.WARNING,
            "listing or watching failed",
            extra={"resource": self.resource.qualified, "error": str(error)},
        )

    async def _relist(self) -> None:
        await self._leave()
        asked = self._progress.mark()
        found = await self._source.all(self._kept)
        self._events = found.events
        revision = _number(found.revision)
        await self._replace(found.objects)
        self._progress.restart(revision, asked)
        if self._trouble:
            self._trouble = ""
            log.info("listing works again", extra={"resource": self.resource.qualified})
        self.synced.set()

    async def _follow(self) -> None:
        """Watch from where the copy stands until the server ends the watch."""
        events = self._events or self._source.watch(str(self._progress.revision))
        self._events = None
        async with aclosing(events) as stream:
            async for event in stream:
                self._take(event)

    def _take(self, event: WatchEvent[T]) -> None:
        revision = _number(event.object.metadata.resource_version)
        if event.type == "DELETED":
            self._put(event.object.key, None)
        elif event.type != "BOOKMARK":
            self._put(event.object.key, self._kept(event.object))
        self._progress.advance(revision)

    def _kept(self, fresh: T) -> T:
        """What is to be kept of an object: the one that is here already, if they are equal.

        Their revisions alone don't tell: a server that was set back gives them out again.
        """
        trimmed = self._trim(fresh)
        old = self._objects.get(trimmed.key)
        return old if old is not None and old == trimmed else self._share(trimmed)

    async def _gone(self) -> None:
        """A server that does not serve the kind has none of it."""
        await self._replace({})
        self._progress.end()
        self.synced.set()

    async def _replace(self, objects: dict[Key, T]) -> None:
        """Let the copy be `objects`: first what is gone, then what is new or another."""
        changes = [key for key in self._objects if key not in objects]
        changes += [key for key, obj in objects.items() if self._objects.get(key) is not obj]
        for at, key in enumerate(changes, 1):
            self._put(key, objects.get(key))
            if at % TURN == 0:
                await asyncio.sleep(0)

    def _put(self, key: Key, new: T | None) -> None:
        old = self._objects.get(key)
        if new is not None:
            self._objects[key] = new
        elif old is not None:
            del self._objects[key]
        else:
            return  # an end of what nobody knew
        for index in self._indexes.values():
            index.changed(key, old, new)
        for subscriber in self._subscribers:
            subscriber(old, new)

    async def _resync(self) -> None:
        await self.synced.wait()
        await resync(self._clock, self._period, lambda: list(self._objects), self._again)

    def _again(self, key: Key) -> None:
        obj = self._objects.get(key)
        for subscriber in self._subscribers if obj is not None else ():
            subscriber(obj, obj)

    async def _leave(self) -> None:
        """Let go of a watch that nobody follows yet."""
        if self._events is not None:
            await self._events.aclose()
            self._events = None


def _number(revision: str) -> int:
    """Raises msgspec.DecodeError."""
    try:
        return int(revision)
    except ValueError:
        raise msgspec.DecodeError(f"no resource version: {revision[:64]!r}") from None
