"""What a controller is, and the loop that drives it.

A controller reads views from informers, decides by pure functions, and writes once (`commit`).
It never asks why it was called: it looks at the state and says what is next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from argosy.api.meta import Key, Object
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, TerminalError
from argosy.runtime.informer import Informer
from argosy.runtime.queue import WorkQueue

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

    `reconcile` gets the object as the informer has it and isn't called for one that is gone.
    """

    name: str
    informer: Informer[T]
    reconcile: Callable[[T], Awaitable[Result]]
    owns: tuple[Informer[Any], ...] = ()
    watches: tuple[Watch, ...] = ()
    workers: int = 4


class ControllerLoop(Generic[T]):
    """Feeds the controller's queue from its informers and works it off."""

    def __init__(self, controller: Controller[T], clock: Clock) -> None:
        self._controller = controller
        self._queue: WorkQueue[Key] = WorkQueue(clock)

    async def run(self) -> None:
        """Work until cancelled."""
        controller = self._controller
        watched = [controller.informer, *controller.owns]
        watched += [watch.informer for watch in controller.watches]
        for informer in watched:
            await informer.synced.wait()
        self._subscribe()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run())
            for _ in range(controller.workers):
                group.create_task(self._work())

    def _subscribe(self) -> None:
        controller = self._controller
        controller.informer.subscribe(lambda old, new: self._queue.add(_either(old, new).key))
        kind = controller.informer.resource.kind
        for informer in controller.owns:
            informer.subscribe(self._notify(lambda obj: _owner_key(obj, kind)))
        for watch in controller.watches:
            watch.informer.subscribe(self._notify(watch.keys))

    def _notify(self, keys: Callable[[Any], Iterable[Key]]) -> Callable[[Any, Any], None]:
        def changed(old: Object | None, new: Object | None) -> None:
            for obj in (old, new):
                for key in keys(obj) if obj is not None else ():
                    self._queue.add(key)

        return changed

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._reconcile(key)
            finally:
                self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        obj = self._controller.informer.get(*key)
        if obj is None:
            self._queue.forget(key)
            return
        context = {"controller": self._controller.name, "object": "/".join(filter(None, key))}
        try:
            result = await self._controller.reconcile(obj)
        except TerminalError as error:
            log.error("giving up", extra={**context, "error": str(error)})
            self._queue.forget(key)
        except (StatusError, ConnectionError) as error:
            delay = self._queue.retry(key)
            log.info("trying again", extra={**context, "error": str(error), "after": delay})
        except Exception:
            # A fault of the controller's own must not stop the others.
            delay = self._queue.retry(key)
            log.exception("reconciling failed", extra={**context, "after": delay})
        else:
            self._queue.forget(key)
            if result.after is not None:
                self._queue.add_after(key, result.after)


def _either(old: T | None, new: T | None) -> T:
    obj = new if new is not None else old
    assert obj is not None
    return obj


def _owner_key(obj: Object, kind: str) -> Iterable[Key]:
    owner = obj.controller
    if owner is not None and owner.kind == kind:
        yield (obj.metadata.namespace, owner.name)
