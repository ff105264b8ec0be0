"""What a controller is, and the loop that drives it.

A controller reads views from informers, decides by pure functions, and writes once (`commit`).
It never asks why it was called: it looks at the state and says what is next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from argosy.api.meta import Key, Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, TerminalError
from argosy.runtime.counts import Counts
from argosy.runtime.informer import Informer
from argosy.runtime.pace import Pace
from argosy.runtime.queue import LOW, RETRIES, Retries, WorkQueue

T = TypeVar("T", bound=Object)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """`after`: look again in so many seconds; None: when something changes."""

    after: float | None = None


DONE = Result()


@dataclass(frozen=True, slots=True)
class Watch:
    """Objects of another kind, mapped to the keys of the controller's own."""

    informer: Informer[Any]
    keys: Callable[[Any], Iterable[Key]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller(Generic[T]):
    """One concern. `name` is its path, its log name and its metric label.

    `reconcile` gets the object as the informer has it and isn't called for one that is gone; after
    `deadline` seconds it is cancelled, and tried again as what failed. Objects for which there is
    nothing to do, as they are, need not be queued: `concerns` tells, where most are such.
    """

    name: str
    informer: Informer[T]
    reconcile: Callable[[T], Awaitable[Result]]
    owns: tuple[Informer[Any], ...] = ()
    watches: tuple[Watch, ...] = ()
    workers: int = 4
    retries: Retries = RETRIES
    deadline: float | None = None
    concerns: Callable[[T], bool] | None = None

    def informers(self) -> list[Informer[Any]]:
        """All that it reads."""
        return [self.informer, *self.owns, *(watch.informer for watch in self.watches)]


class Tracer(Protocol):
    """Makes spans: a tracer of OpenTelemetry is one."""

    def start_as_current_span(
        self, name: str, *, attributes: Mapping[str, str]
    ) -> AbstractContextManager[object]:
        """A span for the time of the block; an exception is part of it."""
        ...


class ControllerLoop(Generic[T]):
    """Feeds the controller's queue from its informers and works it off.

    It can run several times, one after the other: each time it begins with all objects there are.
    """

    def __init__(
        self, controller: Controller[T], clock: Clock, counts: Counts, tracer: Tracer | None = None
    ) -> None:
        self._controller = controller
        self._clock = clock
        self._counts = counts
        self._tracer = tracer
        self._queue: WorkQueue[Key] | None = None
        self._subscribed = False
        self._first = False
        self._idle = asyncio.Event()
        self._pace: Pace[Key] = Pace(clock.monotonic)

    async def run(self) -> None:
        """Work until cancelled."""
        controller = self._controller
        for informer in controller.informers():
            await informer.synced.wait()
        queue: WorkQueue[Key] = WorkQueue(
            self._clock,
            group=itemgetter(0),
            retries=controller.retries,
            counts=self._counts.queue,
        )
        self._queue = self._counts.waiting = queue
        try:
            self._begin(queue)
            async with asyncio.TaskGroup() as group:
                group.create_task(queue.run())
                for _ in range(controller.workers):
                    group.create_task(self._work(queue))
        finally:
            self._queue = self._counts.waiting = None

    async def drain(self) -> None:
        """Begin nothing more; return when what was begun has ended."""
        if self._queue is not None:
            self._queue.close()
        while self._counts.active:
            self._idle.clear()
            await self._idle.wait()

    def _begin(self, queue: WorkQueue[Key]) -> None:
        """Add all objects there are: at low priority, for nothing has changed."""
        if self._subscribed:
            for obj in self._controller.informer.items():
                if self._concerned(obj):
                    queue.add(obj.key, LOW)
            return
        self._subscribed = self._first = True
        try:
            self._subscribe()
        finally:
            self._first = False

    def _subscribe(self) -> None:
        controller = self._controller
        resource = controller.informer.resource
        controller.informer.subscribe(self._changed)
        for informer in controller.owns:
            informer.subscribe(self._notify(_owners(resource)))
        for watch in controller.watches:
            watch.informer.subscribe(self._notify(watch.keys))

    def _changed(self, old: T | None, new: T | None) -> None:
        obj = new if new is not None else old
        if self._queue is not None and obj is not None and self._concerned(obj):
            self._queue.add(obj.key, self._priority(old, new))

    def _concerned(self, obj: T) -> bool:
        concerns = self._controller.concerns
        return concerns is None or concerns(obj)

    def _notify(self, keys: Callable[[Any], Iterable[Key]]) -> Callable[[Any, Any], None]:
        def changed(old: Object | None, new: Object | None) -> None:
            queue = self._queue
            if queue is None:
                return
            for obj in (old, new):
                if obj is not None:
                    for key in keys(obj):
                        queue.add(key, self._priority(old, new))

        return changed

    def _priority(self, old: Object | None, new: Object | None) -> int:
        """Low for what was there at the start, and for what has not changed since it was told."""
        if self._first:
            return LOW
        if old is None or new is None:
            return 0
        same = old.metadata.resource_version == new.metadata.resource_version
        return LOW if same else 0

    async def _work(self, queue: WorkQueue[Key]) -> None:
        counts = self._counts
        while True:
            key = await queue.get()
            counts.active += 1
            called = False
            try:
                called = await self._reconcile(queue, key)
            finally:
                seconds = queue.done(key)
                if called:
                    counts.took.add(seconds)
                counts.active -= 1
                if not counts.active:
                    self._idle.set()

    async def _reconcile(self, queue: WorkQueue[Key], key: Key) -> bool:
        """Whether there was an object to reconcile."""
        obj = self._controller.informer.get(*key)
        if obj is None:
            queue.forget(key)
            return False
        if (wait := self._pace.wait(key)) > 0:
            queue.add_after(key, wait)
            return False
        try:
            result = await self._called(obj, key)
        except Exception as error:
            self._counts.failed += 1
            self._failed(queue, key, error)
        else:
            queue.forget(key)
            if result.after is None:
                self._counts.succeeded += 1
            else:
                self._counts.later += 1
                queue.add_after(key, result.after)
        return True

    async def _called(self, obj: T, key: Key) -> Result:
        """What reconciling gives; in a span where there is a tracer."""
        call = self._controller.reconcile if self._controller.deadline is None else self._bounded
        if self._tracer is None:
            return await call(obj)
        attributes = {"controller": self._controller.name, "object": _named(key)}
        with self._tracer.start_as_current_span("reconcile", attributes=attributes):
            return await call(obj)

    async def _bounded(self, obj: T) -> Result:
        """What reconciling gives, or a TimeoutError after the deadline."""
        deadline = self._controller.deadline
        assert deadline is not None
        working = asyncio.ensure_future(self._controller.reconcile(obj))
        sleeping = asyncio.ensure_future(self._clock.sleep(deadline))
        try:
            await asyncio.wait((working, sleeping), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            self._counts.timeouts += 1
            raise TimeoutError(f"not done within {deadline:g} s")
        finally:
            working.cancel()
            sleeping.cancel()
            await asyncio.gather(working, sleeping, return_exceptions=True)

    def _failed(self, queue: WorkQueue[Key], key: Key, error: Exception) -> None:
        context = {"controller": self._controller.name, "object": _named(key)}
        if isinstance(error, TerminalError):
            self._counts.terminal += 1
            log.error("giving up", extra={**context, "error": str(error)})
            queue.forget(key)
            return
        delay = queue.retry(key)
        if isinstance(error, StatusError | ConnectionError | TimeoutError):
            log.info("trying again", extra={**context, "error": str(error), "after": delay})
        else:
            # A fault of the controller's own must not stop the others.
            self._counts.faults += 1
            log.exception("reconciling failed", exc_info=error, extra={**context, "after": delay})


def _named(key: Key) -> str:
    return "/".join(filter(None, key))


def _owners(resource: Resource) -> Callable[[Object], tuple[Key, ...]]:
    """Tells the key of an object's controller, where that is of the kind."""
    kind, group, namespaced = resource.kind, resource.group, resource.namespaced

    def keys(obj: Object) -> tuple[Key, ...]:
        owner = obj.controller
        if owner is None or owner.kind != kind or owner.api_version.rpartition("/")[0] != group:
            return ()
        return ((obj.metadata.namespace if namespaced else "", owner.name),)

    return keys
